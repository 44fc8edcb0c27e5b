"""Intervals over people: their coverage, what a draw is, and shares that all people have."""

import numpy as np
import pytest
from scipy.stats import binomtest, norm, t

from facenet_tf.metrics import (
    TooFewPeople,
    fewest_draws,
    intervals_or_none,
    limits_at_the_end,
    p_value,
    people_intervals,
    people_samples,
    percentiles,
    reflected,
    sureness_of_few,
)


def levels(people):
    """Hesterberg's, section 4.3: the percentiles that stand for 2.5 % and 97.5 %."""
    far = norm.cdf(np.sqrt(people / (people - 1)) * t.ppf(0.025, people - 1))
    return [far, 1 - far]


def test_each_draw_has_as_many_people_as_there_are():
    seen = []

    def statistic(times):
        seen.append(times)
        return [0.0]

    people_intervals(7, statistic, draws=250, seed=1)
    assert {times.sum() for times in seen} == {7} and len(seen) == 250
    assert any(times.max() > 1 for times in seen) and any(times.min() == 0 for times in seen)


def test_a_mean_over_people_is_within_its_standard_errors():
    values = np.random.default_rng(0).normal(size=400)
    (low, high), (_, _) = people_intervals(
        400, lambda times: [float(np.average(values, weights=times)), 0.0], draws=2000
    )
    error = values.std() / 20
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.2 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.2 * error)


@pytest.mark.parametrize("people", [8, 12, 30])
def test_of_100_intervals_of_few_people_about_95_hold_the_mean(people):
    """Plain percentiles of eight people hold it in some 89."""
    times = people_samples(people, lambda times: times, draws=1000)
    values = np.random.default_rng(people).normal(size=(people, 2000))
    limits = percentiles(times @ values / people, people)
    held = np.mean((limits[:, 0] <= 0) & (limits[:, 1] >= 0))
    assert 0.93 < held < 0.97


def test_few_people_have_their_percentiles_farther_out():
    samples = np.random.default_rng(0).random((500, 2))
    for people in (2, 10, 10**6):
        expected = np.quantile(samples, levels(people), axis=0).T
        np.testing.assert_allclose(percentiles(samples, people), expected)
    np.testing.assert_allclose(levels(10), [0.0086, 0.9914], atol=1e-4)
    np.testing.assert_allclose(levels(10**6), [0.025, 0.975], atol=1e-5)


def test_infinite_draws_are_not_interpolated_and_undefined_ones_left_out():
    draws = np.array([-np.inf] * 3 + [*range(97)])
    holed = np.where(np.arange(100) < 40, np.nan, 1.0)
    mostly = np.where(np.arange(100) < 60, np.nan, 1.0)
    found = percentiles(np.stack([draws, holed, mostly], axis=1), 10**6)
    assert found[0].tolist() == [-np.inf, 94]
    assert found[1].tolist() == [1, 1]
    assert np.isnan(found[2]).all()


@pytest.mark.parametrize("cases", [1, 5, 10, 300])
def test_a_share_of_none_has_the_exact_binomial_interval(cases):
    exact = binomtest(0, cases).proportion_ci(method="exact")
    assert limits_at_the_end(0, cases) == pytest.approx((0, exact.high))
    assert limits_at_the_end(1, cases) == pytest.approx((1 - exact.high, 1))


def test_a_share_that_all_people_have_is_not_certain():
    samples = np.tile([0.0, 1 - 1e-15, 0.0], (50, 1))
    found = percentiles(samples, 20, cases=[20, 10, None])
    np.testing.assert_allclose(found[0], limits_at_the_end(0, 20))
    np.testing.assert_allclose(found[1], limits_at_the_end(1, 10))
    assert found[2].tolist() == [0, 0]


