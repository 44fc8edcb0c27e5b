"""Light and colour change as far as they say, and nothing else does."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest

from .augmented import COUNT, SIDE, STRENGTHS, luma, run, spread_over

# What has no colour or noise of its own.
SHARED = set(STRENGTHS) - {"mask", "rectangle", "erasing", "jpeg"}


def test_brightness_adds_the_same_everywhere(pictures: np.ndarray) -> None:
    added = run(pictures, brightness=0.2).astype(int) - pictures
    assert (added.max((1, 2, 3)) - added.min((1, 2, 3)) == 0).all()
    assert spread_over(added[:, 0, 0, 0], 0.2 * 255)


def test_contrast_scales_about_the_mean(pictures: np.ndarray) -> None:
    changed = run(pictures, contrast=0.3).astype(float)
    mean = luma(pictures).mean((1, 2))[:, None, None, None]
    np.testing.assert_allclose(luma(changed).mean((1, 2)), mean[:, 0, 0, 0], atol=0.1)
    factor = ((changed - mean) * (pictures - mean)).sum((1, 2, 3)) / ((pictures - mean) ** 2).sum(
        (1, 2, 3)
    )
    expected = mean + factor[:, None, None, None] * (pictures - mean)
    np.testing.assert_allclose(changed, expected, atol=1.0)
    assert spread_over(factor - 1.0, 0.3)


def test_saturation_scales_the_distance_to_grey(pictures: np.ndarray) -> None:
    changed = run(pictures, saturation=0.5).astype(float)
    np.testing.assert_allclose(luma(changed), luma(pictures), atol=0.8)
    chroma = pictures - luma(pictures)[..., None]
    factor = ((changed - luma(changed)[..., None]) * chroma).sum((1, 2, 3)) / (chroma**2).sum(
        (1, 2, 3)
    )
    assert spread_over(factor - 1.0, 0.5)


def test_grey_takes_the_colour_of_as_many_as_it_says(pictures: np.ndarray) -> None:
    everyone = run(pictures, grey=1.0)
    np.testing.assert_allclose(everyone, luma(pictures)[..., None].repeat(3, -1), atol=0.7)
    some = run(pictures, grey=0.25)
    grey = (some == everyone).all((1, 2, 3))
    np.testing.assert_array_equal(some[~grey], pictures[~grey])
    assert 0.15 < grey.mean() < 0.35


def test_results_clip_instead_of_wrapping_round() -> None:
    pictures = np.full((COUNT, SIDE, SIDE, 3), 250, np.uint8)
    pictures[:, : SIDE // 2] = 5
    changed = run(pictures, brightness=0.5).astype(int)
    assert set(np.unique(changed)) >= {0, 255}
    assert (changed[:, 0] <= changed[:, -1]).all()


@pytest.mark.parametrize("strength", ["saturation", "grey"])
def test_colour_changes_do_nothing_to_one_channel(pictures: np.ndarray, strength: str) -> None:
    grey = pictures[..., :1]
    np.testing.assert_array_equal(run(grey, **{strength: 0.9}), grey)


def test_one_channel_is_treated_as_three_equal_ones(pictures: np.ndarray) -> None:
    options = dict.fromkeys(SHARED, 0.2) | {"rotation": 10.0}
    grey = pictures[..., :1]
    three = run(grey.repeat(3, -1), **options).astype(int)
    assert np.abs(three - run(grey, **options)).max() <= 2


def test_hue_turns_colours_about_grey_and_keeps_their_light() -> None:
    crops = np.full((COUNT, SIDE, SIDE, 3), (150, 120, 110), np.uint8)
    changed = run(crops, hue=40.0).astype(float)
    np.testing.assert_allclose(luma(changed), luma(crops), atol=1.0)
    grey = run(np.full_like(crops, 77), hue=40.0)
    assert np.abs(grey.astype(int) - 77).max() <= 1
    hues = np.array([colorsys.rgb_to_yiq(*(pixel / 255)) for pixel in changed[:, 0, 0]])
    start = colorsys.rgb_to_yiq(150 / 255, 120 / 255, 110 / 255)
    turned = np.degrees(np.arctan2(hues[:, 2], hues[:, 1]) - np.arctan2(start[2], start[1]))
    assert np.abs(turned).max() < 42.0
    assert turned.min() < -34.0 and turned.max() > 34.0


def test_gamma_is_a_power_between_two_limits() -> None:
    ramp = np.arange(SIDE, dtype=np.uint8) * 6 + 10
    crops = np.broadcast_to(ramp[:, None], (COUNT, SIDE, SIDE, 3)).copy()
    changed = run(crops, gamma=0.5).astype(float)[:, 0, :, 0]
    exponents = np.log(changed[:, 20] / 255) / np.log(ramp[20] / 255)
    assert 1 / 1.5 - 0.02 < exponents.min() < 0.72
    assert 1.5 + 0.02 > exponents.max() > 1.4
    expected = 255 * (ramp / 255) ** exponents[:, None]
    np.testing.assert_allclose(changed, expected, atol=1.6)


def test_gamma_leaves_black_and_white() -> None:
    crops = np.zeros((COUNT, SIDE, SIDE, 3), np.uint8)
    crops[:, ::2] = 255
    np.testing.assert_array_equal(run(crops, gamma=0.9), crops)
