"""Groups with partners: who was confused comes together, and those drawn are drawn as before."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from facenet_tf.input_pipeline.partners import GroupsWithPartners
from facenet_tf.input_pipeline.permutations import (
    GroupedPermutations,
    keyed_bits,
    keyed_permutation,
)

ITEMS, SIZE = 40, 8


def rounds(size: int, purpose: int) -> GroupedPermutations:
    return GroupedPermutations(ITEMS, size, partial(keyed_permutation, ITEMS, 1, purpose, 0))


def with_partners(partners: np.ndarray, drawn: int = SIZE // 2) -> GroupsWithPartners:
    return GroupsWithPartners(
        rounds(drawn, 0), rounds(SIZE, 1), partners, SIZE, partial(keyed_bits, SIZE, 1, 2, 0)
    )


# 0 and 1, 2 and 3, … were confused with each other.
TWINS = (np.arange(ITEMS) ^ 1)[:, None]
NOBODY = np.full([ITEMS, 3], -1)


def test_the_confused_come_into_one_group() -> None:
    for number in range(100):
        members = with_partners(TWINS).group(number)[0]
        drawn = members[: SIZE // 2]
        lone = [member for member in drawn.tolist() if member ^ 1 not in drawn]
        assert {member ^ 1 for member in lone} <= set(members.tolist())


@pytest.mark.parametrize("partners", [TWINS, NOBODY, np.zeros([ITEMS, 1], int)])
@pytest.mark.parametrize("drawn", [1, 4, 7])
def test_groups_are_full_and_without_repeats(partners: np.ndarray, drawn: int) -> None:
    for number in range(200):
        members, turns = with_partners(partners, drawn).group(number)
        assert len(set(members.tolist())) == len(members) == len(turns) == SIZE


def test_those_drawn_are_drawn_as_without_partners() -> None:
    for number in range(50):
        members, turns = with_partners(TWINS).group(number)
        plain, plain_turns = rounds(SIZE // 2, 0).group(number)
        np.testing.assert_array_equal(members[: SIZE // 2], plain)
        np.testing.assert_array_equal(turns[: SIZE // 2], plain_turns)
        assert turns[SIZE // 2 :].min() >= 2**40  # a range of their own


def test_partners_bring_partners() -> None:
    ring = ((np.arange(ITEMS) + 1) % ITEMS)[:, None]
    members = with_partners(ring, drawn=1).group(3)[0]
    assert members.tolist() == [(members[0] + step) % ITEMS for step in range(SIZE)]


def test_all_partners_of_an_item_have_their_turn() -> None:
    several = (np.arange(ITEMS)[:, None] + [10, 20, 30]) % ITEMS
    brought = set()
    for number in range(400):
        members = with_partners(several, drawn=7).group(number)[0]
        brought.add((int(members[-1]) - int(members[0])) % ITEMS)
    assert {10, 20, 30} <= brought


def test_without_partners_the_rest_is_drawn_evenly() -> None:
    groups = with_partners(NOBODY)
    filled = np.concatenate([groups.group(number)[0][SIZE // 2 :] for number in range(2000)])
    counts = np.bincount(filled, minlength=ITEMS)
    np.testing.assert_allclose(counts / counts.sum(), 1 / ITEMS, rtol=0.2)


def test_a_group_is_a_function_of_its_number() -> None:
    one, other = with_partners(TWINS), with_partners(TWINS)
    for number in (10**6, 3, 0):
        np.testing.assert_array_equal(one.group(number), other.group(number))
