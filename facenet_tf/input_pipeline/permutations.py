"""An endless stream of permutations, cut into groups without repeats, with random access."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

_OF_THREAD = threading.local()


class Groups(Protocol):
    """An endless sequence of groups without repeats, with random access."""

    def group(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Items int64 [size] of group `number`, and for each the number of this turn among all its
        turns, int64 [size]."""


def keyed_bits(count: int, seed: int, purpose: int, item: int, round_: int) -> np.ndarray:
    """Random uint64 [count] that belong to these numbers, the same in every NumPy version.

    Philox is counter based: `item` and `round_` in the upper words of the counter give streams
    that never overlap.
    """
    if not hasattr(_OF_THREAD, "philox"):
        _OF_THREAD.philox = np.random.Philox()
        _OF_THREAD.state = _OF_THREAD.philox.state
    # To make a generator for each key takes three times as long.
    state = _OF_THREAD.state
    state["state"]["key"][:] = seed, purpose
    state["state"]["counter"][:] = 0, 0, item, round_
    state["buffer_pos"] = len(state["buffer"])
    _OF_THREAD.philox.state = state
    return _OF_THREAD.philox.random_raw(count)


def keyed_permutation(size: int, seed: int, purpose: int, item: int, round_: int) -> np.ndarray:
    """The permutation int64 [size] of 0…size-1 that belongs to these numbers.

    Sorting raw bits rather than calling `Generator.permutation` keeps the order the same in every
    NumPy version.
    """
    return np.argsort(keyed_bits(size, seed, purpose, item, round_), kind="stable")


@dataclass(frozen=True)
class GroupedPermutations:
    """Rounds 0, 1, … over `items` things, joined to one stream and cut into groups of `size`.

    Every round holds every item once. Where a group straddles two rounds, the later round first
    gives items that the group does not hold yet, so no group repeats an item. Where there are
    fewer items than `size`, a group is one round, filled up by going through it again.

    `permutation(round)` returns the raw order int64 [items] of a round.
    """

    items: int
    size: int
    permutation: Callable[[int], np.ndarray]

    def group(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Items int64 [size] of group `number` and how often each was drawn before, int64 [size].

        A pure function of `number`; it costs a bounded number of permutations, however large
        `number` is.
        """
        if self.items < self.size:
            repeats = np.arange(self.size) // self.items
            return np.resize(self.permutation(number), self.size), number + repeats
        positions = number * self.size + np.arange(self.size)
        rounds = positions // self.items
        first, last = int(rounds[0]), int(rounds[-1])
        orders = self._rounds(first, last)
        return orders[rounds - first, positions % self.items], rounds

    def _rounds(self, first: int, last: int) -> np.ndarray:
        """Orders int64 [last - first + 1, items] of these rounds as the stream holds them."""
        order = None
        orders = []
        for number in range(self._known_round(first), last + 1):
            order = self._joined(order, number)
            orders.append(order)
        return np.stack(orders[first - last - 1 :])

    def _known_round(self, first: int) -> int:
        """A round from which the raw permutations lead to the right order of round `first`.

        Joining moves the first `size` entries of a round at most. With 2·size - 1 items the end
        of a round, all that the next one looks at, is thus never moved; with fewer, a round that
        starts with a group is the nearest one that does not depend on what was before.
        """
        period = self.size // math.gcd(self.items, self.size)
        if self.items >= 2 * self.size - 1 and first % period:
            return first - 1
        return first - first % period

    def _joined(self, previous: np.ndarray | None, number: int) -> np.ndarray:
        """Order of round `number`, given the order of the round before (None: irrelevant)."""
        raw = self.permutation(number)
        taken = number * self.items % self.size
        if previous is None or taken == 0:
            return raw
        head = raw[: self.size]
        free = ~np.isin(head, previous[-taken:])
        drawn = free & (np.cumsum(free) <= self.size - taken)
        return np.concatenate([head[drawn], head[~drawn], raw[self.size :]])
