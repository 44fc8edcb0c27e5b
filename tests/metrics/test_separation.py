"""Means, deviations and d-prime, against the standard library; overlap, against normal curves."""

import math
import statistics

import numpy as np
import pytest
from scipy.stats import norm

from facenet_tf.metrics import (
    all_pairs,
    all_pairs_distances,
    curve_separation,
    overlap,
    roc_curve,
    separation,
)

from . import twins


def made_up(seed=0, count=200):
    random = np.random.default_rng(seed)
    genuine = random.random(count) < 0.3
    return genuine, np.where(genuine, 0.6, 1.4) + 0.4 * random.normal(size=count)


def test_equals_the_standard_library():
    genuine, distance = made_up()
    found = separation(genuine, distance)
    own, others = distance[genuine].tolist(), distance[~genuine].tolist()
    assert found.genuine_mean == pytest.approx(statistics.fmean(own))
    assert found.impostor_mean == pytest.approx(statistics.fmean(others))
    assert found.genuine_deviation == pytest.approx(statistics.pstdev(own))
    assert found.impostor_deviation == pytest.approx(statistics.pstdev(others))
    variance = (statistics.pvariance(own) + statistics.pvariance(others)) / 2
    gap = statistics.fmean(others) - statistics.fmean(own)
    assert found.d_prime == pytest.approx(gap / variance**0.5)


def test_d_prime_of_squared_distances_is_that_of_cosines():
    random = np.random.default_rng(1)
    labels = np.arange(20) % 4
    rows = np.eye(4)[labels] + 0.5 * random.normal(size=(20, 4))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    left, right = all_pairs(20)
    genuine = labels[left] == labels[right]
    cosines = (rows @ rows.T)[left, right]
    found = separation(genuine, all_pairs_distances(rows)).d_prime
    assert found > 1
    assert found == pytest.approx(separation(genuine, 1 - cosines).d_prime)


def test_without_spread():
    genuine = [True, True, False]
    assert separation(genuine, [1.0, 1.0, 1.0]).d_prime == 0
    assert separation(genuine, [0.5, 0.5, 1.0]).d_prime == math.inf
    assert separation(genuine, [1.0, 1.0, 0.5]).d_prime == -math.inf


@pytest.mark.parametrize(
    ("genuine", "distance", "message"),
    [
        ([True, True], [0.1, 0.2], "no impostor pair"),
        ([True, False], [0.1, np.inf], "infinite"),
        ([True, False], [0.1, np.nan], "NaN"),
    ],
)
def test_bad_input_is_refused(genuine, distance, message):
    with pytest.raises(ValueError, match=message):
        separation(genuine, distance)


@pytest.mark.parametrize("step", [0, 0.5])
@pytest.mark.parametrize("seed", range(4))
def test_overlap_is_the_least_sum_of_both_errors(seed, step):
    genuine, distance = made_up(seed)
    distance = np.round(distance / step) * step if step else distance
    sums = [far + 1 - tar for far, tar in twins.operating_points(genuine, distance)]
    assert overlap(roc_curve(genuine, distance)) == pytest.approx(min(sums))


@pytest.mark.parametrize("gap", [0.5, 1, 3])
def test_overlap_of_normal_curves_is_their_common_area(gap):
    quantiles = norm.ppf((np.arange(4000) + 0.5) / 4000)
    genuine = np.repeat([True, False], 4000)
    distance = np.concatenate([quantiles, quantiles + gap])
    assert overlap(roc_curve(genuine, distance)) == pytest.approx(2 * norm.cdf(-gap / 2), abs=1e-3)
    assert separation(genuine, distance).d_prime == pytest.approx(gap, rel=1e-2)


def test_overlap_of_one_and_of_two_worlds():
    assert overlap(roc_curve([True, False], [1.0, 1.0])) == 1
    assert overlap(roc_curve([True, False], [0.5, 1.0])) == 0


def test_the_curve_has_the_same_separation_where_pairs_count_several_times():
    genuine, distance = made_up()
    distance = distance.round(1)  # ties
    times = np.random.default_rng(2).integers(0, 4, len(genuine))
    expected = separation(np.repeat(genuine, times), np.repeat(distance, times))
    found = curve_separation(roc_curve(genuine, distance, times))
    np.testing.assert_allclose(
        [*vars(found).values(), found.d_prime], [*vars(expected).values(), expected.d_prime]
    )


def test_the_curve_leaves_lost_pairs_out():
    genuine, distance = made_up()
    lost = np.arange(len(genuine)) % 7 == 0
    with_lost = np.where(lost, np.where(genuine, np.inf, -np.inf), distance)
    found = curve_separation(roc_curve(genuine, with_lost))
    assert found.d_prime == pytest.approx(separation(genuine[~lost], distance[~lost]).d_prime)
    with pytest.raises(ValueError, match="no finite"):
        curve_separation(roc_curve([True, False], [0.0, -np.inf]))
