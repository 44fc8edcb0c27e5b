"""RetinaFace (Deng et al. 2020), through the package `retina-face` (extra `retinaface`)."""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facenet_tf.detection.face import Face, as_rgb, check_options, lowered
from facenet_tf.errors import InputError

# In the order of our landmarks: the person's right is the picture's left.
_LANDMARKS = ("right_eye", "left_eye", "nose", "mouth_right", "mouth_left")


class RetinaFaceDetector:
    """Detect faces with five landmarks by `retinaface.RetinaFace`.

    The package takes its weights from the user's ~/.deepface/weights, or downloads them there.

    Args:
        min_face_size: smaller faces are left out, in pixels.
        threshold: smallest score of a face, 0...1.

    Raises InputError if an argument is out of range, or the package or its weights are missing.
    """

    name = "retinaface"

    def __init__(self, min_face_size: float = 20, threshold: float = 0.9) -> None:
        check_options(min_face_size, threshold)
        self.min_face_size = min_face_size
        self.threshold = threshold
        try:
            self._version = version("retina-face")
            from retinaface import RetinaFace

            self._network = RetinaFace.build_model()  # downloads the weights
        except (PackageNotFoundError, ImportError) as error:
            raise InputError(
                "the detector retinaface needs the package retina-face: pip install"
                f" 'facenet-tf[retinaface]' ({error})"
            ) from error
        except ValueError as error:  # no weights, or no tf-keras beside Keras 3
            raise InputError(f"retina-face is not ready: {error}") from error
        self._package = RetinaFace
        self._weights = _weights_digests()

    def describe(self) -> dict[str, Any]:
        """All that decides what is found. The weights are those that the package keeps, by file:
        the name tells the backend; none are named if it keeps them elsewhere."""
        return {
            "name": self.name,
            "engine": {"name": "retina-face", "version": self._version},
            "min_face_size": self.min_face_size,
            "threshold": self.threshold,
            "weights": self._weights,
        }

    def detect(self, images: Sequence[np.ndarray]) -> list[list[Face]]:
        """The faces of every picture (uint8 [H, W, 3] RGB, or [H, W] grey), most confident first.

        Raises ValueError for other arrays.
        """
        return [self._detect(as_rgb(image)) for image in images]

    def relaxed(self) -> RetinaFaceDetector:
        """The same with a lowered threshold, on the same network."""
        other = copy.copy(self)
        other.threshold = lowered(self.threshold)
        return other

    def _detect(self, picture: np.ndarray) -> list[Face]:
        found = self._package.detect_faces(
            cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), threshold=self.threshold, model=self._network
        )
        faces = faces_of_answer(found)
        return [face for face in faces if min(face.box[2:]) >= self.min_face_size]


def _weights_digests() -> dict[str, str]:
    """16 hex digits for each file with weights, by name (retinaface.h5 for TensorFlow)."""
    # The package's own variable, so that these are the files that it takes.
    home = Path(os.environ.get("DEEPFACE_HOME", Path.home()))
    files = sorted((home / ".deepface" / "weights").glob("retinaface.*"))
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest()[:16] for file in files}


def faces_of_answer(answer: dict[str, Any]) -> list[Face]:
    """What `RetinaFace.detect_faces` gives as faces, most confident first.

    The answer has an entry per face: `score`, `facial_area` (left, top, right, bottom in whole
    pixels) and `landmarks` (x, y of right_eye, left_eye, nose, mouth_right and mouth_left, by the
    person's own sides).
    """
    faces = []
    for entry in answer.values():
        left, top, right, bottom = map(float, entry["facial_area"])
        points = np.array([entry["landmarks"][name] for name in _LANDMARKS], np.float64)
        box = (left, top, right - left, bottom - top)
        faces.append(Face(box, float(entry["score"]), points))
    return sorted(faces, key=lambda face: -face.confidence)
