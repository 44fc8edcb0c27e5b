"""Intervals over people: their coverage, and what a draw is."""

import numpy as np
import pytest

from facenet_tf.metrics import people_intervals


def test_each_draw_has_as_many_people_as_there_are():
    seen = []

    def statistic(times):
        seen.append(times)
        return [0.0]

    people_intervals(7, statistic, replicates=50, seed=1)
    assert {times.sum() for times in seen} == {7} and len(seen) == 50
    assert any(times.max() > 1 for times in seen) and any(times.min() == 0 for times in seen)


def test_a_mean_over_people_is_within_its_standard_errors():
    values = np.random.default_rng(0).normal(size=400)
    (low, high), (_, _) = people_intervals(
        400, lambda times: [float(np.average(values, weights=times)), 0.0], replicates=2000
    )
    error = values.std() / 20
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.2 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.2 * error)


def test_the_seed_decides():
    def first(times):
        return [float(times[0])]

    one = people_intervals(5, lambda times: [float(times @ np.arange(5))], replicates=30, seed=1)
    other = people_intervals(5, lambda times: [float(times @ np.arange(5))], replicates=30, seed=2)
    assert one.tolist() != other.tolist()
    assert people_intervals(5, first, replicates=9).shape == (1, 2)


def test_draws_that_give_nothing_are_dropped_up_to_half():
    def picky(times):
        if times[0] == 0:
            raise ValueError
        return [1.0]

    assert people_intervals(4, picky, replicates=100).tolist() == [[1.0, 1.0]]

    def pickier(times):
        if times[0] < 2:
            raise ValueError
        return [1.0]

    with pytest.raises(ValueError, match="too few people"):
        people_intervals(4, pickier, replicates=100)
    with pytest.raises(ValueError, match="too few people"):
        people_intervals(1, lambda times: [1.0], replicates=100)
