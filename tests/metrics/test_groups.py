import numpy as np
import pytest

from facenet_tf.metrics.groups import inequality


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
