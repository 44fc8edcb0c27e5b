"""A second look at pictures in which a detector found nothing.

Tightly cut faces touch the edge of their picture, small ones fall below the smallest size a
detector sees, others lie on their side or in the dark. A border, an enlargement, an equalised
contrast, lower thresholds or a turn bring many of them back. Looking harder also finds faces in
wallpaper, so that what is found here has to look more like a face than what is found at first
sight.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from facenet_tf.detection import views
from facenet_tf.detection.face import Detector, Face
from facenet_tf.detection.views import ViewKind, make_view
from facenet_tf.preprocessing import landmark_rmse


@dataclasses.dataclass(frozen=True)
class Rung:
    """One way to look again."""

    name: str
    view: ViewKind
    relaxed: bool = False
    """Whether the detector's thresholds are lowered."""
    min_confidence: float = 0.95
    """Of a face that is accepted."""


_EDGE, _MIRROR, _PLAIN = cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT_101, cv2.BORDER_CONSTANT

# Longer sides that are shown on most rungs: a face that counts has 60 pixels there.
_SMALL = 240

# What finds most goes first. Quarter turns come before the rungs that ask for less, which find
# upright faces in lying ones.
LADDER = (
    Rung("border", ViewKind(1, 0.25, _EDGE)),
    Rung("border_plain", ViewKind(1, 0.5, _PLAIN)),
    Rung("enlarged", ViewKind(2, 0.25, _EDGE, _SMALL)),
    Rung("equalised", ViewKind(4, 0.25, _PLAIN, _SMALL, equalised=True)),
    Rung("enlarged_mirror", ViewKind(3, 0.25, _MIRROR, _SMALL)),
    Rung("quarter_turn_right", ViewKind(4, 0.25, _PLAIN, _SMALL, angle=90), False, 0.99),
    Rung("quarter_turn_left", ViewKind(4, 0.25, _PLAIN, _SMALL, angle=-90), False, 0.99),
    Rung("enlarged_most", ViewKind(8, 0.25, _EDGE, _SMALL), False, 0.9),
    Rung("relaxed", ViewKind(4, 0.25, _PLAIN, _SMALL), True, 0.9),
    Rung("relaxed_equalised", ViewKind(4, 0.25, _PLAIN, _SMALL, equalised=True), True, 0.9),
    Rung("turned_right", ViewKind(4, 0.1, _PLAIN, _SMALL, angle=30), True),
    Rung("turned_left", ViewKind(4, 0.1, _PLAIN, _SMALL, angle=-30), True),
)

# What a face found on the ladder must have, besides the rung's confidence.
MAX_RMSE = 8.0
MIN_SHARE = 0.25


def describe(detector: Detector) -> dict[str, Any]:
    """All that decides what a second look finds, for a manifest."""
    return {
        "ladder": [dataclasses.asdict(rung) for rung in LADDER],
        "equalisation": {"clip": views.CLIP, "tiles": views.TILES},
        "relaxed": detector.relaxed().describe(),
        "max_rmse": MAX_RMSE,
        "min_share": MIN_SHARE,
    }


@dataclasses.dataclass(frozen=True, eq=False)
class Found:
    """Faces in the coordinates of the picture, and the rung that found them: "" at first sight."""

    faces: list[Face]
    rung: str = ""


def search(detector: Detector, images: Sequence[np.ndarray]) -> list[Found]:
    """The faces of every picture (uint8 [H, W, 3], RGB), where there is none at first sight those
    of a second look."""
    found = [Found(faces) for faces in detector.detect(images)]
    missed = [number for number, result in enumerate(found) if not result.faces]
    again = recover(detector, [images[number] for number in missed])
    for number, result in zip(missed, again, strict=True):
        found[number] = result or found[number]
    return found


def recover(detector: Detector, images: Sequence[np.ndarray]) -> list[Found | None]:
    """Look again at pictures (uint8 [H, W, 3], RGB) in which the detector found nothing.

    The rungs of `LADDER` are tried in turn, each on all pictures that are still without a face. A
    face counts if it `is_plausible`.

    Returns for every picture what the first successful rung gave, or None.
    """
    results: list[Found | None] = [None] * len(images)
    relaxed = detector.relaxed()
    for rung in LADDER:
        left = [number for number, result in enumerate(results) if result is None]
        shown = [make_view(images[number], rung.view) for number in left]
        looking = relaxed if rung.relaxed else detector
        found = looking.detect([view.pixels for view in shown]) if shown else []
        for number, view, faces in zip(left, shown, found, strict=True):
            own = [face.mapped(view.back) for face in faces]
            good = [face for face in own if is_plausible(face, images[number].shape, rung)]
            if good:
                results[number] = Found(good, rung.name)
    return results


def is_plausible(face: Face, image_shape: Sequence[int], rung: Rung) -> bool:
    """Whether a face found on a rung is accepted.

    Its confidence is at least the rung's, its landmarks are within `MAX_RMSE` of a frontal face
    (see `landmark_rmse`), its box spans `MIN_SHARE` of the picture's shorter side and its centre
    lies in the picture.

    Args:
        face: in the coordinates of the picture.
        image_shape: [H, W, ...] of the picture.
        rung: what found it.
    """
    height, width = image_shape[:2]
    left, top, box_width, box_height = face.box
    inside = 0 <= left + box_width / 2 < width and 0 <= top + box_height / 2 < height
    large = min(box_width, box_height) >= MIN_SHARE * min(height, width)
    sure = face.confidence >= rung.min_confidence
    return inside and large and sure and _is_frontal(face.landmarks)


def _is_frontal(landmarks: np.ndarray) -> bool:
    try:
        return landmark_rmse(landmarks) <= MAX_RMSE
    except ValueError:  # landmarks that coincide or are not finite
        return False
