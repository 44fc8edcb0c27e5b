import numpy as np
import pytest
from scipy.stats import binomtest

from facenet_tf.metrics import (
    TooFewPeople,
    area_under_curve,
    bootstrap_identities,
    limits_at_the_end,
    percentiles,
    roc_curve,
    tar_at,
    wilson_interval,
)


@pytest.mark.parametrize(("successes", "trials"), [(0, 5), (5, 5), (3, 7), (5899, 6000)])
def test_wilson_is_that_of_scipy(successes, trials):
    expected = binomtest(successes, trials).proportion_ci(method="wilson")
    assert wilson_interval(successes, trials) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (-1, 3), (4, 3)])
def test_wilson_refuses_impossible_counts(successes, trials):
    with pytest.raises(ValueError, match="trials"):
        wilson_interval(successes, trials)


def pairs_of_people(people=12, pictures=4, seed=0):
    random = np.random.default_rng(seed)
    identity = np.repeat(np.arange(people), pictures)
    left, right = np.triu_indices(len(identity), 1)
    genuine = identity[left] == identity[right]
    return genuine, random.normal(size=len(left)) - genuine, (identity[left], identity[right])


def auc(curve):
    return [area_under_curve(curve)]


def test_interval_holds_the_figure_and_repeats_with_its_seed():
    genuine, distance, sides = pairs_of_people()
    draw = {"draws": 100, "seed": 3}
    first = bootstrap_identities(genuine, distance, sides, auc, **draw)
    low, high = first[0]
    assert low < area_under_curve(roc_curve(genuine, distance)) < high
    np.testing.assert_array_equal(
        first, bootstrap_identities(genuine, distance, sides, auc, **draw)
    )


def test_weights_are_products_of_the_people_drawn():
    """Each person has one genuine pair, whose step of the TAR shows how often he was drawn."""
    genuine, distance, (left, right) = pairs_of_people(people=3, pictures=2)
    curves = []

    def remember(curve):
        curves.append(curve)
        return [0.0]

    order = np.argsort(distance, kind="stable")
    bootstrap_identities(genuine, distance, (left, right), remember, draws=20)
    for curve in curves:
        drawn = 3 * np.diff(curve.tar)[genuine[order]]
        times = dict(zip(left[order][genuine[order]], drawn, strict=True))
        np.testing.assert_allclose(drawn, np.rint(drawn), atol=1e-12)
        products = np.array([times[a] * times[b] for a, b in zip(left, right, strict=True)])
        expected = (products * ~genuine)[order]
        np.testing.assert_allclose(np.diff(curve.far), expected / expected.sum(), atol=1e-12)


@pytest.mark.parametrize("decimals", [1, 12], ids=["ties", "no ties"])
def test_intervals_are_those_of_curves_drawn_one_by_one(decimals):
    genuine, distance, (left, right) = pairs_of_people()
    distance = distance.round(decimals)
    found = bootstrap_identities(genuine, distance, (left, right), auc, draws=100, seed=7)
    random = np.random.default_rng([7, 12])
    areas = []
    for _ in range(100):
        times = np.bincount(random.integers(12, size=12), minlength=12)
        weights = np.where(left == right, times[left], times[left] * times[right])
        areas.append(area_under_curve(roc_curve(genuine, distance, weights)))
    np.testing.assert_allclose(found[0], percentiles(np.array(areas)[:, None], 12)[0], rtol=1e-12)


def test_an_interval_over_people_is_wider_than_chance_over_pairs():
    """One person who is hard for everyone: pairs look many, people are few."""
    genuine, distance, (left, right) = pairs_of_people(people=6, pictures=10)
    distance = distance + 3 * (genuine & (left == 0))
    interval = bootstrap_identities(genuine, distance, (left, right), auc)[0]
    pairs = np.arange(len(genuine))  # every pair with people of its own
    as_if_independent = bootstrap_identities(genuine, distance, (pairs, pairs), auc)[0]
    assert np.ptp(interval) > 2 * np.ptp(as_if_independent)


def test_draws_that_mostly_lack_a_kind_of_pair_are_refused():
    sides = ([0, 1], [0, 2])  # all three people must be drawn: 2 draws in 9
    with pytest.raises(TooFewPeople, match="too few people"):
        bootstrap_identities([True, False], [0.0, 1.0], sides, auc)


def test_figures_without_an_error_are_not_certain():
    """Twelve people told apart by far: a case of TAR is about one of them, of AUC about three."""
    genuine, _, sides = pairs_of_people()

    def figures(curve):
        return [area_under_curve(curve), *tar_at(curve, [0.1])]

    found = bootstrap_identities(genuine, ~genuine + 0.0, sides, figures, about=[3, 1])
    np.testing.assert_allclose(found[0], limits_at_the_end(1, 4))
    np.testing.assert_allclose(found[1], limits_at_the_end(1, 12))
