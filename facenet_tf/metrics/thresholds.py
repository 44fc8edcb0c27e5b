"""Thresholds that some people choose and others are judged by: points, rates, intervals."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facenet_tf.metrics.intervals import bootstrap_identities
from facenet_tf.metrics.roc import RocCurve, operating_point, roc_curve

Interval = tuple[float, float]
Sides = tuple[ArrayLike, ArrayLike]


@dataclasses.dataclass(frozen=True)
class CalibratedPoint:
    """A threshold and what it gives on the pairs that chose it.

    Attributes:
        threshold: the largest distance that is accepted.
        far, tar: on these pairs.
        interval: 95 %, of the threshold that other people would have chosen; None without draws.
    """

    threshold: float
    far: float
    tar: float
    interval: Interval | None


@dataclasses.dataclass(frozen=True)
class AchievedRates:
    """What a given threshold does to other pairs, with 95 % intervals over people (or None)."""

    far: float
    tar: float
    far_interval: Interval | None
    tar_interval: Interval | None


def rates_at(curve: RocCurve, threshold: float) -> tuple[float, float]:
    """FAR and TAR where distances up to the threshold are accepted."""
    point = int(np.searchsorted(curve.thresholds, threshold, side="right")) - 1
    return float(curve.far[point]), float(curve.tar[point])


def calibrated_points(
    genuine: ArrayLike,
    distance: ArrayLike,
    identities: Sides,
    fars: Sequence[float],
    *,
    replicates: int = 200,
    seed: int = 0,
) -> list[CalibratedPoint]:
    """The operating point of each false accept rate.

    Args:
        genuine: bool [N].
        distance: float [N], finite and >= 0.
        identities: the persons on the left and right of each pair, two [N] arrays.
        fars: in (0, 1].
        replicates: draws of people behind the intervals (`bootstrap_identities`); 0: none.
        seed: of the draws.

    Raises:
        ValueError: bad input, or too few people for a bootstrap.
    """
    curve = roc_curve(genuine, distance)
    points = [operating_point(curve, far) for far in fars]

    def chosen(drawn: RocCurve) -> list[float]:
        # -inf (accept nothing) would make quantiles NaN; below 0 there are no distances.
        return [max(0.0, operating_point(drawn, far).threshold) for far in fars]

    intervals: list[Interval | None] = [None] * len(points)
    if replicates and points:
        found = bootstrap_identities(
            genuine, distance, identities, chosen, replicates=replicates, seed=seed
        )
        intervals = _pairs(found)
    return [
        CalibratedPoint(point.threshold, point.far, point.tar, interval)
        for point, interval in zip(points, intervals)
    ]


def achieved_rates(
    genuine: ArrayLike,
    distance: ArrayLike,
    identities: Sides,
    thresholds: Sequence[float],
    *,
    replicates: int = 200,
    seed: int = 0,
) -> list[AchievedRates]:
    """FAR and TAR of given thresholds on pairs that had no part in choosing them.

    Args and errors as of `calibrated_points`; `thresholds` are distances. Distances may be
    infinite here: such a pair is an error at every threshold.
    """
    curve = roc_curve(genuine, distance)
    points = [rates_at(curve, threshold) for threshold in thresholds]

    def rates(drawn: RocCurve) -> list[float]:
        return [rate for threshold in thresholds for rate in rates_at(drawn, threshold)]

    intervals: list[Interval | None] = [None] * (2 * len(points))
    if replicates and points:
        found = bootstrap_identities(
            genuine, distance, identities, rates, replicates=replicates, seed=seed
        )
        intervals = _pairs(found)
    return [
        AchievedRates(far, tar, far_interval, tar_interval)
        for (far, tar), far_interval, tar_interval in zip(points, intervals[::2], intervals[1::2])
    ]


def _pairs(intervals: NDArray[np.float64]) -> list[Interval | None]:
    return [(float(low), float(high)) for low, high in intervals]
