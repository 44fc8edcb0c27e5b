import numpy as np
import pytest
from scipy.spatial.distance import pdist

from facenet_tf.metrics import all_pairs, all_pairs_distances, squared_distances


def test_squared_distances_of_rows():
    random = np.random.default_rng(0)
    left, right = random.normal(size=(2, 5000, 7)).astype(np.float32)
    expected = np.linalg.norm(left.astype(float) - right, axis=1) ** 2
    np.testing.assert_allclose(squared_distances(left, right), expected, rtol=1e-12)


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
