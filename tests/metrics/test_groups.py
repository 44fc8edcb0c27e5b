import numpy as np
import pytest

from facenet_tf.metrics import roc_curve
from facenet_tf.metrics.groups import inequality, rates_at


@pytest.mark.parametrize("threshold", [-1.0, 0.0, 0.3, 0.55, 2.0, np.inf, -np.inf])
def test_rates_are_those_of_the_pairs(threshold):
    random = np.random.default_rng(0)
    genuine, distance = random.random(100) < 0.4, np.round(random.random(100), 1)
    false_match, false_non_match = rates_at(roc_curve(genuine, distance), threshold)
    assert false_match == pytest.approx((distance[~genuine] <= threshold).mean())
    assert false_non_match == pytest.approx((distance[genuine] > threshold).mean())


def test_nan_is_no_threshold():
    with pytest.raises(ValueError, match="NaN"):
        rates_at(roc_curve([True, False], [0, 1]), float("nan"))


def test_inequality_by_hand():
    found = inequality([0.01, 0.04])
    assert found.highest_over_lowest == pytest.approx(4)
    assert found.highest_over_mean == pytest.approx(0.04 / 0.02)
    # mean difference |0.03| over twice the mean 0.025, for n = 2 times n / (n - 1) of the plain
    assert found.gini == pytest.approx(0.03 / 0.05)


def test_equal_rates_are_equal():
    found = inequality([0.2, 0.2, 0.2])
    assert (found.highest_over_lowest, found.gini) == (1, 0)
    assert found.highest_over_mean == pytest.approx(1)


def test_zeros_have_no_ratio():
    assert inequality([0.0, 0.1]).highest_over_lowest is None
    assert inequality([0.0, 0.1]).highest_over_mean is None
    assert inequality([0.0, 0.1]).gini == pytest.approx(1)
    assert inequality([0.0, 0.0]).gini is None


@pytest.mark.parametrize("rates", [[], [0.1], [0.1, 1.5], [0.1, np.nan]])
def test_what_is_no_list_of_rates_is_refused(rates):
    with pytest.raises(ValueError, match="rates"):
        inequality(rates)
