"""Windows against plain bilinear interpolation."""

import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.detection.windows import cut_windows


def sample(picture, y, x):
    height, width = picture.shape[:2]
    if not (0 <= y <= height - 1 and 0 <= x <= width - 1):
        return np.full(3, 127.5)
    top, left = int(y), int(x)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    down, along = y - top, x - left
    upper = picture[top, left] * (1 - along) + picture[top, right] * along
    lower = picture[bottom, left] * (1 - along) + picture[bottom, right] * along
    return upper * (1 - down) + lower * down


@pytest.mark.parametrize("box", [(3, 4, 20, 25), (-5.5, 2, 12.25, 20), (10, 10, 60, 60)])
def test_windows_are_sampled_between_their_corners(box):
    pictures = np.random.default_rng(0).integers(0, 256, (2, 40, 31, 3)).astype(np.uint8)
    boxes = np.array([box, box])
    found = cut_windows(tf.constant(pictures), boxes, np.array([1, 0], np.int32), 24)
    assert found.shape == (2, 24, 24, 3) and found.dtype == np.float32
    x1, y1, x2, y2 = np.array(box) * [30 / 31, 39 / 40, 30 / 31, 39 / 40]
    for window, picture in zip(found, pictures[[1, 0]], strict=True):
        expected = [
            [sample(picture, y, x) for x in np.linspace(x1, x2, 24)]
            for y in np.linspace(y1, y2, 24)
        ]
        np.testing.assert_allclose(window * 128 + 127.5, expected, atol=0.01)
