"""What a tie is worth: the same, nothing, in every figure of the nearest."""

import numpy as np
import pytest

from facenet_tf.metrics import (
    all_pairs_distances,
    cumulative_matches,
    identity_errors,
    nearest_mean,
    nearest_neighbour,
    rank1_accuracy,
    search_gallery,
)
from facenet_tf.metrics.nearest import nearest_is_own

PEOPLE = np.repeat(np.arange(4), 3)


def rank1(rows):
    """By all the ways to it, each picture in turn being the probe: leave one out."""
    found = [nearest_is_own(rows, PEOPLE)[1]]
    errors = identity_errors(PEOPLE, all_pairs_distances(rows), 1.0)
    others = [np.arange(len(rows)) != row for row in range(len(rows))]
    searched = [
        search_gallery(rows[rest], PEOPLE[rest], rows[~rest], PEOPLE[~rest]) for rest in others
    ]
    found.append(np.array([cumulative_matches(each, 1)[0] == 1 for each in searched]))
    named = [nearest_neighbour(rows[rest], PEOPLE[rest], rows[~rest])[0] for rest in others]
    found.append(np.array(named) == PEOPLE)
    assert rank1_accuracy(errors) == pytest.approx(found[0].mean())
    return found


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("type_", [np.float32, np.float64])
def test_all_ways_agree_where_pictures_are_equal(seed, type_):
    random = np.random.default_rng(seed)
    rows = unit(random.integers(0, 2, size=(12, 3)) + 0.5).astype(type_)
    first, *others = rank1(rows)
    assert 0 < len(np.unique(rows, axis=0)) < 9  # there are ties
    for other in others:
        np.testing.assert_array_equal(first, other)


def test_a_network_with_one_answer_names_nobody():
    for found in rank1(unit(np.ones((12, 5)))):
        assert not found.any()


def test_rounding_makes_no_winner():
    rows = unit(np.random.default_rng(0).normal(size=(4, 40)))[[0, 1, 2, 3] * 3]
    for found in rank1(rows + 1e-12 * np.random.default_rng(1).normal(size=rows.shape)):
        assert not found.any()


@pytest.mark.parametrize("rule", [nearest_neighbour, nearest_mean])
def test_two_people_equally_near_are_nobody(rule):
    both = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    assert rule(both, np.array([7, 3, 5, 5]), both[[0, 2]]).tolist() == [-1, 5]
    assert rule(both, np.array(["g", "c", "e", "e"]), both[[0, 2]]).tolist() == ["", "e"]
