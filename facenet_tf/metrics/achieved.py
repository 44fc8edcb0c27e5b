"""What a threshold that some people chose does to pairs of others."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facenet_tf.metrics.checks import check_both_kinds, checked_pairs
from facenet_tf.metrics.pair_weights import PairWeights
from facenet_tf.metrics.resampling import Limits, intervals_or_none, people_intervals


@dataclasses.dataclass(frozen=True)
class AchievedRates:
    """FAR and TAR of a threshold, with 95 % intervals over people; these are None without draws,
    or where people are too few for them."""

    threshold: float
    far: float
    tar: float
    far_interval: Limits | None
    tar_interval: Limits | None
    balanced_interval: Limits | None

    @property
    def balanced(self) -> float:
        """Mean of the accuracies on genuine and on impostor pairs: (TAR + 1 - FAR) / 2."""
        return (self.tar + 1 - self.far) / 2

    @property
    def fnmr(self) -> float:
        """False non-match rate, 1 - TAR."""
        return 1 - self.tar

    @property
    def fnmr_interval(self) -> Limits | None:
        """Of the false non-match rate."""
        return self.tar_interval and [1 - end for end in reversed(self.tar_interval)]


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
        distance: float [N]; +inf is accepted at no threshold.
        identities: the persons left and right of each pair, two [N] arrays of one type.
        thresholds: a pair is accepted when its distance is at most this.
        draws: of people, behind the intervals (`resampling`); 0: none.
        seed: of the draws.

    Raises:
        ValueError: bad input, or one kind of pair only.
    """
    flags, distances = checked_pairs(genuine, distance)
    check_both_kinds(flags)
    weights = PairWeights(*identities)

    def of_cells(counted: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
        kinds = (counted & ~flags, counted & flags)
        return [np.bincount(weights.cell[kind], minlength=weights.cells) for kind in kinds]

    accepted = [of_cells(distances <= threshold) for threshold in thresholds]
    counts = np.array([of_cells(np.ones(len(flags), bool)), *accepted], np.float64)

    def drawn(times: NDArray[np.float64]) -> NDArray[np.float64]:
        return _rates(counts @ weights.of_cells(times)).ravel()

    cases = [weights.cases(2), weights.cases(1), weights.cases(2)] * len(accepted)
    intervals = intervals_or_none(
        len(cases),
        people_intervals,
        weights.people,
        drawn,
        draws=draws,
        seed=seed,
        cases=cases,
    )
    rates = _rates(counts.sum(axis=2))
    return [
        AchievedRates(float(threshold), float(far), float(tar), *intervals[3 * row : 3 * row + 3])
        for row, (threshold, (far, tar, _)) in enumerate(zip(thresholds, rates))
    ]


def _rates(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """FAR, TAR and balanced accuracy, [T, 3], from [1 + T, 2]: how many impostor and genuine pairs
    there are, and how many of them T thresholds accept.

    Raises:
        ValueError: there are none of one kind.
    """
    if not counts[0].all():
        raise ValueError("no genuine or no impostor pair")
    far, tar = (counts[1:] / counts[0]).T
    return np.stack([far, tar, (tar + 1 - far) / 2], axis=1)
