"""Box arithmetic against plain loops."""

import numpy as np
import pytest

from facenet_tf.detection import boxes as bx


def random_boxes(count, seed=0, side=100):
    rng = np.random.default_rng(seed)
    start = rng.uniform(0, side, (count, 2))
    return np.hstack([start, start + rng.uniform(5, 60, (count, 2))])


def overlap(a, b, of_smaller):
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    common = width * height
    return common / (min(areas) if of_smaller else sum(areas) - common)


@pytest.mark.parametrize("of_smaller", [False, True])
@pytest.mark.parametrize("count", [0, 1, 40])
def test_survivors_overlap_no_better_box(count, of_smaller):
    boxes = random_boxes(count)
    expected = [
        i
        for i in range(count)
        if not any(overlap(boxes[j], boxes[i], of_smaller) > 0.4 for j in range(i))
    ]
    assert bx.survivors(boxes, 0.4, of_smaller).tolist() == expected
    assert count < 40 or 3 < len(expected) < 35


def test_a_suppressed_box_suppresses_too():
    chain = np.array([[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]], float)
    assert bx.survivors(chain, 0.3).tolist() == [0]


def test_survivors_of_many_boxes_do_not_depend_on_blocks(monkeypatch):
    boxes = random_boxes(300, side=400)
    expected = bx.survivors(boxes, 0.3)
    monkeypatch.setattr(bx, "_BLOCK", 7)
    np.testing.assert_array_equal(bx.survivors(boxes, 0.3), expected)


def test_cells_cover_twelve_pixels_every_two():
    cells, offsets = np.array([[0, 0], [3, 5]]), np.zeros((2, 4), np.float32)
    found = bx.boxes_of_cells(cells, offsets, 0.5)
    np.testing.assert_array_equal(found, [[2, 2, 24, 24], [22, 14, 44, 36]])


def test_offsets_of_cells_are_in_eleven_pixels():
    found = bx.boxes_of_cells(np.array([[0, 0]]), np.array([[0.1, 0.2, -0.1, 0.3]]), 1.0)
    np.testing.assert_allclose(found, [[2.1, 3.2, 10.9, 15.3]])


def test_shift_counts_both_end_pixels():
    moved = bx.shift(np.array([[10.0, 20, 19, 39]]), np.array([[0.1, 0.1, -0.1, 0.2]]))
    np.testing.assert_allclose(moved, [[11, 22, 18, 43]])


def test_landmarks_are_fractions_of_the_box():
    box = np.array([[10.0, 20, 19, 39]])
    points = bx.place_landmarks(box, np.array([[0, 0.5, 1, 0.2, 0.8, 0, 0.5, 1, 0.9, 0.9]]))
    assert points.shape == (1, 5, 2)
    np.testing.assert_allclose(points[0], [[9, 19], [14, 29], [19, 39], [11, 37], [17, 37]])


def test_squares_keep_the_centre_and_the_longer_side():
    boxes = random_boxes(20)
    squares = bx.to_squares(boxes)
    sides = squares[:, 2:] - squares[:, :2]
    np.testing.assert_allclose(sides[:, 0], (boxes[:, 2:] - boxes[:, :2]).max(1))
    np.testing.assert_allclose(sides[:, 0], sides[:, 1])
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    np.testing.assert_allclose((squares[:, :2] + squares[:, 2:]) / 2, centres)


def test_clip_keeps_corners_on_pixels():
    clipped = bx.clip(np.array([[-5.0, -1, 30, 18], [3, 4, 5, 6]]), height=10, width=20)
    np.testing.assert_array_equal(clipped, [[0, 0, 19, 9], [3, 4, 5, 6]])


def test_descending():
    scores = np.random.default_rng(0).permutation(100).astype(np.float32)
    assert scores[bx.descending(scores)].tolist() == list(range(99, -1, -1))
    assert sorted(bx.descending(np.full(50, 0.5, np.float32))) == list(range(50))
