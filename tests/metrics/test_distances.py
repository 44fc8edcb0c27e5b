import numpy as np
import pytest
from scipy.spatial.distance import pdist

from facenet_tf.metrics import (
    all_pairs,
    all_pairs_distances,
    genuine_pairs,
    listed_distances,
    squared_distances,
    unit_rows,
)


def test_squared_distances_of_rows():
    random = np.random.default_rng(0)
    left, right = random.normal(size=(2, 5000, 7)).astype(np.float32)
    expected = np.linalg.norm(left.astype(float) - right, axis=1) ** 2
    np.testing.assert_allclose(squared_distances(left, right), expected, rtol=1e-12)


def test_rows_of_length_1():
    rows = np.array([[3, 4], [0, 0], [np.nan, 1], [-1e-30, 0]], np.float32)
    found = unit_rows(rows)
    expected = [[0.6, 0.8], [0, 0], [np.nan, 1], [-1, 0]]
    np.testing.assert_allclose(found[:3], expected[:3], rtol=1e-6)
    assert found.dtype == np.float32
    np.testing.assert_allclose(unit_rows(rows.astype(float))[3], expected[3])


def test_all_pairs_are_in_the_order_of_scipy():
    rows = np.random.default_rng(1).normal(size=(9, 4))
    np.testing.assert_allclose(all_pairs_distances(rows), pdist(rows, "sqeuclidean"))
    left, right = all_pairs(9)
    np.testing.assert_allclose(
        all_pairs_distances(rows), squared_distances(rows[left], rows[right])
    )


def test_near_duplicates_keep_their_distance():
    rows = np.ones((2, 128)) / np.sqrt(128)
    rows[1, 0] += 1e-9
    assert all_pairs_distances(rows)[0] == pytest.approx(1e-18, rel=1e-6)


def test_one_row_has_no_pairs():
    assert all_pairs_distances(np.ones((1, 3))).shape == (0,)


def test_row_of_nan_gives_nan():
    assert np.isnan(squared_distances([[np.nan, 0.0]], [[0.0, 0.0]])).all()


def test_shapes_are_checked():
    with pytest.raises(ValueError, match="two"):
        squared_distances(np.ones((2, 3)), np.ones((3, 3)))
    with pytest.raises(ValueError, match="N, D"):
        all_pairs_distances(np.ones(3))


@pytest.mark.parametrize("count", [7, 60], ids=["few of the pairs", "all pairs"])
def test_listed_distances_are_those_of_the_rows(count):
    random = np.random.default_rng(1)
    rows = random.normal(size=(count, 9)).astype(np.float32)
    rows[3] = rows[1]
    rows[4] = rows[1] * np.float32(1 + 1e-6)
    rows[5] = np.nan
    left, right = all_pairs(count)
    if count == 7:
        left, right = left[::4], right[::4]
    expected = squared_distances(rows[left], rows[right])
    np.testing.assert_allclose(listed_distances(rows, left, right), expected, rtol=1e-9)


def test_listed_distances_of_bad_lists():
    with pytest.raises(ValueError, match="one length"):
        listed_distances(np.ones((3, 2)), np.zeros(2, int), np.zeros(3, int))
    assert listed_distances(np.ones((3, 2)), np.zeros(0, int), np.zeros(0, int)).shape == (0,)


@pytest.mark.parametrize("labels", [[], ["b"], ["b", "a", "b", "c", "b", "a"], [3, 3, 3]], ids=str)
def test_genuine_pairs_are_all_pairs_of_one_label(labels):
    expected = {
        (first, second)
        for second in range(len(labels))
        for first in range(second)
        if labels[first] == labels[second]
    }
    left, right = genuine_pairs(labels)
    assert len(left) == len(expected)
    assert set(zip(left.tolist(), right.tolist(), strict=True)) == expected