def test_of_rare_errors_of_people_or_pairs_the_limit_is_seldom_exceeded():
    """Wolves: one person in 30 is taken for everybody. The pairs look many."""
    random = np.random.default_rng(1)
    people, chance = 40, 1 / 30
    none = (random.random((4000, people)) < chance).sum(axis=1) == 0
    share_of_pairs = 1 - (1 - chance) ** 2
    assert none.any() and share_of_pairs < limits_at_the_end(0, people // 2)[1]
    # Were it larger than the limit, none would be seen in 2.5 % of the samples at most.
    worst = 1 - np.sqrt(1 - limits_at_the_end(0, people // 2)[1])
    seen = (random.random((4000, people)) < worst).sum(axis=1) == 0
    assert seen.mean() < 0.035


@pytest.mark.parametrize(("people", "asked", "drawn"), [(4, 9, 9), (5, 9, 1000), (6, 9, 412)])
def test_few_people_are_drawn_as_often_as_their_percentiles_take(people, asked, drawn):
    counted = []

    def statistic(times):
        counted.append(times)
        return [float(times @ np.arange(people))]

    people_intervals(people, statistic, draws=asked)
    assert len(counted) == drawn


@pytest.mark.parametrize("people", [3, 4])
def test_how_sure_intervals_of_fewer_than_five_people_are(people):
    random = np.random.default_rng(people)
    times = people_samples(people, lambda times: times, draws=300)
    drawn = times @ random.normal(size=(people, 1000))
    low, high = percentiles(drawn, people).T
    held = np.mean((low <= 0) & (high >= 0))
    assert held == pytest.approx(sureness_of_few(people), abs=0.04)
    assert sureness_of_few(5) is None


def test_the_seed_decides():
    def first(times):
        return [float(times[0])]

    one = people_intervals(5, lambda times: [float(times @ np.arange(5))], draws=30, seed=1)
    other = people_intervals(5, lambda times: [float(times @ np.arange(5))], draws=30, seed=2)
    assert one.tolist() != other.tolist()
    assert people_intervals(5, first, draws=9).shape == (1, 2)


@pytest.mark.parametrize("error", [0.01, 0.3])
def test_reflected_intervals_hold_a_mean_of_absolute_differences(error):
    """An ECE of ten bins, less often a small one, above which percentiles of the draws lie."""
    people, random = 40, np.random.default_rng(0)
    times = people_samples(people, lambda times: times, draws=200)
    held = []
    for _ in range(200):
        bins = error + random.normal(scale=0.15, size=(people, 10))
        drawn = np.abs(times @ bins / people).mean(axis=1)
        (limits,) = percentiles(drawn[:, None], people).tolist()
        estimate = np.abs(bins.mean(axis=0)).mean()
        low, high = reflected(limits, estimate)
        assert 0 <= low <= estimate <= high
        held.append([low <= error <= high, limits[0] <= error <= limits[1]])
    by_reflection, by_percentiles = np.mean(held, axis=0)
    assert by_reflection > (0.8 if error < 0.1 else 0.9)
    assert by_percentiles < 0.1 if error < 0.1 else by_percentiles > 0.9


def test_of_no_difference_the_reflected_interval_begins_at_0():
    assert reflected([0.03, 0.09], 0.02) == [0, 0.02]
    assert reflected([0.01, 0.05], 0.02) == pytest.approx([0, 0.03])
    assert reflected([0.18, 0.24], 0.2) == pytest.approx([0.16, 0.22])
    assert reflected([0.0, 0.0], 0.0) == [0, 0]


def test_draws_that_give_nothing_are_dropped_up_to_half():
    def picky(times):
        if times[0] == 0:
            raise ValueError
        return [1.0]

    assert people_intervals(4, picky, draws=100).tolist() == [[1.0, 1.0]]

    def pickier(times):
        if times[0] < 2:
            raise ValueError
        return [1.0]

    with pytest.raises(TooFewPeople, match=r"too few people \(4\)"):
        people_intervals(4, pickier, draws=100)
    with pytest.raises(TooFewPeople, match="too few people"):
        people_intervals(1, lambda times: [1.0], draws=100)


def test_where_there_is_no_interval_there_is_none():
    def found(people, draws):
        def statistic(times):
            return [1.0, np.nan]

        return intervals_or_none(2, people_intervals, people, statistic, draws=draws, seed=1)

    assert found(people=3, draws=9) == [[1.0, 1.0], None]
    assert found(people=1, draws=9) == [None, None]
    assert found(people=3, draws=0) == [None, None]

    def mistaken(**given):
        raise ValueError("a mistake")

    with pytest.raises(ValueError, match="a mistake"):
        intervals_or_none(1, mistaken, draws=9)


@pytest.mark.parametrize("people", [8, 12, 40])
def test_of_100_differences_of_equals_about_5_are_significant(people):
    """Plain percentiles of eight people would find 11."""
    times = people_samples(people, lambda times: times, draws=1000)
    values = np.random.default_rng(people).normal(size=(people, 2000))
    drawn = times @ values / people
    found = np.mean([p_value(column, people) <= 0.05 for column in drawn.T])
    assert 0.03 < found < 0.07


def test_p_and_interval_say_the_same():
    random = np.random.default_rng(0)
    for people in (8, 50):
        for shift in np.linspace(1.2, 3.4, 12):
            drawn = random.normal(shift, size=2000)
            (low, _), p = percentiles(drawn[:, None], people)[0], p_value(drawn, people)
            assert (low > 0) == (p <= 0.05) or abs(p - 0.05) < 0.01


@pytest.mark.parametrize(("p", "people"), [(0.05, 10), (0.05 / 3, 10), (0.01, 400), (0.05, 4)])
def test_so_many_draws_can_give_the_p_value_and_fewer_cannot(p, people):
    needed = fewest_draws(p, people)
    assert p_value(np.ones(needed), people) <= p < p_value(np.ones(needed - 1), people)
    assert fewest_draws(p, 2) is None


def test_no_difference_in_any_draw_is_no_sign_of_one():
    assert p_value(np.zeros(100), 20) == 1
    assert p_value(np.ones(100), 10**6) == pytest.approx(2 / 101, rel=1e-4)
    assert p_value(np.ones(100), 5) > 0.05
