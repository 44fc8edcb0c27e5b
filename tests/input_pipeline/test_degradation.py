"""Blur, fewer pixels and JPEG lose detail, as much as they say, of as many crops as they say."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from facenet_tf.input_pipeline.degradation import QUALITIES

from .augmented import COUNT, SIDE, chosen, even, luma, run

KINDS = ["blur", "motion_blur", "low_resolution", "jpeg"]


@pytest.fixture(scope="module")
def fine() -> np.ndarray:
    """COUNT times the same random pixels, which every loss of detail changes."""
    crop = np.random.default_rng(5).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    return np.repeat(crop[None], COUNT, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_as_many_crops_as_it_says(fine: np.ndarray, kind: str) -> None:
    some = chosen(fine, run(fine, **{kind: 0.3}))
    assert 0.15 < some.mean() < 0.42
    np.testing.assert_array_equal(some & chosen(fine, run(fine, **{kind: 0.8})), some)


@pytest.mark.parametrize("kind", ["blur", "motion_blur", "low_resolution"])
def test_detail_is_lost_and_light_is_kept(fine: np.ndarray, kind: str) -> None:
    changed = run(fine, **{kind: 1.0})
    assert (luma(changed).std((1, 2)) <= luma(fine).std((1, 2)) + 0.5).all()
    assert luma(changed).std((1, 2)).min() < 0.5 * luma(fine[:1]).std()
    np.testing.assert_allclose(luma(changed).mean((1, 2)), luma(fine).mean((1, 2)), atol=3.0)
    assert len({crop.tobytes() for crop in changed}) > COUNT / 8  # a strength for each


@pytest.mark.parametrize("kind", KINDS)
def test_an_even_crop_has_no_detail_to_lose(kind: str) -> None:
    limit = 8 if kind == "jpeg" else 1  # a poor JPEG rounds the mean of a block too
    assert np.abs(run(even(90), **{kind: 1.0}).astype(int) - 90).max() <= limit


def test_blur_spreads_a_point_by_up_to_two_of_112_pixels() -> None:
    points = even(0)
    points[:, 20, 20] = 255
    spread = run(points, blur=1.0).astype(float)[..., 0]
    assert spread[:, 20, 20].max() == 255  # hardly at all
    widest = 2.0 * SIDE / 112
    peak = 255 / (2 * np.pi * widest**2)
    assert peak * 0.85 < spread[:, 20, 20].min()


def test_motion_blur_draws_a_line_in_any_direction() -> None:
    points = even(0)
    points[:, 20, 20] = 255
    lines = run(points, motion_blur=1.0)[..., 0]
    rows, columns = (lines > 0).any(2).sum(1), (lines > 0).any(1).sum(1)
    longest = np.maximum(rows, columns)
    assert longest.max() <= 14 * SIDE / 112 + 2 and longest.min() >= 1
    assert (rows > columns).any() and (columns > rows).any()
    assert ((lines > 0).sum((1, 2)) <= 2 * longest).all()  # thin
    for line in lines:
        np.testing.assert_allclose(np.argwhere(line).mean(0), [20, 20], atol=0.51)


def test_low_resolution_leaves_a_fifth_of_the_side_at_least() -> None:
    stripes = even(0)
    stripes[:, :, ::2] = 255
    contrast = run(stripes, low_resolution=1.0)[:, SIDE // 2, :, 0].astype(int)
    assert (np.ptp(contrast, axis=1) < 60).mean() > 0.4
    halves = even(0)
    halves[:, :, SIDE // 2 :] = 255
    changed = run(halves, low_resolution=1.0)[..., 0].astype(int)
    assert (changed[:, :, : SIDE // 2 - 5] == 0).all()  # a pixel of 8x8 is 5 wide
    assert (changed[:, :, SIDE // 2 + 5 :] == 255).all()


def test_jpeg_is_that_of_opencv_at_some_quality(fine: np.ndarray) -> None:
    smooth = np.repeat(cv2.GaussianBlur(fine[0], (0, 0), 2)[None], COUNT, 0)
    known = set()
    for quality in range(QUALITIES[0], QUALITIES[1] + 1):
        options = [cv2.IMWRITE_JPEG_QUALITY, quality]
        encoded = cv2.imencode(".jpg", smooth[0][..., ::-1], options)[1]
        known.add(cv2.imdecode(encoded, cv2.IMREAD_COLOR)[..., ::-1].tobytes())
    changed = {crop.tobytes() for crop in run(smooth, jpeg=1.0)}
    assert changed <= known
    assert len(changed) > 0.6 * len(known)


@pytest.mark.parametrize("kind", KINDS)
def test_grey_crops_stay_grey_crops(fine: np.ndarray, kind: str) -> None:
    grey = fine[..., :1]
    changed = run(grey, **{kind: 1.0})
    assert changed.shape == grey.shape
    if kind != "jpeg":
        three = run(grey.repeat(3, -1), **{kind: 1.0})
        assert np.abs(three.astype(int) - changed).max() <= 1
