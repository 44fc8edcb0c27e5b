"""What a pair counts when people are drawn anew."""

import numpy as np
import pytest

from facenet_tf.metrics import PairWeights


def test_pairs_count_the_product_and_genuine_ones_their_person():
    weights = PairWeights(["a", "a", "b", "c", "b"], ["a", "b", "a", "c", "c"])
    times = np.array([3.0, 2.0, 0.0])
    assert weights.people == 3
    assert weights.of_pairs(times).tolist() == [3, 6, 6, 0, 0]
    np.testing.assert_array_equal(weights.of_cells(times)[weights.cell], weights.of_pairs(times))


def test_as_many_cases_as_have_nobody_in_common():
    left, right = np.triu_indices(7)
    assert [PairWeights(left, right).cases(people) for people in (1, 2, 3)] == [7, 3, 2]
    assert PairWeights([0, 0, 1, 2], [0, 0, 1, 3]).cases(1) == 2


def test_sides_of_two_lengths_are_refused():
    with pytest.raises(ValueError, match="one length"):
        PairWeights([0, 1], [0])
