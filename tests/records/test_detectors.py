"""From a config to its detector."""

import sys
from pathlib import Path

import pytest

from facenet_tf.detection import retinaface, yunet
from facenet_tf.errors import InputError
from facenet_tf.records.config import BuildConfig
from facenet_tf.records.detectors import detector_of


def test_mtcnn_by_default():
    about = detector_of(BuildConfig()).describe()
    assert (about["name"], about["engine"]["name"], about["min_face_size"]) == (
        "mtcnn",
        "litert",
        20,
    )


def test_every_option_reaches_mtcnn():
    config = BuildConfig(
        detector_min_face=33.5, detector_thresholds=(0.5, 0.6, 0.7), detector_scale_factor=0.8
    )
    about = detector_of(config).describe()
    assert about["min_face_size"] == 33.5 and about["scale_factor"] == 0.8
    assert about["thresholds"] == [0.5, 0.6, 0.7]


def test_the_engine_is_described():
    pytest.importorskip("onnxruntime")
    about = detector_of(BuildConfig(detector_engine="onnx")).describe()
    assert about["engine"]["name"] == "onnx"


def test_others(monkeypatch):
    monkeypatch.setattr(yunet, "YuNetDetector", lambda model, side: ("yunet", model, side))
    monkeypatch.setattr(retinaface, "RetinaFaceDetector", lambda side: ("retinaface", side))
    by_yunet = BuildConfig(detector="yunet", detector_model=Path("a.onnx"), detector_min_face=30)
    assert detector_of(by_yunet) == ("yunet", Path("a.onnx"), 30)
    assert detector_of(BuildConfig(detector="retinaface")) == ("retinaface", 20)


def test_missing_model_and_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "retinaface", None)
    with pytest.raises(InputError, match="is missing"):
        detector_of(BuildConfig(detector="yunet", detector_model=tmp_path / "no.onnx"))
    with pytest.raises(InputError, match="pip install"):
        detector_of(BuildConfig(detector="retinaface"))
