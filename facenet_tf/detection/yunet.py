"""YuNet, through OpenCV: a small face detector (Wu et al. 2023) whose ONNX file the user gives."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facenet_tf.detection.face import Face, as_rgb, check_options, lowered
from facenet_tf.errors import InputError

# Of what the network sees in OpenCV's sample: candidates before suppression, and their overlap.
_TOP, _OVERLAP = 5000, 0.3


class YuNetDetector:
    """Detect faces with five landmarks by `cv2.FaceDetectorYN`.

    Args:
        model: the ONNX file, for instance face_detection_yunet_2023mar.onnx of OpenCV's model zoo.
        min_face_size: smaller faces are left out, in pixels; YuNet sees faces of some 10 pixels and
            more.
        threshold: smallest score of a face, 0...1.

    Raises InputError if an argument is out of range, the file is missing or no such model, or if
    this OpenCV lacks the class.
    """

    name = "yunet"

    def __init__(self, model: Path, min_face_size: float = 20, threshold: float = 0.9) -> None:
        if not hasattr(cv2, "FaceDetectorYN"):
            raise InputError(
                "this OpenCV has no FaceDetectorYN: pip install -U opencv-python-headless"
            )
        if not model.is_file():
            raise InputError(
                f"YuNet's model {model} is missing: download face_detection_yunet_2023mar.onnx from"
                " OpenCV's model zoo"
            )
        check_options(min_face_size, threshold)
        self.min_face_size = min_face_size
        self.threshold = threshold
        self._digest = hashlib.sha256(model.read_bytes()).hexdigest()[:16]
        try:
            self._network = cv2.FaceDetectorYN.create(
                str(model), "", (320, 320), threshold, _OVERLAP, _TOP
            )
        except cv2.error as error:
            raise InputError(f"{model} is no model that OpenCV can read: {error.err}") from error

    def describe(self) -> dict[str, Any]:
        """All that decides what is found."""
        return {
            "name": self.name,
            "engine": {"name": "opencv", "version": cv2.__version__},
            "min_face_size": self.min_face_size,
            "threshold": self.threshold,
            "weights": self._digest,
        }

    def detect(self, images: Sequence[np.ndarray]) -> list[list[Face]]:
        """The faces of every picture (uint8 [H, W, 3] RGB, or [H, W] grey), most confident first.

        Raises ValueError for other arrays.
        """
        return [self._detect(as_rgb(image)) for image in images]

    def relaxed(self) -> YuNetDetector:
        """The same with a lowered threshold, on the same network."""
        other = copy.copy(self)
        other.threshold = lowered(self.threshold)
        return other

    def _detect(self, picture: np.ndarray) -> list[Face]:
        height, width = picture.shape[:2]
        self._network.setScoreThreshold(self.threshold)  # a relaxed twin may have set its own
        self._network.setInputSize((width, height))
        _, rows = self._network.detect(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        found = faces_of_rows(rows)
        return [face for face in found if min(face.box[2:]) >= self.min_face_size]


def faces_of_rows(rows: np.ndarray | None) -> list[Face]:
    """What `cv2.FaceDetectorYN.detect` gives, float32 [N, 15] or None, as faces.

    The columns: left, top, width, height; x and y of the right eye, left eye, nose, right and left
    mouth corner of the person; score. The person's right is the picture's left, so that the order
    is ours.
    """
    if rows is None:
        return []
    best = rows[np.argsort(-rows[:, 14], kind="stable")].astype(np.float64)
    return [
        Face((row[0], row[1], row[2], row[3]), row[14], np.array(row[4:14]).reshape(5, 2))
        for row in best.tolist()
    ]
