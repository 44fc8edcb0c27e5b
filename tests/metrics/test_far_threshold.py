import math

import numpy as np
import pytest

from facenet_tf.metrics import (
    limits_at_the_end,
    operating_point,
    roc_curve,
    threshold_at_far,
    wilson_interval,
)


def brute_force(distance, far):
    """The largest distance that keeps the FAR when all pairs up to it are accepted."""
    kept = [t for t in distance if np.mean(distance <= t) <= far + 1e-12]
    return max(kept, default=-math.inf)


@pytest.mark.parametrize("levels", [7, 40, 10**6])
@pytest.mark.parametrize("far", [0.05, 0.1, 0.3, 0.5])
def test_threshold_is_the_largest_that_keeps_the_far(levels, far):
    distance = np.random.default_rng([levels, 3]).integers(0, levels, 400) / 9.0
    found = threshold_at_far(distance, far)
    assert found.threshold == brute_force(distance, far)
    assert found.far == np.mean(distance <= found.threshold)
    assert found.false_accepts == found.far * 400
    assert found.far <= far
    assert found.far_interval == wilson_interval(found.false_accepts, 400)


def test_accepts_the_genuine_pairs_that_the_curve_accepts():
    random = np.random.default_rng(5)
    genuine = random.random(5000) < 0.2
    distance = random.normal(size=5000) - genuine
    found = threshold_at_far(distance[~genuine], 0.01)
    point = operating_point(roc_curve(genuine, distance), 0.01)
    assert np.mean(distance[genuine] <= found.threshold) <= point.tar
    assert found.far == pytest.approx(point.far)


def test_threshold_intervals_hold_the_true_threshold():
    """Of uniform distances the threshold for a FAR is the FAR itself."""
    random = np.random.default_rng(6)
    held = 0
    for _ in range(200):
        low, high = threshold_at_far(random.random(1000), 0.05).threshold_interval
        held += low <= 0.05 <= high
    assert 180 <= held <= 199


def test_people_make_the_interval_wider_than_pairs():
    random = np.random.default_rng(7)
    left, right = np.triu_indices(30, 1)
    likeness = random.normal(size=30)  # some people resemble everybody
    distance = likeness[left] + likeness[right] + 0.1 * random.normal(size=len(left))
    pairs = threshold_at_far(distance, 0.1)
    people = threshold_at_far(distance, 0.1, identities=(left, right), draws=100, seed=1)
    assert people.threshold == pairs.threshold
    assert people.over_people
    assert not pairs.over_people
    assert np.ptp(people.threshold_interval) > np.ptp(pairs.threshold_interval)
    assert np.ptp(people.far_interval) > np.ptp(pairs.far_interval)
    again = threshold_at_far(distance, 0.1, identities=(left, right), draws=100, seed=1)
    assert again == people


def test_nobody_is_accepted_where_ties_leave_no_threshold():
    found = threshold_at_far(np.ones(200), 0.1)
    assert (found.threshold, found.far, found.false_accepts) == (-math.inf, 0.0, 0)
    always = threshold_at_far(np.r_[np.full(30, -math.inf), np.ones(70)], 0.2)
    assert (always.threshold, always.far) == (-math.inf, 0.3)


def test_a_far_that_the_pairs_do_not_carry_is_refused():
    with pytest.raises(ValueError, match=r"999 impostor pairs.* need 1000"):
        threshold_at_far(np.arange(999.0), 0.01)
    assert threshold_at_far(np.arange(1000.0), 0.01).false_accepts == 10


@pytest.mark.parametrize("far", [0, 1, -0.1, math.nan])
def test_far_out_of_range_is_refused(far):
    with pytest.raises(ValueError, match="FAR"):
        threshold_at_far(np.arange(100.0), far)


def test_nan_is_refused():
    with pytest.raises(ValueError, match="NaN"):
        threshold_at_far([0.0, math.nan], 0.1)


def test_people_too_few_for_draws_leave_intervals_over_pairs():
    alone = threshold_at_far(np.arange(100.0), 0.1, identities=([0] * 100, [0] * 100))
    assert not alone.over_people
    assert alone == threshold_at_far(np.arange(100.0), 0.1)


def test_a_far_of_none_is_as_sure_as_there_are_people():
    left, right = np.triu_indices(20, 1)
    found = threshold_at_far(np.ones(len(left)), 0.1, identities=(left, right))
    assert found.far == 0 and found.over_people
    assert found.far_interval == pytest.approx(limits_at_the_end(0, 10))
