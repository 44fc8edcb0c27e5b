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
    first_of_tie = np.flatnonzero(np.append(True, np.diff(scores[order]) > 0))
    gone = np.append(0, np.cumsum(times))
    wrong_gone = np.append(0, np.cumsum(times * flags[order]))
    left = gone[-1] - gone[first_of_tie]
    wrong_left = wrong_gone[-1] - wrong_gone[first_of_tie]
    counts = left > 0
    return RejectCurve(gone[first_of_tie][counts] / gone[-1], wrong_left[counts] / left[counts])


def area_under_reject_curve(curve: RejectCurve, limit: float) -> float:
    """Area below the straight lines between the points, for rejected shares from 0 to `limit`.

    Beyond the last point the error stays as it is there.

    Raises:
        ValueError: `limit` is not in (0, 1].
    """
    _check_limit(limit)
    inner = curve.rejected < limit
    x = np.append(curve.rejected[inner], limit)
    y = np.append(curve.error[inner], np.interp(limit, curve.rejected, curve.error))
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2))


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
