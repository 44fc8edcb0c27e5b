"""Thresholds of some people on others: against loops, and against draws from a known population."""

import itertools

import numpy as np
import pytest

from facenet_tf.metrics import (
    achieved_rates,
    calibrated_points,
    operating_point,
    rates_at,
    roc_curve,
)


def some_pairs(people=12, pictures=4, seed=0, spread=0.6):
    """All pairs of pictures around people's centres: flags, squared distances, sides."""
    random = np.random.default_rng(seed)
    who = np.repeat(np.arange(people), pictures)
    rows = random.normal(size=(people, 8))[who] + spread * random.normal(size=(len(who), 8))
    left, right = np.array(list(itertools.combinations(range(len(who)), 2))).T
    distance = ((rows[left] - rows[right]) ** 2).sum(axis=1)
    return who[left] == who[right], distance, (who[left], who[right])


@pytest.mark.parametrize("threshold", [-1.0, 0.0, 1.7, 8.0, 1e9, np.inf])
def test_rates_are_shares_of_accepted_pairs(threshold):
    genuine, distance, _ = some_pairs()
    far, tar = rates_at(roc_curve(genuine, distance), threshold)
    assert far == pytest.approx(np.mean(distance[~genuine] <= threshold))
    assert tar == pytest.approx(np.mean(distance[genuine] <= threshold))


def test_rates_count_pairs_at_the_threshold_itself():
    curve = roc_curve([True, True, False, False], [1.0, 2.0, 2.0, 3.0])
    assert rates_at(curve, 2.0) == (0.5, 1.0)
    assert rates_at(curve, np.nextafter(2.0, 0)) == (0.0, 0.5)


def test_points_are_operating_points_within_their_intervals():
    genuine, distance, sides = some_pairs()
    fars = (0.3, 0.05)
    points = calibrated_points(genuine, distance, sides, fars, replicates=80)
    curve = roc_curve(genuine, distance)
    for far, point in zip(fars, points):
        expected = operating_point(curve, far)
        assert (point.threshold, point.far, point.tar) == (
            expected.threshold,
            expected.far,
            expected.tar,
        )
        low, high = point.interval
        assert low < point.threshold < high
    assert points[0].threshold > points[1].threshold


def test_most_intervals_hold_the_threshold_of_the_population():
    """Of everybody; each interval knows 25 people only. Over pairs it would be far too narrow."""
    genuine, distance, _ = some_pairs(people=300, pictures=3, seed=99)
    true = operating_point(roc_curve(genuine, distance), 0.05).threshold
    held = 0
    for seed in range(20):
        pairs = some_pairs(people=25, pictures=3, seed=seed)
        (point,) = calibrated_points(*pairs, (0.05,), replicates=80, seed=seed)
        held += point.interval[0] <= true <= point.interval[1]
    assert held >= 15


def test_achieved_rates_are_those_of_the_other_pairs():
    genuine, distance, sides = some_pairs(seed=1)
    rates = achieved_rates(genuine, distance, sides, (3.0, 6.0), replicates=60)
    for threshold, found in zip((3.0, 6.0), rates):
        assert found.far == pytest.approx(np.mean(distance[~genuine] <= threshold))
        assert found.tar == pytest.approx(np.mean(distance[genuine] <= threshold))
        assert found.tar_interval[0] <= found.tar <= found.tar_interval[1]
        assert found.far_interval[0] <= found.far <= found.far_interval[1]


def test_a_lost_picture_is_an_error_for_others_too():
    genuine, distance, sides = some_pairs()
    spoilt = distance.copy()
    spoilt[np.flatnonzero(genuine)[0]] = np.inf
    spoilt[np.flatnonzero(~genuine)[0]] = -np.inf
    (found,) = achieved_rates(genuine, spoilt, sides, (1e9,), replicates=0)
    assert found.tar == pytest.approx(1 - 1 / genuine.sum())
    (found,) = achieved_rates(genuine, spoilt, sides, (0.0,), replicates=0)
    assert found.far == pytest.approx(1 / (~genuine).sum())
    assert found.far_interval is None


def test_without_anything_asked_there_is_nothing():
    pairs = some_pairs()
    assert calibrated_points(*pairs, ()) == []
    assert achieved_rates(*pairs, ()) == []
