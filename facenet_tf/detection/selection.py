"""Which of several faces a picture stands for."""

from collections.abc import Callable, Sequence
from typing import Literal, get_args

import numpy as np

from facenet_tf.detection.face import Face

SelectionRule = Literal["largest_central", "most_confident", "nearest_centre", "refuse"]


class SeveralFaces(Exception):
    """The rule is "refuse" and the picture shows more than one face."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} faces in one picture")
        self.count = count


def select_face(
    faces: Sequence[Face], image_shape: Sequence[int], rule: SelectionRule
) -> Face | None:
    """Choose one face of a picture.

    Args:
        faces: what a detector found.
        image_shape: [H, W, ...] of the picture in pixels.
        rule: "largest_central": largest area minus twice the squared distance of the box centre
            from the picture's centre, in pixels (the rule of FaceNet's common alignment script);
            "most_confident"; "nearest_centre"; "refuse": only a picture with a single face will do.

    Returns the face, or None if there is none. Of equals the first wins.
    Raises SeveralFaces under "refuse", ValueError for an unknown rule.
    """
    if rule not in get_args(SelectionRule):
        raise ValueError(f"rule {rule!r}: choose one of {', '.join(get_args(SelectionRule))}")
    if len(faces) > 1 and rule == "refuse":
        raise SeveralFaces(len(faces))
    if not faces:
        return None
    score = _SCORES.get(rule, _confidence)
    return max(faces, key=lambda face: score(face, image_shape))


def _squared_distance(face: Face, shape: Sequence[int]) -> float:
    left, top, width, height = face.box
    centre = np.array([left + width / 2, top + height / 2])
    return float(((centre - [(shape[1] - 1) / 2, (shape[0] - 1) / 2]) ** 2).sum())


def _largest_central(face: Face, shape: Sequence[int]) -> float:
    return face.box[2] * face.box[3] - 2 * _squared_distance(face, shape)


def _nearest_centre(face: Face, shape: Sequence[int]) -> float:
    return -_squared_distance(face, shape)


def _confidence(face: Face, shape: Sequence[int]) -> float:
    return face.confidence


_SCORES: dict[str, Callable[[Face, Sequence[int]], float]] = {
    "largest_central": _largest_central,
    "most_confident": _confidence,
    "nearest_centre": _nearest_centre,
}
