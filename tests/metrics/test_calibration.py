"""Probabilities against their definitions, scikit-learn and a search for the best curve."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.metrics import brier_score_loss

from facenet_tf.metrics import (
    Logistic,
    balanced_weights,
    brier_score,
    brier_score_of_classes,
    fit_logistic,
    reliability,
)


@pytest.fixture
def claims():
    random = np.random.default_rng(0)
    probability = random.random(500)
    return probability, random.random(500) < probability**2


def test_bins_are_those_of_a_loop(claims):
    probability, truth = claims
    found = reliability(probability, truth, bins=7)
    error = 0.0
    for number in range(7):
        inside = [i for i, p in enumerate(probability) if number / 7 <= p < (number + 1) / 7]
        assert found.share[number] == pytest.approx(len(inside) / 500)
        assert found.claimed[number] == pytest.approx(np.mean(probability[inside]))
        assert found.observed[number] == pytest.approx(np.mean(truth[inside]))
        error += len(inside) / 500 * abs(np.mean(probability[inside]) - np.mean(truth[inside]))
    assert found.error == pytest.approx(error)


def test_honest_claims_have_a_small_error_and_bold_ones_a_large_one():
    random = np.random.default_rng(1)
    probability = random.random(200_000)
    truth = random.random(200_000) < probability
    assert reliability(probability, truth).error < 0.01
    assert reliability(np.ones(200_000), truth).error == pytest.approx(0.5, abs=0.01)


def test_certainty_is_in_the_last_bin_and_empty_bins_count_nothing():
    found = reliability([1.0, 1.0, 0.0], [True, False, False], bins=5)
    assert found.share.tolist() == [1 / 3, 0, 0, 0, 2 / 3]
    assert np.isnan(found.claimed[1:4]).all()
    assert found.error == pytest.approx(2 / 3 * 0.5)


def test_weights_repeat_claims(claims):
    probability, truth = claims
    times = np.random.default_rng(2).integers(0, 4, 500)
    weighted = reliability(probability, truth, weights=times)
    repeated = reliability(np.repeat(probability, times), np.repeat(truth, times))
    np.testing.assert_allclose(weighted.observed, repeated.observed)
    assert weighted.error == pytest.approx(repeated.error)
    assert brier_score(probability, truth, weights=times) == pytest.approx(
        brier_score(np.repeat(probability, times), np.repeat(truth, times))
    )


def test_brier_score_is_that_of_scikit_learn(claims):
    probability, truth = claims
    assert brier_score(probability, truth) == pytest.approx(brier_score_loss(truth, probability))


def test_brier_score_of_classes_weights_are_repetitions():
    rows, labels, times = (
        np.random.default_rng(0).dirichlet([1] * 3, 9),
        np.arange(9) % 3,
        np.arange(9),
    )
    expected = brier_score_of_classes(np.repeat(rows, times, axis=0), np.repeat(labels, times))
    assert brier_score_of_classes(rows, labels, weights=times) == pytest.approx(expected)
    with pytest.raises(ValueError, match="weights"):
        brier_score_of_classes(rows, labels, weights=np.zeros(9))


def test_brier_score_of_classes_is_its_definition():
    random = np.random.default_rng(3)
    rows = random.dirichlet(np.ones(4), 50)
    labels = random.integers(0, 4, 50)
    expected = np.mean(((rows - np.eye(4)[labels]) ** 2).sum(axis=1))
    assert brier_score_of_classes(rows, labels) == pytest.approx(expected)
    assert brier_score_of_classes(np.eye(3), [0, 1, 2]) == 0
    assert brier_score_of_classes(np.eye(3), [1, 2, 0]) == 2


@pytest.mark.parametrize(
    ("probability", "truth", "weights"),
    [
        ([], [], None),
        ([0.5], [True, False], None),
        ([1.1], [True], None),
        ([np.nan], [True], None),
        ([0.5], [True], [-1.0]),
        ([0.5], [True], [0.0]),
    ],
)
def test_bad_claims_are_refused(probability, truth, weights):
    with pytest.raises(ValueError):
        reliability(probability, truth, weights=weights)


def test_balanced_weights_give_each_kind_one_half():
    flags = np.array([True, False, False, False])
    weights = balanced_weights(flags)
    assert weights[flags].sum() == weights[~flags].sum() == 0.5
    with pytest.raises(ValueError):
        balanced_weights([True, True])


@pytest.mark.parametrize("balanced", [False, True])
def test_the_curve_is_the_likeliest_one(balanced):
    random = np.random.default_rng(4)
    flags = random.random(300) < 0.2
    values = np.where(flags, 0.8, 1.5) + 0.4 * random.normal(size=300)
    found = fit_logistic(values, flags, balanced=balanced)

    genuine = flags.sum()
    target = np.where(flags, (genuine + 1) / (genuine + 2), 1 / (300 - genuine + 2))
    weights = balanced_weights(flags) if balanced else np.full(300, 1 / 300)

    def loss(parameters):
        p = 1 / (1 + np.exp(-(parameters[1] + parameters[0] * values)))
        return -np.sum(weights * (target * np.log(p) + (1 - target) * np.log(1 - p)))

    expected = minimize(loss, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-8}).x
    assert [found.slope, found.intercept] == pytest.approx(expected, rel=1e-3)
    assert found.slope < 0


def test_a_known_curve_is_found_again():
    random = np.random.default_rng(5)
    true = Logistic(-6.0, 7.0)
    values = random.uniform(0, 2.5, 100_000)
    found = fit_logistic(values, random.random(100_000) < true.probability(values))
    assert found.slope == pytest.approx(true.slope, rel=0.03)
    assert found.intercept == pytest.approx(true.intercept, rel=0.03)


def test_kinds_that_are_apart_give_a_finite_steep_curve():
    values = np.r_[np.linspace(0, 0.5, 50), np.linspace(1.5, 2, 50)]
    found = fit_logistic(values, values < 1)
    assert np.isfinite([found.slope, found.intercept]).all()
    assert found.probability([0.0, 2.0]) == pytest.approx([1, 0], abs=0.05)
    assert found.probability([np.inf, -np.inf]).tolist() == [0, 1]


def test_values_that_tell_nothing_give_the_share():
    found = fit_logistic(np.ones(40), np.arange(40) < 10)
    assert found.probability(1.0) == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize(
    ("values", "flags"),
    [([0.0, 1.0], [True, True]), ([0.0, np.inf], [True, False]), ([0.0], [True, False])],
)
def test_nothing_to_fit_is_refused(values, flags):
    with pytest.raises(ValueError):
        fit_logistic(values, flags)
