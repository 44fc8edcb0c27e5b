"""A second look at pictures in which a detector found nothing.

Tightly cut faces touch the edge of their picture and small ones fall below the smallest size a
detector sees. A border and an enlargement bring many of them back. Looking harder also finds faces
in wallpaper, so that what is found here has to look more like a face than what is found at first
sight.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from facenet_tf.detection.face import Detector, Face
from facenet_tf.preprocessing import landmark_rmse


@dataclasses.dataclass(frozen=True)
class Rung:
    """One way to show a picture again."""

    name: str
    enlargement: float
    """Factor, limited so that the longer side stays within `LONGEST_SIDE`: larger pictures are
    reduced to it."""
    border: float
    """Width of the border on every side, at most 0.5, as a fraction of the longer side of the
    picture (of a strip, of twice its shorter side)."""
    fill: int
    """cv2.BORDER_REPLICATE, BORDER_REFLECT_101, or BORDER_CONSTANT for the picture's mean
    colour."""


LADDER = (
    Rung("border", 1, 0.25, cv2.BORDER_REPLICATE),
    Rung("border_plain", 1, 0.5, cv2.BORDER_CONSTANT),
    Rung("enlarged", 2, 0.25, cv2.BORDER_REPLICATE),
    Rung("enlarged_mirror", 3, 0.25, cv2.BORDER_REFLECT_101),
)
LONGEST_SIDE = 640
"""In pixels, without the border: with it, no view has more than twice this side."""

# What a face found on the ladder must have.
MIN_CONFIDENCE = 0.95
MAX_RMSE = 8.0
MIN_SHARE = 0.25


def describe() -> dict[str, Any]:
    """All that decides what a second look finds, for a manifest."""
    return {
        "ladder": [dataclasses.asdict(rung) for rung in LADDER],
        "longest_side": LONGEST_SIDE,
        "min_confidence": MIN_CONFIDENCE,
        "max_rmse": MAX_RMSE,
        "min_share": MIN_SHARE,
    }


@dataclasses.dataclass(frozen=True, eq=False)
class Recovered:
    """Faces found on a rung, in the coordinates of the picture."""

    faces: list[Face]
    rung: str


def recover(detector: Detector, images: Sequence[np.ndarray]) -> list[Recovered | None]:
    """Look again at pictures (uint8 [H, W, 3], RGB) in which the detector found nothing.

    The rungs of `LADDER` are tried in turn, each on all pictures that are still without a face. A
    face counts if its confidence is at least `MIN_CONFIDENCE`, its landmarks are within `MAX_RMSE`
    of a frontal face (see `landmark_rmse`), its box spans `MIN_SHARE` of the picture's shorter side
    and its centre lies in the picture.

    Returns for every picture what the first successful rung gave, or None.
    """
    results: list[Recovered | None] = [None] * len(images)
    for rung in LADDER:
        left = [number for number, result in enumerate(results) if result is None]
        views = [_view(images[number], rung) for number in left]
        found = detector.detect([view.pixels for view in views]) if views else []
        for number, view, faces in zip(left, views, found, strict=True):
            own = [face.mapped(view.scale, view.shift) for face in faces]
            good = [face for face in own if is_plausible(face, images[number].shape)]
            if good:
                results[number] = Recovered(good, rung.name)
    return results


def is_plausible(face: Face, image_shape: Sequence[int]) -> bool:
    """Whether a face found on the ladder is accepted; `image_shape` is [H, W, ...] of the picture
    itself."""
    height, width = image_shape[:2]
    left, top, box_width, box_height = face.box
    inside = 0 <= left + box_width / 2 < width and 0 <= top + box_height / 2 < height
    large = min(box_width, box_height) >= MIN_SHARE * min(height, width)
    return inside and large and face.confidence >= MIN_CONFIDENCE and _is_frontal(face.landmarks)


def _is_frontal(landmarks: np.ndarray) -> bool:
    try:
        return landmark_rmse(landmarks) <= MAX_RMSE
    except ValueError:  # landmarks that coincide or are not finite
        return False


@dataclasses.dataclass(frozen=True, eq=False)
class _View:
    pixels: np.ndarray
    scale: float
    shift: tuple[float, float]


def _view(image: np.ndarray, rung: Rung) -> _View:
    height, width = image.shape[:2]
    factor = min(rung.enlargement, LONGEST_SIDE / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    resampling = cv2.INTER_LINEAR if factor > 1 else cv2.INTER_AREA
    resized = cv2.resize(image, size, interpolation=resampling) if factor != 1 else image
    border = round(rung.border * min(max(size), 2 * min(size)))
    mean = [float(value) for value in image.mean((0, 1))]
    pixels = cv2.copyMakeBorder(resized, border, border, border, border, rung.fill, value=mean)
    shift = 0.5 / factor - 0.5 - border / factor
    return _View(pixels, 1 / factor, (shift, shift))
