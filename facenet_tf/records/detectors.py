"""The detector that a config describes."""

from __future__ import annotations

from facenet_tf.detection import Detector
from facenet_tf.records.config import BuildConfig


def detector_of(config: BuildConfig) -> Detector:
    """Return the config's detector; the others are not imported.

    Raises InputError if its package, model or weights are missing.
    """
    if config.detector == "yunet":
        from facenet_tf.detection.yunet import YuNetDetector

        assert config.detector_model is not None  # the config has seen to it
        return YuNetDetector(config.detector_model, config.detector_min_face)
    if config.detector == "retinaface":
        from facenet_tf.detection.retinaface import RetinaFaceDetector

        return RetinaFaceDetector(config.detector_min_face)
    from facenet_tf.detection.mtcnn import MtcnnDetector

    return MtcnnDetector(
        min_face_size=config.detector_min_face,
        thresholds=config.detector_thresholds,
        scale_factor=config.detector_scale_factor,
        engine=config.detector_engine,
    )
