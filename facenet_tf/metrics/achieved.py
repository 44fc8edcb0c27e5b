"""What a threshold that some people chose does to pairs of others."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facenet_tf.metrics.checks import check_both_kinds, checked_pairs
from facenet_tf.metrics.intervals import check_draws
from facenet_tf.metrics.people_draws import PeopleDraws

Interval = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class AchievedRates:
    """FAR and TAR of a threshold, with 95 % intervals over people (None without draws)."""

    threshold: float
    far: float
    tar: float
    far_interval: Interval | None
    tar_interval: Interval | None


def achieved_rates(
    genuine: ArrayLike,
    distance: ArrayLike,
    identities: tuple[ArrayLike, ArrayLike],
    thresholds: Sequence[float],
    *,
    draws: int = 200,
    seed: int = 0,
) -> list[AchievedRates]:
    """FAR and TAR of given thresholds on pairs that had no part in choosing them.

    Pairs of the same two people count alike in a draw, so that a draw costs as much as there are
    pairs of people, not of pictures.

    Args:
        genuine: bool [N].
        distance: float [N]; an infinite one is an error at every threshold.
        identities: the persons left and right of each pair, two [N] arrays of one type.
        thresholds: a pair is accepted when its distance is at most this.
        draws: of people, behind the intervals (`PeopleDraws`); 0: none.
        seed: of the draws.

    Raises:
        ValueError: bad input, one kind of pair only, or too few people for the draws.
    """
    flags, distances = checked_pairs(genuine, distance)
    check_both_kinds(flags)
    names, codes = np.unique(np.concatenate(identities), return_inverse=True)
    left, right = codes.reshape(2, -1)
    cells, cell = np.unique(left * len(names) + right, return_inverse=True)

    def of_cells(counted: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
        kinds = (counted & ~flags, counted & flags)
        return [np.bincount(cell[kind], minlength=len(cells)) for kind in kinds]

    accepted = [of_cells(distances <= threshold) for threshold in thresholds]
    counts = np.array([of_cells(np.ones(len(flags), bool)), *accepted], np.float64)
    rates = _shares(counts.sum(axis=2))
    intervals = _intervals(counts, np.divmod(cells, len(names)), draws, seed)
    return [
        AchievedRates(float(threshold), float(far), float(tar), *intervals[row])
        for row, (threshold, (far, tar)) in enumerate(zip(thresholds, rates))
    ]


def _shares(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """FAR and TAR, [T, 2], from [1 + T, 2]: how many pairs there are, how many T accept."""
    return counts[1:] / counts[0]


def _intervals(
    counts: NDArray[np.float64],
    people: tuple[NDArray[np.int64], NDArray[np.int64]],
    draws: int,
    seed: int,
) -> list[tuple[Interval | None, Interval | None]]:
    """For each threshold the intervals of FAR and TAR, from [1 + T, 2, cells]."""
    if not draws:
        return [(None, None)] * (len(counts) - 1)
    drawn = PeopleDraws(*people, seed)
    samples = []
    for _ in range(draws):
        weighted = counts @ drawn.weights()
        if weighted[0].all():
            samples.append(_shares(weighted))
    check_draws(len(samples), draws, drawn.people)
    low, high = np.quantile(np.array(samples), [0.025, 0.975], axis=0)
    return [
        ((float(lows[0]), float(highs[0])), (float(lows[1]), float(highs[1])))
        for lows, highs in zip(low, high)
    ]
