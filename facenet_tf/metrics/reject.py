"""Error versus reject: does leaving out the poorest pictures, by a score of quality, help?

Grother & Tabassi, "Performance of biometric quality measures", PAMI 2007; ISO/IEC 29794-1:2024
calls it the error versus discard characteristic.
"""

import dataclasses
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclasses.dataclass(frozen=True)
class RejectCurve:
    """Share of errors among what is left, by the share that was rejected.

    Attributes:
        rejected: float64 [M], from 0 up, all below 1.
        error: float64 [M], in [0, 1].
    """

    rejected: NDArray[np.float64]
    error: NDArray[np.float64]


def error_versus_reject(
    wrong: ArrayLike, quality: ArrayLike, weights: ArrayLike | None = None
) -> RejectCurve:
    """The curve of comparisons that are rejected by ascending quality.

    Comparisons of equal quality are rejected together; the last are never rejected.

    Args:
        wrong: bool [N], which comparisons are decided wrongly.
        quality: float [N], larger is better; of a pair the smaller of its two pictures'.
        weights: float [N] >= 0, how often each counts (for the bootstrap); None: once.

    Raises:
        ValueError: the shapes differ, nothing counts, or a quality is NaN.
    """
    flags, scores = np.asarray(wrong, dtype=bool), np.asarray(quality, dtype=np.float64)
    if flags.ndim != 1 or flags.shape != scores.shape or not len(flags):
        raise ValueError(f"wrong and quality must be [N], N >= 1: {flags.shape}, {scores.shape}")
    if np.isnan(scores).any():
        raise ValueError(f"{int(np.isnan(scores).sum())} qualities are NaN")
    order = np.argsort(scores, kind="stable")
    times = (np.ones(len(flags)) if weights is None else np.asarray(weights, np.float64))[order]
    if times.sum() <= 0:
        raise ValueError("the weights leave nothing")
    ranked = scores[order]
    first_of_tie = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
    gone = np.append(0, np.cumsum(times))
    wrong_gone = np.append(0, np.cumsum(times * flags[order]))
    left = gone[-1] - gone[first_of_tie]
    wrong_left = wrong_gone[-1] - wrong_gone[first_of_tie]
    counts = left > 0
    return RejectCurve(gone[first_of_tie][counts] / gone[-1], wrong_left[counts] / left[counts])


def area_under_reject_curve(curve: RejectCurve, limit: float) -> float:
    """Area below the curve for rejected shares from 0 to `limit`.

    Between two points, comparisons of one quality are rejected in random order, and the error is
    what is to be expected then: (E - s (r - a)) / (1 - r) after the point a, where E of all are
    wrong and left, and the share s of what is rejected is wrong. (Straight lines would make the
    area of a score with few levels too small.)

    Raises:
        ValueError: `limit` is not in (0, 1].
    """
    _check_limit(limit)
    start = 1 - curve.rejected
    wrong = curve.error * start
    # After the last point all that is left is of one quality, and goes in random order too.
    end, wrong_end = np.append(start[1:], 0.0), np.append(wrong[1:], 0.0)
    # Levels that no weight is on are points in one place.
    counts = (start > end) & (start > 1 - limit)
    start, end, wrong, wrong_end = (each[counts] for each in (start, end, wrong, wrong_end))
    slope = (wrong - wrong_end) / (start - end)
    stop = np.maximum(end, 1 - limit)
    rest = wrong - slope * start  # 0 wherever the curve may come to its end at 1
    logarithm = np.log(start / np.where(stop > 0, stop, start))
    return float(np.sum(rest * logarithm + slope * (start - stop)))


def least_area(error: float, limit: float) -> float:
    """The area of a score that rejects errors first, where a share `error` is wrong to begin with:
    the integral of max(0, (error - r) / (1 - r)).

    Raises:
        ValueError: `limit` is not in (0, 1].
    """
    _check_limit(limit)
    end = min(limit, error)
    if end == 1:
        return 1.0
    return end + (1 - error) * math.log1p(-end)


def _check_limit(limit: float) -> None:
    if not 0 < limit <= 1:
        raise ValueError(f"the limit must lie in (0, 1], got {limit}")
