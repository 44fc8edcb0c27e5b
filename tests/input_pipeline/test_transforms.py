"""Each strength changes what it says, as far as it says, and nothing else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.input_pipeline.augment import Augmentation
from facenet_tf.input_pipeline.transforms import augment

NOTHING = {
    "flip": 0.0,
    "rotation": 0.0,
    "scale": 0.0,
    "translation": 0.0,
    "brightness": 0.0,
    "contrast": 0.0,
    "saturation": 0.0,
    "grey": 0.0,
    "cutout": 0.0,
}
SIDE = 40
COUNT = 200


def run(images: np.ndarray, seed: int = 1, step: int = 2, **strengths: float) -> np.ndarray:
    return augment(tf.constant(images), Augmentation(**(NOTHING | strengths)), seed, step).numpy()


def luma(images: np.ndarray) -> np.ndarray:
    return images @ np.array([0.299, 0.587, 0.114])


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """Random pixels uint8 [COUNT, SIDE, SIDE, 3] well inside the range, so that nothing clips."""
    return np.random.default_rng(0).integers(90, 166, (COUNT, SIDE, SIDE, 3), np.uint8)


def blobs(x: float, y: float) -> np.ndarray:
    """COUNT pictures of a bright spot at (x, y) on black."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    spot = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8)
    return np.repeat(np.round(spot).astype(np.uint8)[None, :, :, None], COUNT, 0).repeat(3, -1)


def centroids(images: np.ndarray) -> np.ndarray:
    """Centres of mass float64 [COUNT, 2] relative to the picture's centre."""
    weights = images[..., 0].astype(float)
    along = np.arange(SIDE) - (SIDE - 1) / 2
    mass = weights.sum((1, 2))
    return np.stack([weights.sum(1) @ along / mass, weights.sum(2) @ along / mass], 1)


def spread_over(values: np.ndarray, limit: float) -> bool:
    """Whether values lie in ±limit, on both sides and up to near the limits."""
    inside = np.abs(values).max() <= limit * 1.03
    return bool(inside and values.min() < -0.9 * limit and values.max() > 0.9 * limit)


def test_off_leaves_the_crops_alone(pictures: np.ndarray) -> None:
    strong = Augmentation(False, 1.0, 20.0, 0.5, 0.5, 0.5, 0.5, 0.5, 1.0, 0.5)
    np.testing.assert_array_equal(augment(tf.constant(pictures), strong, 0, 0), pictures)


def test_no_strength_leaves_the_crops_alone(pictures: np.ndarray) -> None:
    np.testing.assert_array_equal(run(pictures), pictures)


def test_flip_mirrors_as_many_as_it_says(pictures: np.ndarray) -> None:
    np.testing.assert_array_equal(run(pictures, flip=1.0), pictures[:, :, ::-1])
    some = run(pictures, flip=0.3)
    flipped = (some == pictures[:, :, ::-1]).all((1, 2, 3))
    np.testing.assert_array_equal(some[~flipped], pictures[~flipped])
    assert 0.2 < flipped.mean() < 0.4


def test_flip_is_the_same_mirror_inside_the_warp(pictures: np.ndarray) -> None:
    alone = run(pictures, flip=0.5)
    with_warp = run(pictures, flip=0.5, translation=1e-7)
    np.testing.assert_array_equal(with_warp, alone)


def test_rotation_turns_about_the_centre() -> None:
    moved = centroids(run(blobs(30.5, 19.5), rotation=12.0))
    np.testing.assert_allclose(np.hypot(*moved.T), 11.0, atol=0.1)
    assert spread_over(np.degrees(np.arctan2(moved[:, 1], moved[:, 0])), 12.0)


def test_scale_changes_the_size_about_the_centre() -> None:
    moved = centroids(run(blobs(27.5, 25.5), scale=0.2))
    np.testing.assert_allclose(moved[:, 1] / moved[:, 0], 6 / 8, atol=0.02)
    assert spread_over(np.hypot(*moved.T) / 10.0 - 1.0, 0.2)


