import numpy as np
import pytest
from scipy.integrate import quad

from facenet_tf.metrics.reject import (
    area_under_reject_curve,
    error_versus_reject,
    least_area,
)


def test_curve_is_counted_by_hand():
    curve = error_versus_reject([True, False, True, False], [0.1, 0.3, 0.2, 0.4])
    np.testing.assert_allclose(curve.rejected, [0, 0.25, 0.5, 0.75])
    np.testing.assert_allclose(curve.error, [2 / 4, 1 / 3, 0, 0])


def test_ties_leave_together_and_order_does_not_matter():
    wrong = np.array([True, False, True, False, False])
    quality = np.array([1, 1, 2, 2, 3])
    curve = error_versus_reject(wrong, quality)
    np.testing.assert_allclose(curve.rejected, [0, 2 / 5, 4 / 5])
    np.testing.assert_allclose(curve.error, [2 / 5, 1 / 3, 0])
    backwards = error_versus_reject(wrong[::-1], quality[::-1])
    np.testing.assert_array_equal(curve.error, backwards.error)


def test_one_quality_for_all_is_one_point():
    curve = error_versus_reject([True, False], [5, 5])
    assert curve.rejected.tolist() == [0]
    assert area_under_reject_curve(curve, 0.2) == pytest.approx(0.2 * 0.5)


def test_brute_force_on_random_numbers():
    random = np.random.default_rng(1)
    wrong, quality = random.random(200) < 0.2, random.integers(0, 30, 200)
    curve = error_versus_reject(wrong, quality)
    levels = np.unique(quality)
    np.testing.assert_allclose(curve.error, [wrong[quality >= q].mean() for q in levels])
    np.testing.assert_allclose(curve.rejected, [(quality < q).mean() for q in levels])


def test_weights_are_repetitions():
    random = np.random.default_rng(2)
    wrong, quality = random.random(40) < 0.3, random.integers(0, 9, 40)
    times = random.integers(0, 4, 40)
    times[quality == quality.max()] = 0
    weighted = error_versus_reject(wrong, quality, times)
    repeated = error_versus_reject(np.repeat(wrong, times), np.repeat(quality, times))
    # levels that nobody has any more are points on the same place
    kept = np.append(np.diff(weighted.rejected) > 0, True)
    np.testing.assert_allclose(weighted.rejected[kept], repeated.rejected, atol=1e-12)
    np.testing.assert_allclose(weighted.error[kept], repeated.error, atol=1e-12)
    same = [area_under_reject_curve(curve, 0.3) for curve in (weighted, repeated)]
    assert same[0] == pytest.approx(same[1])
    with pytest.raises(ValueError, match="leave nothing"):
        error_versus_reject([True], [1.0], [0])


@pytest.mark.parametrize("limit", [0.1, 0.25, 0.6, 1.0])
def test_area_is_that_of_ties_in_random_order(limit):
    """Between two points the expected error of a random choice within the tie, integrated."""
    random = np.random.default_rng(5)
    wrong, quality = random.random(60) < 0.3, random.integers(0, 4, 60)
    curve = error_versus_reject(wrong, quality)

    def expected(share):
        gone, left_wrong = 60 * share, float(wrong.sum())
        for level in np.unique(quality):
            count, errors = (quality == level).sum(), wrong[quality == level].sum()
            part = min(1, gone / count)
            left_wrong, gone = left_wrong - part * errors, gone - part * count
        return left_wrong / (60 * (1 - share)) if share < 1 else 0.0

    shares = np.linspace(0, limit, 2001)
    heights = [expected(share) for share in (shares[1:] + shares[:-1]) / 2]
    assert area_under_reject_curve(curve, limit) == pytest.approx(
        np.mean(heights) * limit, rel=1e-4
    )


@pytest.mark.parametrize(("error", "limit"), [(0.1, 0.2), (0.3, 0.2), (0.0, 1.0), (0.5, 1.0)])
def test_least_area_is_the_integral(error, limit):
    expected = quad(lambda r: max(0, (error - r) / (1 - r)), 0, min(limit, error))[0]
    assert least_area(error, limit) == pytest.approx(expected, abs=1e-12)


def test_least_area_where_all_is_wrong():
    assert least_area(1.0, 1.0) == 1.0


@pytest.mark.parametrize("levels", [2, 10, 1000])
def test_perfect_score_has_the_least_area(levels):
    wrong = np.arange(1000) < 100
    quality = np.arange(1000) * levels // 1000 if levels > 2 else ~wrong
    curve = error_versus_reject(wrong, quality)
    assert area_under_reject_curve(curve, 0.2) == pytest.approx(least_area(0.1, 0.2))
    assert area_under_reject_curve(curve, 1.0) == pytest.approx(least_area(0.1, 1.0))


@pytest.mark.parametrize(
    ("wrong", "quality", "named"),
    [([], [], "N >= 1"), ([True], [1, 2], "must be"), ([True, False], [1, np.nan], "NaN")],
)
def test_bad_input_is_refused(wrong, quality, named):
    with pytest.raises(ValueError, match=named):
        error_versus_reject(wrong, quality)


@pytest.mark.parametrize("limit", [0, 1.1])
def test_limits_outside_are_refused(limit):
    with pytest.raises(ValueError, match="limit"):
        least_area(0.1, limit)
