"""Masks and sunglasses lie where the crop's template has nose, mouth and eyes."""

from __future__ import annotations

import numpy as np
import pytest

from facenet_tf.input_pipeline.occlusion import five_points
from facenet_tf.preprocessing import Preprocessing

from .augmented import COUNT, CROP, SIDE, chosen, even, run

LEFT_EYE, RIGHT_EYE, NOSE, LEFT_MOUTH, RIGHT_MOUTH = np.rint(CROP.template()).astype(int)
LIGHT = 201  # no sunglasses are as bright


def covered(crops: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Whether a landmark, x and y, is hidden; bool [COUNT]."""
    return (crops[:, point[1], point[0]] != LIGHT).any(-1)


def test_masks_cover_nose_and_mouth_and_leave_the_eyes() -> None:
    crops = run(even(LIGHT), mask=1.0)
    for point in (NOSE, LEFT_MOUTH, RIGHT_MOUTH):
        assert covered(crops, point).mean() > 0.98  # a mask may have the grey of the crop
    for point in (LEFT_EYE, RIGHT_EYE):
        assert not covered(crops, point).any()
    assert (crops[:, : SIDE // 3] == LIGHT).all()


def test_masks_differ_in_height_and_colour() -> None:
    crops = run(even(LIGHT), mask=1.0)
    changed = (crops != LIGHT).any(-1)
    assert len(np.unique(changed.any(2).argmax(1))) >= 3
    colours = crops[:, LEFT_MOUTH[1], LEFT_MOUTH[0]]
    assert len(np.unique(colours, axis=0)) > 0.9 * COUNT
    assert all(len(np.unique(crop[own], axis=0)) == 1 for crop, own in zip(crops, changed))


def test_sunglasses_are_a_dark_band_over_the_eyes() -> None:
    crops = run(even(LIGHT), sunglasses=1.0)
    for point in (LEFT_EYE, RIGHT_EYE):
        assert (crops[:, point[1], point[0]] < 64).all()
    for point in (NOSE, LEFT_MOUTH, RIGHT_MOUTH):
        assert not covered(crops, point).any()
    rows = (crops != LIGHT).any((2, 3)).sum(1)
    eyes = RIGHT_EYE[0] - LEFT_EYE[0]
    assert rows.min() >= 0.3 * eyes and rows.max() <= 0.8 * eyes + 2
    assert len(np.unique(rows)) >= 3


@pytest.mark.parametrize("kind", ["mask", "sunglasses"])
def test_as_many_wear_it_as_it_says(kind: str) -> None:
    some = chosen(even(LIGHT), run(even(LIGHT), **{kind: 0.3}))
    assert 0.2 < some.mean() < 0.4


def test_what_is_worn_moves_with_the_face() -> None:
    still, moved = run(even(LIGHT), sunglasses=1.0), run(even(LIGHT), sunglasses=1.0, flip=1.0)
    np.testing.assert_array_equal(moved, still[:, :, ::-1])


@pytest.mark.parametrize("kind", ["mask", "sunglasses"])
def test_grey_crops_take_it_too(kind: str) -> None:
    crops = even(LIGHT)[..., :1]
    changed = run(crops, **{kind: 1.0})
    assert changed.shape == crops.shape
    assert chosen(crops, changed).mean() > 0.98


def test_the_eyes_of_another_alignment_say_where_the_rest_is() -> None:
    points = five_points(Preprocessing(alignment="eyes", size=100))
    np.testing.assert_allclose(points[:2], [[35, 35], [65, 35]], atol=0.2)
    assert points[2, 1] < points[3:, 1].min() and 45 < points[2, 0] < 55
    np.testing.assert_allclose(five_points(CROP), CROP.template(), atol=1e-9)
