"""Weighted groups: exact shares, no repeats, random access."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from facenet_tf.input_pipeline.weighted import WeightedGroups, capped_shares

RNG = np.random.default_rng(4)
CASES = [
    (np.ones(7), 3),
    (np.arange(1, 41), 8),
    (RNG.pareto(1.0, 200) + 0.01, 16),
    (np.array([1000.0, 1, 1, 1, 1]), 2),
    (np.array([5.0, 1, 3]), 3),
    (np.array([2.0]), 1),
]


def groups_of(weights: np.ndarray, size: int, count: int, seed: int = 3) -> np.ndarray:
    groups = WeightedGroups(weights, size, seed, purpose=0)
    return np.stack([groups.group(number)[0] for number in range(count)])


@pytest.mark.parametrize(("weights", "size"), CASES)
def test_no_group_repeats_an_item(weights: np.ndarray, size: int) -> None:
    for group in groups_of(weights, size, 300):
        assert len(set(group.tolist())) == size
        assert set(group.tolist()) <= set(range(len(weights)))


@pytest.mark.parametrize(("weights", "size"), CASES)
def test_each_round_gives_each_item_its_share_to_less_than_one(weights, size) -> None:
    groups = WeightedGroups(weights, size, 11, purpose=0)
    length = -(-len(weights) // size)
    for round_ in range(20):
        numbers = range(round_ * length, (round_ + 1) * length)
        drawn = np.concatenate([groups.group(number)[0] for number in numbers])
        counts = np.bincount(drawn, minlength=len(weights))
        assert np.abs(counts - length * groups.presence).max() < 1.0


@pytest.mark.parametrize(("weights", "size"), CASES[:4])
@pytest.mark.parametrize("seed", [0, 1, 2**40])
def test_frequencies_are_those_wanted(weights: np.ndarray, size: int, seed: int) -> None:
    """By chi-square: below the upper bound, and in shares as their closed form says."""
    drawn = groups_of(weights, size, 3000, seed)
    wanted = 3000 * WeightedGroups(weights, size, seed, 0).presence
    assert wanted.sum() == pytest.approx(drawn.size)
    found = np.bincount(drawn.ravel(), minlength=len(weights))
    statistic = ((found - wanted) ** 2 / wanted).sum()
    assert statistic < stats.chi2.ppf(0.999, max(1, len(weights) - 1))
    if wanted.max() < 3000:
        np.testing.assert_allclose(wanted / wanted.sum(), weights / np.sum(weights))


def test_who_meets_whom_is_left_to_chance() -> None:
    """Of items that weigh the same, all pairs meet equally often."""
    count, size, steps = 9, 4, 4500
    present = np.zeros((steps, count))
    for step, group in enumerate(groups_of(np.ones(count), size, steps)):
        present[step, group] = 1
    together = (present.T @ present)[np.triu_indices(count, 1)]
    np.testing.assert_allclose(together, steps * size * (size - 1) / count / (count - 1), rtol=0.12)


@pytest.mark.parametrize(("weights", "size"), CASES)
def test_turns_are_numbered_without_repeats(weights: np.ndarray, size: int) -> None:
    groups = WeightedGroups(weights, size, 5, purpose=0)
    seen: set[tuple[int, int]] = set()
    for number in range(200):
        items, turns = groups.group(number)
        seen |= set(zip(items.tolist(), turns.tolist(), strict=True))
    assert len(seen) == 200 * size
    length = -(-len(weights) // size)
    rounds = -(-200 // length)
    latest = max(turn for _, turn in seen)
    assert latest < rounds * np.ceil(length * groups.presence.max() + 1e-9)


def test_random_access_far_away_is_the_same_walked_or_not() -> None:
    weights = np.arange(1, 60)
    walked, fresh = (WeightedGroups(weights, 8, 2, purpose=1) for _ in range(2))
    for number in range(999_900, 1_000_001):
        last = walked.group(number)
    np.testing.assert_array_equal(last, fresh.group(1_000_000))
    other = WeightedGroups(weights, 8, 3, purpose=1)
    assert other.group(1_000_000)[0].tolist() != last[0].tolist()


def test_very_many_items_need_no_tolerance() -> None:
    """Shares near 2^-16 and at the cap, side by side."""
    weights = np.concatenate([np.ones(100_000), [1e9, 1e9]])
    groups = WeightedGroups(weights, 16, 0, purpose=0)
    for number in (0, 5, 10**6):
        group = groups.group(number)[0]
        assert len(set(group.tolist())) == 16
        assert {100_000, 100_001} <= set(group.tolist())


@pytest.mark.parametrize(("weights", "size"), CASES)
def test_shares_are_capped_and_proportional(weights: np.ndarray, size: int) -> None:
    shares = capped_shares(np.asarray(weights, float), size)
    assert shares.sum() == pytest.approx(size)
    assert shares.max() <= 1.0
    below = shares < 1.0
    if below.any():
        ratio = shares[below] / np.asarray(weights, float)[below]
        np.testing.assert_allclose(ratio, ratio[0])
        assert (np.asarray(weights)[~below] * ratio[0] >= 1.0 - 1e-12).all()


def test_a_seed_means_the_same_groups_for_ever() -> None:
    groups = WeightedGroups(np.arange(1, 11), 3, 1, purpose=2)
    assert [groups.group(number)[0].tolist() for number in (0, 1, 10**6)] == [
        [1, 8, 3],
        [0, 9, 7],
        [8, 7, 9],
    ]
