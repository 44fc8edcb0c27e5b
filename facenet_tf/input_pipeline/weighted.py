"""Groups without repeats in which items appear in proportion to weights, with random access.

Systematic sampling (Madow, On the Theory of Systematic Sampling II, Annals of Mathematical
Statistics 20, 1949): the items lie on a line, each as long as it is to appear in a group; points
at distances of 1 choose a group. Nothing is longer than 1, so no group repeats an item.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from facenet_tf.input_pipeline.permutations import keyed_bits, keyed_permutation

_ONE = 2**32  # lengths are integers in these units: what is exact needs no tolerance
_ORDER, _TURNS, _SHIFT = 0, 1, 2  # what a round draws, part of its key


class _Round(NamedTuple):
    """The items in the order of the line, where each ends, the round's turns and their shift."""

    order: np.ndarray
    ends: np.ndarray
    turns: np.ndarray
    shift: int


class WeightedGroups:
    """Rounds of ⌈items / size⌉ groups; `presence` says how often each item is in a group.

    In a round of M groups an item appears M times its presence, rounded down or up, and on average
    over rounds exactly (to 2^-32): the groups' points together divide the line evenly. The order
    of the line is another in each round, and so is that of the groups.

    Args:
        weights: [items], above 0.
        size: items of a group, at most as many as there are.
        seed: 0…2^63 - 1.
        purpose: tells this stream from others of the same seed.

    Attributes:
        presence: float64 [items], at most 1, sums to `size`.
    """

    def __init__(self, weights: np.ndarray, size: int, seed: int, purpose: int) -> None:
        self.size, self._seed, self._purpose = size, seed, purpose
        self.presence = capped_shares(np.asarray(weights, np.float64), size)
        self._lengths = _whole(self.presence, size)
        self._groups = -(-len(self._lengths) // size)
        self._most = -(-self._lengths * self._groups // _ONE)
        # A step looks at one round, the workers of a pipeline at two.
        self._round = functools.lru_cache(maxsize=4)(self._drawn_round)

    def group(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Items int64 [size] of group `number`, and the number of this turn of each, int64 [size].

        A pure function of `number` that costs one round at most. Turns are numbered in the order
        of the line, and a round leaves numbers out where an item has a turn less than it may have.
        """
        round_, turn = divmod(number, self._groups)
        line = self._round(round_)
        # Point p of the round is at (p · _ONE + shift) / groups; those of a group are 1 apart.
        points = line.turns[turn] + self._groups * np.arange(self.size)
        places = np.searchsorted(
            line.ends, (points * _ONE + line.shift) // self._groups, side="right"
        )
        items = line.order[places]
        starts = line.ends[places] - self._lengths[items]
        first_points = -((line.shift - starts * self._groups) // _ONE)
        return items, round_ * self._most[items] + points - first_points

    def _drawn_round(self, round_: int) -> _Round:
        key = self._seed, self._purpose
        order = keyed_permutation(len(self._lengths), *key, _ORDER, round_)
        turns = keyed_permutation(self._groups, *key, _TURNS, round_)
        shift = int(keyed_bits(1, *key, _SHIFT, round_)[0]) % _ONE
        return _Round(order, np.cumsum(self._lengths[order]), turns, shift)


def capped_shares(weights: np.ndarray, total: int) -> np.ndarray:
    """Numbers float64 [items] in proportion to the weights that sum to `total`, none above 1.

    What exceeds 1 is cut off, and the others share what is left, in proportion again.
    """
    full = np.zeros(len(weights), bool)
    while True:
        rest = (total - full.sum()) / weights[~full].sum()
        shares = np.where(full, 1.0, weights * rest)
        above = shares > 1.0
        if not above.any():
            return shares
        full |= above


def _whole(shares: np.ndarray, total: int) -> np.ndarray:
    """The shares in units of 1 / _ONE, int64 [items]: their sum is `total`, none is above 1."""
    lengths = np.floor(shares * _ONE).astype(np.int64)
    missing = total * _ONE - int(lengths.sum())
    lengths[np.flatnonzero(lengths < _ONE)[:missing]] += 1
    return lengths
