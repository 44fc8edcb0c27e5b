"""Honesty of pairs against sums over a plain list, and people drawn by hand."""

import itertools

import numpy as np
import pytest

from facenet_tf import metrics
from facenet_tf.metrics import pair_probabilities

CURVE = metrics.Logistic(-2.0, 3.0)


def some_rows(people=8, pictures=5, seed=0):
    random = np.random.default_rng(seed)
    who = np.repeat(np.arange(people), pictures)
    rows = random.normal(size=(people, 6))[who] + 0.8 * random.normal(size=(len(who), 6))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), who


def listed(rows, who):
    left, right = np.array(list(itertools.combinations(range(len(who)), 2))).T
    distance = ((rows[left] - rows[right]) ** 2).sum(axis=1)
    return who[left] == who[right], distance, (who[left], who[right])


def test_a_list_has_the_figures_of_weighted_claims():
    genuine, distance, _ = listed(*some_rows())
    found = metrics.pair_honesty(CURVE, genuine, distance)
    claimed, weights = CURVE.probability(distance), metrics.balanced_weights(genuine)
    expected = metrics.reliability(claimed, genuine, weights=weights)
    for name in ("share", "claimed", "observed"):
        np.testing.assert_allclose(getattr(found.reliability, name), getattr(expected, name))
    assert found.reliability.error == pytest.approx(expected.error)
    assert found.brier == pytest.approx(metrics.brier_score(claimed, genuine, weights=weights))


def test_all_pairs_pass_by_in_pieces_and_are_the_list(monkeypatch):
    rows, who = some_rows()
    rows[7] = np.nan
    monkeypatch.setattr(pair_probabilities, "TILE", 9)
    found = metrics.all_pairs_honesty(CURVE, rows, who, bins=7)
    genuine, distance, _ = listed(np.delete(rows, 7, axis=0), np.delete(who, 7))
    expected = metrics.pair_honesty(CURVE, genuine, distance, bins=7)
    assert found.brier == pytest.approx(expected.brier, abs=1e-12)
    np.testing.assert_allclose(found.reliability.share, expected.reliability.share)
    assert found.reliability.error == pytest.approx(expected.reliability.error, abs=1e-12)


def test_intervals_are_those_of_people_whose_pictures_come_along():
    """Each draw by hand: the pictures of whoever is drawn, as often; who meets himself does not."""
    rows, who = some_rows(people=6)
    genuine, distance, sides = listed(rows, who)
    found = metrics.honesty_intervals(CURVE, genuine, distance, sides, draws=300, seed=1)
    random = np.random.default_rng(5)
    samples = []
    for _ in range(300):
        times = np.bincount(random.integers(6, size=6), minlength=6)
        weights = np.where(genuine, times[sides[0]], times[sides[0]] * times[sides[1]])
        if not weights[genuine].any() or not weights[~genuine].any():
            continue
        drawn = np.repeat(np.arange(len(weights)), weights)
        one = metrics.pair_honesty(CURVE, genuine[drawn], distance[drawn])
        samples.append((one.reliability.error, one.brier))
    expected = metrics.percentiles(np.array(samples), people=6)
    estimate = metrics.pair_honesty(CURVE, genuine, distance).reliability.error
    expected[0] = metrics.reflected(expected[0].tolist(), estimate)
    for interval, (low, high) in zip(found, expected, strict=True):
        assert interval == pytest.approx((low, high), abs=0.25 * (high - low))
    assert (
        found == metrics.honesty_intervals(CURVE, genuine, distance, sides, draws=300, seed=1)
    ).all()


def test_the_interval_of_an_honest_curve_begins_at_0_and_holds_its_ece():
    """What comes true does so as often as the curve says, but for chance."""
    random = np.random.default_rng(3)
    distance = random.uniform(0.5, 2.5, size=400)
    genuine = random.random(400) < CURVE.probability(distance)
    distance = np.concatenate([distance, 3 - distance])  # as many of either kind
    genuine = np.concatenate([genuine, ~genuine])
    people = random.permutation(800) % 40
    sides = people, np.where(genuine, people, (people + 1) % 40)
    ece = metrics.pair_honesty(CURVE, genuine, distance).reliability.error
    low, high = metrics.honesty_intervals(CURVE, genuine, distance, sides)[0]
    assert low == 0 and 0 < ece <= high


def test_a_certain_and_right_curve_is_honest():
    sure = metrics.Logistic(-1000.0, 500.0)
    found = metrics.pair_honesty(sure, [True, False, False], [0.1, 0.9, 1.1])
    assert found.reliability.error == pytest.approx(0, abs=1e-9)
    assert found.brier == pytest.approx(0, abs=1e-9)
    turned = metrics.pair_honesty(sure, [False, True], [0.1, 0.9])
    assert turned.reliability.error == pytest.approx(1) and turned.brier == pytest.approx(1)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="both genuine and impostor"):
        metrics.pair_honesty(CURVE, [True, True], [0.1, 0.2])
    with pytest.raises(ValueError, match="both genuine and impostor"):
        metrics.all_pairs_honesty(CURVE, np.eye(3), [0, 0, 0])
    with pytest.raises(ValueError, match="expected"):
        metrics.all_pairs_honesty(CURVE, np.eye(3), [0, 0])
    with pytest.raises(ValueError, match=r"too few people \(3\)"):
        metrics.honesty_intervals(CURVE, [True, False], [0.1, 1.0], ([0, 1], [0, 2]), draws=100)
