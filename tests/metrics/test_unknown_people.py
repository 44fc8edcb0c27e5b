"""The reject option against a loop over the probes."""

import numpy as np
import pytest

from facenet_tf.metrics import rejection


def test_shares_are_those_of_a_loop():
    random = np.random.default_rng(1)
    known, unknown = random.normal(size=100), random.normal(0.5, 1, 70)
    right = random.random(100) < 0.8
    found = rejection(known, right, unknown, 0.3)
    counts = {"named": 0, "misnamed": 0, "turned_away": 0}
    for doubt, flag in zip(known, right):
        counts["turned_away" if doubt > 0.3 else "named" if flag else "misnamed"] += 1
    for name, count in counts.items():
        assert getattr(found, name) == pytest.approx(count / 100)
    assert found.detected == pytest.approx(sum(doubt > 0.3 for doubt in unknown) / 70)
    assert found.named + found.misnamed + found.turned_away == pytest.approx(1)


def test_weights_are_repetitions():
    random = np.random.default_rng(2)
    known, unknown, right = random.random(30), random.random(20), random.random(30) < 0.7
    times = random.integers(0, 3, 30), random.integers(0, 3, 20)
    found = rejection(known, right, unknown, 0.5, times)
    repeated = [np.repeat(each, times[0]) for each in (known, right)]
    expected = rejection(*repeated, np.repeat(unknown, times[1]), 0.5)
    assert vars(found) == pytest.approx(vars(expected))
    with pytest.raises(ValueError, match="no probe"):
        rejection(known, right, unknown, 0.5, (np.zeros(30), None))


def test_lost_probes_are_errors_at_every_threshold():
    for threshold in (-1e9, 0.0, 1e9):
        found = rejection([np.inf], [False], [-np.inf], threshold)
        assert (found.named, found.turned_away, found.detected) == (0, 1, 0)


@pytest.mark.parametrize("doubts", [[], [np.nan], [[0.1]]])
def test_doubts_must_be_numbers(doubts):
    with pytest.raises(ValueError, match="doubts"):
        rejection([0.1], [True], doubts, 0.1)
