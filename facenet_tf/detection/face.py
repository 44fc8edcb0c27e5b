"""What a detector finds, and what a detector is."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from facenet_tf.errors import InputError

_RELAXATION = 0.7


@dataclasses.dataclass(frozen=True, eq=False)
class Face:
    """One face in a picture; coordinates in pixels, (0, 0) is the centre of the first pixel."""

    box: tuple[float, float, float, float]
    """Left, top, width, height."""
    confidence: float
    """0...1, by the detector's own measure."""
    landmarks: np.ndarray
    """float64 [5, 2]: left eye, right eye, nose, left and right mouth corner as seen where the face
    is upright."""

    def mapped(self, matrix: np.ndarray) -> "Face":
        """The same face in a picture that was turned, resized and shifted.

        Args:
            matrix: [2, 3], from the coordinates of this picture to those of the other.

        The box stays upright: its centre goes along, its sides grow with the picture, and they
        change places where the turn is closer to a quarter than to none or a half.
        """
        left, top, width, height = self.box
        x, y = matrix @ (left + width / 2, top + height / 2, 1)
        scale = math.sqrt(abs(np.linalg.det(matrix[:, :2])))
        if abs(matrix[0, 1]) > abs(matrix[0, 0]):
            width, height = height, width
        width, height = scale * width, scale * height
        box = (float(x - width / 2), float(y - height / 2), width, height)
        return Face(box, self.confidence, self.landmarks @ matrix[:, :2].T + matrix[:, 2])


class Detector(Protocol):
    """Finds faces; any object with these members will do."""

    name: str

    def describe(self) -> dict[str, Any]:
        """All that decides what is found, as plain values: it becomes part of a dataset's
        fingerprint."""
        ...

    def detect(self, images: Sequence[np.ndarray]) -> list[list[Face]]:
        """The faces of every picture (uint8 [H, W, 3], RGB), most confident first, one list per
        picture."""
        ...

    def relaxed(self) -> "Detector":
        """The same detector, sharing its engine, with thresholds `lowered`: it finds more faces,
        false ones among them. Its description shows these thresholds."""
        ...


def as_rgb(image: np.ndarray) -> np.ndarray:
    """A picture [H, W, 3] or grey [H, W] or [H, W, 1], uint8, as [H, W, 3].

    Raises ValueError for other arrays.
    """
    grey = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 1)
    color = image.ndim == 3 and image.shape[2] == 3
    if image.dtype != np.uint8 or not (grey or color) or not image.size:
        raise ValueError(
            f"need a picture uint8 [H, W, 3] or [H, W], got {image.dtype} {list(image.shape)}"
        )
    return np.repeat(image.reshape(*image.shape[:2], 1), 3, 2) if grey else image


def check_options(min_face_size: float, threshold: float) -> None:
    """Raise InputError unless a face has a size in pixels and a threshold is from 0 to 1."""
    if not 0 < min_face_size < math.inf:
        raise InputError(f"min_face_size={min_face_size}: give pixels above 0")
    if not 0 <= threshold <= 1:
        raise InputError(f"threshold={threshold}: give a number from 0 to 1")


def lowered(threshold: float) -> float:
    """The threshold of a `relaxed` detector in place of this one."""
    return round(_RELAXATION * threshold, 6)