def test_translation_shifts_both_ways_alike() -> None:
    moved = centroids(run(blobs(19.5, 19.5), translation=0.1))
    assert spread_over(moved[:, 0], 0.1 * SIDE)
    assert spread_over(moved[:, 1], 0.1 * SIDE)
    assert abs(np.corrcoef(moved.T)[0, 1]) < 0.2


def test_the_warp_is_an_affine_one_with_mirrored_borders() -> None:
    """OpenCV finds the transform from three moved spots, and gets the same pixels with it."""
    options = {"flip": 0.5, "rotation": 10.0, "scale": 0.1, "translation": 0.05}
    corners = np.array([[12.0, 13.0], [27.0, 14.0], [16.0, 26.0]])
    moved = [centroids(run(blobs(*corner), **options)) + (SIDE - 1) / 2 for corner in corners]
    picture = cv2.GaussianBlur(
        np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), np.uint8), (0, 0), 3
    )
    ours = run(np.repeat(picture[None], COUNT, 0), **options)
    for position in range(20):
        target = np.stack([corner[position] for corner in moved]).astype(np.float32)
        matrix = cv2.getAffineTransform(corners.astype(np.float32), target)
        theirs = cv2.warpAffine(picture, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT)
        assert np.abs(ours[position].astype(int) - theirs).max() <= 2


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
    np.testing.assert_allclose(luma(changed), luma(pictures), atol=0.6)
    chroma = pictures - luma(pictures)[..., None]
    factor = ((changed - luma(changed)[..., None]) * chroma).sum((1, 2, 3)) / (chroma**2).sum(
        (1, 2, 3)
    )
    assert spread_over(factor - 1.0, 0.5)


def test_grey_takes_the_colour_of_as_many_as_it_says(pictures: np.ndarray) -> None:
    everyone = run(pictures, grey=1.0)
    np.testing.assert_allclose(everyone, luma(pictures)[..., None].repeat(3, -1), atol=0.51)
    some = run(pictures, grey=0.25)
    grey = (some == everyone).all((1, 2, 3))
    np.testing.assert_array_equal(some[~grey], pictures[~grey])
    assert 0.15 < grey.mean() < 0.35


def test_cutout_sets_a_square_to_mid_grey() -> None:
    pictures = np.full((COUNT, SIDE, SIDE, 3), 7, np.uint8)
    cut = run(pictures, cutout=0.4)
    changed = (cut != pictures).all(-1)
    assert (cut[changed] == 128).all()
    np.testing.assert_array_equal(cut[~changed], pictures[~changed])
    rows, columns = changed.any(2).sum(1), changed.any(1).sum(1)
    np.testing.assert_array_equal(changed.sum((1, 2)), rows * columns)  # a filled rectangle
    assert max(rows.max(), columns.max()) in (16, 17)
    assert (np.minimum(rows, columns) < 8).mean() > 0.3  # smaller ones too
    assert (changed.mean(0) > 0).all()  # anywhere


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
    options = dict.fromkeys(NOTHING, 0.2) | {"rotation": 10.0}
    grey = pictures[..., :1]
    three = run(grey.repeat(3, -1), **options).astype(int)
    assert np.abs(three - run(grey, **options)).max() <= 1


def test_strengths_do_not_disturb_each_other(pictures: np.ndarray) -> None:
    flipped = run(pictures, flip=0.5)
    both = run(pictures, flip=0.5, brightness=0.1)
    np.testing.assert_array_equal(both, run(flipped, brightness=0.1))


def test_keyed_by_seed_step_and_position_alone(pictures: np.ndarray) -> None:
    options = dict.fromkeys(NOTHING, 0.2) | {"rotation": 10.0}
    whole = run(pictures, **options)
    np.testing.assert_array_equal(whole, run(pictures, **options))
    np.testing.assert_array_equal(whole[:3], run(pictures[:3], **options))
    one = run(np.repeat(pictures[:1], COUNT, 0), **options)
    np.testing.assert_array_equal(one[0], whole[0])
    assert len({picture.tobytes() for picture in one}) == COUNT
    assert (whole != run(pictures, seed=2, **options)).any()
    assert (whole != run(pictures, step=3, **options)).any()
    # Two numbers, not their sum or a mix of them.
    assert (run(pictures, seed=2, step=1, **options) != whole).any()
