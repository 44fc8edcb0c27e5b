"""The warp turns, resizes and shifts as it says, by OpenCV's own account."""

from __future__ import annotations

import cv2
import numpy as np

from .augmented import COUNT, SIDE, run, spread_over


def blobs(x: float, y: float) -> np.ndarray:
    """COUNT pictures of a bright spot at (x, y) on black."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    spot = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8)
    return np.repeat(np.round(spot).astype(np.uint8)[None, :, :, None], COUNT, 0).repeat(3, -1)


def centroids(images: np.ndarray) -> np.ndarray:
    """Centres of mass float64 [COUNT, 2] relative to the picture's centre."""
    weights = images[..., 0].astype(float)
    mass = weights.sum((1, 2))
    across, down = (np.arange(side) - (side - 1) / 2 for side in weights.shape[:0:-1])
    return np.stack([weights.sum(1) @ across / mass, weights.sum(2) @ down / mass], 1)


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


def test_a_narrow_crop_turns_about_its_own_centre() -> None:
    moved = centroids(run(blobs(28.5, 19.5)[:, :, 5:-5], rotation=12.0))
    np.testing.assert_allclose(np.hypot(*moved.T), 9.0, atol=0.1)
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


def test_translation_goes_by_width_and_height() -> None:
    moved = centroids(run(blobs(19.5, 19.5)[:, :, 10:-10], translation=0.1))
    assert spread_over(moved[:, 0], 0.05 * SIDE)
    assert spread_over(moved[:, 1], 0.1 * SIDE)


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
