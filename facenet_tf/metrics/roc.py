"""Receiver operating characteristic of a list of pairs, exact on ties.

TAR (true accept rate) is the share of genuine pairs accepted, FAR (false accept rate) that of
impostor pairs accepted.
"""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facenet_tf.metrics.checks import check_both_kinds, checked_pairs

MINIMUM_FALSE_ACCEPTS = 10
"""A TAR at a FAR is quoted only where at least this many false accepts would be expected."""


@dataclasses.dataclass(frozen=True)
class RocCurve:
    """One point per distinct distance, after the point where nothing is accepted.

    At point i > 0 every pair with distance <= thresholds[i] is accepted; pairs of equal distance
    are accepted together, so a tie is one straight step. Point 0 is (0, 0), its threshold -inf.
    """

    thresholds: NDArray[np.float64]
    far: NDArray[np.float64]
    tar: NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class OperatingPoint:
    """The point of a curve that a demanded FAR allows."""

    threshold: float
    far: float
    tar: float


def roc_curve(
    genuine: ArrayLike, distance: ArrayLike, weights: ArrayLike | None = None
) -> RocCurve:
    """The empirical curve; no interpolation, no dropped points.

    Args:
        genuine: bool [N].
        distance: float [N], smaller is more alike; infinite values are allowed.
        weights: optional float [N] >= 0, how often each pair counts (for the bootstrap).

    Raises:
        ValueError: bad input (see `checked_pairs`), or no (weight on) genuine or impostor pairs.
    """
    pairs = SortedPairs(genuine, distance)
    return pairs.curve(_checked_weights(weights, len(pairs.order))[pairs.order])


class SortedPairs:
    """Pairs sorted once, for many curves that differ in the weights of the pairs.

    Args:
        genuine, distance: as of `roc_curve`.

    Attributes:
        order: int64 [N], the pairs by ascending distance.

    Raises:
        ValueError: bad input (see `checked_pairs`), or one kind of pair only.
    """

    def __init__(self, genuine: ArrayLike, distance: ArrayLike) -> None:
        flags, distances = checked_pairs(genuine, distance)
        check_both_kinds(flags)
        self.order = np.argsort(distances, kind="stable")
        distances = distances[self.order]
        self._genuine = flags[self.order].astype(np.float64)
        self._last_of_tie = np.append(
            np.flatnonzero(distances[1:] != distances[:-1]), len(flags) - 1
        )
        self._thresholds = np.append(-np.inf, distances[self._last_of_tie])

    def curve(self, weights: NDArray[np.float64]) -> RocCurve:
        """The curve where the pair order[i] counts weights[i] >= 0 times.

        Raises:
            ValueError: the weights leave no genuine or no impostor pair.
        """
        genuine_weights = weights * self._genuine
        accepted_genuine = np.cumsum(genuine_weights)[self._last_of_tie]
        accepted_impostor = np.cumsum(weights - genuine_weights)[self._last_of_tie]
        if accepted_genuine[-1] == 0 or accepted_impostor[-1] == 0:
            raise ValueError("the weights leave no genuine or no impostor pair")
        return RocCurve(
            thresholds=self._thresholds,
            far=np.append(0.0, accepted_impostor / accepted_impostor[-1]),
            tar=np.append(0.0, accepted_genuine / accepted_genuine[-1]),
        )


def _checked_weights(weights: ArrayLike | None, count: int) -> NDArray[np.float64]:
    if weights is None:
        return np.ones(count)
    array = np.asarray(weights, dtype=np.float64)
    if array.shape != (count,) or not np.isfinite(array).all() or (array < 0).any():
        raise ValueError(f"weights must be {count} finite numbers >= 0")
    return array


def area_under_curve(curve: RocCurve) -> float:
    """AUC: the chance that a genuine pair is nearer than an impostor pair, ties counting half."""
    return float(np.sum(np.diff(curve.far) * (curve.tar[1:] + curve.tar[:-1]) / 2))


def equal_error_rate(curve: RocCurve) -> float:
    """EER: where FAR = 1 − TAR, on the straight line between the two neighbouring points.

    All distances equal gives one half.
    """
    excess = curve.far - (1 - curve.tar)
    after = int(np.argmax(excess >= 0))
    before = after - 1
    part = -excess[before] / (excess[after] - excess[before])
    return float(curve.far[before] + part * (curve.far[after] - curve.far[before]))


def overlap(curve: RocCurve) -> float:
    """The least FAR + FRR that a threshold can have, in [0, 1]: 0 where the two kinds are apart.

    Where the densities of genuine and impostor distances cross once, this is the area that they
    have in common; it needs no bins.
    """
    return float(1 - np.max(curve.tar - curve.far))


def operating_point(curve: RocCurve, far: float) -> OperatingPoint:
    """The last point whose FAR does not exceed `far`: what the data show, not an interpolation.

    Raises:
        ValueError: `far` is not in (0, 1].
    """
    if not 0 < far <= 1:
        raise ValueError(f"a FAR must lie in (0, 1], got {far}")
    index = int(np.searchsorted(curve.far, far, side="right")) - 1
    return OperatingPoint(
        float(curve.thresholds[index]), float(curve.far[index]), float(curve.tar[index])
    )


def tar_at(curve: RocCurve, fars: ArrayLike) -> NDArray[np.float64]:
    """The TAR of `operating_point` at each of several FARs [F]."""
    return curve.tar[np.searchsorted(curve.far, np.asarray(fars), side="right") - 1]


def supports_far(impostors: int, far: float) -> bool:
    """Whether this many impostor pairs carry a figure at this FAR: 10 false accepts expected."""
    return impostors >= MINIMUM_FALSE_ACCEPTS / far * (1 - 1e-12)


def too_few_for_far(
    count: int, far: float, counted: str = "impostor pairs", errors: str = "false accepts"
) -> str:
    """How many `counted` were needed for a figure at this FAR, of which there are so few."""
    needed = int(np.ceil(MINIMUM_FALSE_ACCEPTS / far * (1 - 1e-12)))
    return f"{count} {counted}; {MINIMUM_FALSE_ACCEPTS} expected {errors} at this FAR need {needed}"


def check_carries_far(impostors: int, far: float) -> None:
    """Raises ValueError, with how many were needed, unless `supports_far`."""
    if not supports_far(impostors, far):
        raise ValueError(too_few_for_far(impostors, far))
