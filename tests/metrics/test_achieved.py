"""Thresholds on other people's pairs, against shares counted pair by pair and a slow bootstrap."""

import itertools

import numpy as np
import pytest

from facenet_tf.metrics import achieved_rates, bootstrap_identities, limits_at_the_end


def some_pairs(people=12, pictures=4, seed=0, spread=0.6):
    """All pairs of pictures around people's centres: flags, squared distances, sides."""
    random = np.random.default_rng(seed)
    who = np.repeat(np.arange(people), pictures)
    rows = random.normal(size=(people, 8))[who] + spread * random.normal(size=(len(who), 8))
    left, right = np.array(list(itertools.combinations(range(len(who)), 2))).T
    distance = ((rows[left] - rows[right]) ** 2).sum(axis=1)
    return who[left] == who[right], distance, (who[left], who[right])


def test_rates_are_shares_of_accepted_pairs():
    genuine, distance, sides = some_pairs()
    thresholds = (-1.0, 0.0, float(distance[5]), 8.0, 1e9)
    for threshold, found in zip(thresholds, achieved_rates(genuine, distance, sides, thresholds)):
        assert found.threshold == threshold
        assert found.far == pytest.approx(np.mean(distance[~genuine] <= threshold))
        assert found.tar == pytest.approx(np.mean(distance[genuine] <= threshold))
        assert found.far_interval[0] <= found.far <= found.far_interval[1]
        assert found.tar_interval[0] <= found.tar <= found.tar_interval[1]


def test_intervals_are_those_of_draws_over_the_pairs():
    """The slow way weighs every pair."""
    genuine, distance, sides = some_pairs(people=15)
    threshold = float(np.quantile(distance[~genuine], 0.2))

    def rates(curve):
        point = np.searchsorted(curve.thresholds, threshold, side="right") - 1
        far, tar = curve.far[point], curve.tar[point]
        return [far, tar, (tar + 1 - far) / 2]

    slow = bootstrap_identities(genuine, distance, sides, rates, draws=50, seed=3)
    (found,) = achieved_rates(genuine, distance, sides, (threshold,), draws=50, seed=3)
    intervals = [found.far_interval, found.tar_interval, found.balanced_interval]
    np.testing.assert_allclose(intervals, slow)
    right = genuine == (distance <= threshold)
    assert found.balanced == pytest.approx((right[genuine].mean() + right[~genuine].mean()) / 2)


def test_rates_without_an_error_are_as_sure_as_there_are_people():
    genuine, _, sides = some_pairs(people=12)
    (found,) = achieved_rates(genuine, ~genuine * 2.0, sides, (1.0,))
    assert (found.far, found.tar, found.balanced) == (0, 1, 1)
    assert found.tar_interval == pytest.approx(limits_at_the_end(1, 12))
    assert found.far_interval == pytest.approx(limits_at_the_end(0, 6))
    assert found.balanced_interval == pytest.approx(limits_at_the_end(1, 6))


def test_order_of_the_two_sides_does_not_matter():
    genuine, distance, (left, right) = some_pairs()
    turned = np.random.default_rng(1).random(len(left)) < 0.5
    sides = np.where(turned, right, left), np.where(turned, left, right)
    (one,) = achieved_rates(genuine, distance, (left, right), (6.0,), draws=0)
    (other,) = achieved_rates(genuine, distance, sides, (6.0,), draws=0)
    assert one == other
    assert one.far_interval is None


def test_a_lost_picture_is_an_error_at_every_threshold():
    genuine, distance, sides = some_pairs()
    spoilt = distance.copy()
    spoilt[np.flatnonzero(genuine)[0]] = np.inf
    spoilt[np.flatnonzero(~genuine)[0]] = -np.inf
    none, everything = achieved_rates(genuine, spoilt, sides, (-1.0, 1e9), draws=0)
    assert everything.tar == pytest.approx(1 - 1 / genuine.sum())
    assert none.far == pytest.approx(1 / (~genuine).sum())


def test_without_thresholds_there_is_nothing():
    assert achieved_rates(*some_pairs(), ()) == []


def test_one_kind_of_pair_has_no_rates():
    with pytest.raises(ValueError, match="no impostor pair"):
        achieved_rates([True], [0.1], ([0], [0]), (0.5,))


def test_too_few_people_have_no_interval():
    """Both pairs are in a draw only if it holds all three people: less than a quarter do."""
    (found,) = achieved_rates([True, False], [0.1, 1.0], ([0, 1], [0, 2]), (0.5,), draws=100)
    assert (found.far, found.tar) == (0, 1)
    assert found.far_interval is found.tar_interval is found.balanced_interval is None
