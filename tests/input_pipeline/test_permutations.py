"""The grouped stream against a plain list that is built from the start."""

from __future__ import annotations

import itertools
from functools import partial

import numpy as np
import pytest

from facenet_tf.input_pipeline.permutations import (
    GroupedPermutations,
    keyed_bits,
    keyed_permutation,
)

SIZES = [(items, size) for size in (1, 2, 3, 4, 5, 8) for items in range(size, 3 * size + 3)]


def raw_order(items: int, seed: int, round_: int) -> np.ndarray:
    return np.random.default_rng([items, seed, round_]).permutation(items)


def stream(items: int, size: int, seed: int, length: int) -> list[int]:
    """The rule in plain words: when a round begins inside a group, first what the group lacks."""
    items_so_far: list[int] = []
    for round_ in itertools.count():
        if len(items_so_far) >= length:
            return items_so_far
        order = raw_order(items, seed, round_).tolist()
        begun = len(items_so_far) % size
        group = items_so_far[len(items_so_far) - begun :]
        missing = size - begun if begun else 0
        head = [item for item in order if item not in group][:missing]
        items_so_far += head + [item for item in order if item not in head]
    raise AssertionError


@pytest.mark.parametrize(("items", "size"), SIZES)
def test_random_access_is_the_stream_from_the_start(items: int, size: int) -> None:
    groups = 25
    for seed in range(3):
        expected = stream(items, size, seed, groups * size)
        grouped = GroupedPermutations(items, size, partial(raw_order, items, seed))
        for number in reversed(range(groups)):
            members, rounds = grouped.group(number)
            assert members.tolist() == expected[number * size :][:size]
            assert rounds.tolist() == [
                position // items for position in range(number * size, (number + 1) * size)
            ]


@pytest.mark.parametrize(("items", "size"), [*SIZES, (17, 16), (31, 16), (32, 16), (100, 45)])
def test_rounds_are_complete_and_groups_without_repeats(items: int, size: int) -> None:
    grouped = GroupedPermutations(items, size, partial(raw_order, items, 7))
    groups = [grouped.group(number)[0].tolist() for number in range(4 * items)]
    assert all(len(set(group)) == size for group in groups)
    flat = list(itertools.chain(*groups))
    rounds = [flat[start : start + items] for start in range(0, len(flat), items)]
    assert all(sorted(round_) == list(range(items)) for round_ in rounds)


@pytest.mark.parametrize(("items", "size"), [(1, 2), (1, 4), (2, 4), (3, 4), (3, 8)])
def test_too_few_items_fill_a_group_up(items: int, size: int) -> None:
    grouped = GroupedPermutations(items, size, partial(raw_order, items, 1))
    for number in range(6):
        members, drawn = grouped.group(number)
        counts = np.bincount(members, minlength=items)
        assert counts.sum() == size
        assert counts.max() - counts.min() <= 1
        # Each further draw of an item within the group counts as one more.
        for item in range(items):
            assert drawn[members == item].tolist() == [number + i for i in range(counts[item])]


@pytest.mark.parametrize(("items", "size", "bound"), [(5, 4, 6), (79, 40, 42), (1000, 45, 3)])
def test_a_late_group_costs_few_permutations(items: int, size: int, bound: int) -> None:
    asked = []

    def permutation(round_: int) -> np.ndarray:
        asked.append(round_)
        return raw_order(items, 0, round_)

    for number in range(10**9, 10**9 + 100):
        asked.clear()
        GroupedPermutations(items, size, permutation).group(number)
        assert len(asked) <= bound


def test_keyed_permutations_differ_by_every_part_of_the_key() -> None:
    keys = [(0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (2**62, 0, 0, 0)]
    orders = {tuple(keyed_permutation(30, *key).tolist()) for key in keys}
    assert len(orders) == len(keys)
    assert all(sorted(order) == list(range(30)) for order in orders)


def test_keyed_permutations_are_uniform() -> None:
    rounds = 6000
    orders = [tuple(keyed_permutation(3, 5, 0, 0, round_).tolist()) for round_ in range(rounds)]
    counts = [orders.count(order) for order in itertools.permutations(range(3))]
    chi_squared = sum((count - rounds / 6) ** 2 / (rounds / 6) for count in counts)
    assert chi_squared < 20.5  # 0.999 quantile, 5 degrees of freedom


@pytest.mark.parametrize("key", [(0, 0, 0, 0), (2**62, 3, 7, 2**41), (5, 1, 2**40, 9)])
def test_bits_are_those_of_a_generator_of_their_own(key: tuple[int, int, int, int]) -> None:
    seed, purpose, item, round_ = key
    for count in (1, 3, 8, 50):
        generator = np.random.Philox(key=[seed, purpose], counter=[0, 0, item, round_])
        np.testing.assert_array_equal(keyed_bits(count, *key), generator.random_raw(count))


def test_a_key_means_the_same_order_for_ever() -> None:
    assert keyed_permutation(8, 1, 2, 3, 4).tolist() == [6, 3, 1, 0, 5, 2, 4, 7]
