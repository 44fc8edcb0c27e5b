"""What a detector finds, and what a detector is."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from facenet_tf.errors import InputError


@dataclasses.dataclass(frozen=True, eq=False)
class Face:
    """One face in a picture; coordinates in pixels, (0, 0) is the centre of the first pixel."""

    box: tuple[float, float, float, float]
    """Left, top, width, height."""
    confidence: float
    """0...1, by the detector's own measure."""
    landmarks: np.ndarray
    """float64 [5, 2]: left eye, right eye, nose, left and right mouth corner as seen in the
    picture."""

    def mapped(self, scale: float, shift: tuple[float, float]) -> "Face":
        """The same face after x' = scale * x + shift, for pictures that were enlarged or given a
        border."""
        left, top, width, height = self.box
        box = (scale * left + shift[0], scale * top + shift[1], scale * width, scale * height)
        return Face(box, self.confidence, self.landmarks * scale + np.asarray(shift))


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
