"""Whether probabilities mean what they say: reliability, ECE, Brier score; a logistic fit."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike, NDArray

_MOST_STEPS = 100
_TOLERANCE = 1e-12


@dataclasses.dataclass(frozen=True)
class Reliability:
    """Claimed probability against what came true, in bins of equal width over [0, 1].

    Attributes:
        share: float64 [B], which part of the (weighted) cases falls into each bin.
        claimed: float64 [B], mean claimed probability; NaN in a bin without cases.
        observed: float64 [B], share of them that came true; NaN in a bin without cases.
    """

    share: NDArray[np.float64]
    claimed: NDArray[np.float64]
    observed: NDArray[np.float64]

    @property
    def error(self) -> float:
        """ECE: mean difference of claimed and observed over the cases, in [0, 1] (Naeini, Cooper,
        Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", 2015)."""
        filled = self.share > 0
        gaps = np.abs(self.claimed[filled] - self.observed[filled])
        return float(self.share[filled] @ gaps)


def reliability(
    probability: ArrayLike,
    came_true: ArrayLike,
    *,
    bins: int = 10,
    weights: ArrayLike | None = None,
) -> Reliability:
    """The reliability diagram of N claims.

    For a classifier, `probability` is that of the class it names and `came_true` whether that is
    right (Guo et al., "On Calibration of Modern Neural Networks", 2017).

    Args:
        probability: [N] in [0, 1].
        came_true: bool [N].
        bins: the last one holds probability 1 too.
        weights: [N] >= 0, how much each claim counts.

    Raises:
        ValueError: lengths differ, there is no claim, or a number is out of its range.
    """
    claims, truth, parts = _checked(probability, came_true, weights)
    if bins < 1:
        raise ValueError(f"{bins} bins")
    place = np.minimum((claims * bins).astype(np.int64), bins - 1)
    share = np.bincount(place, parts, bins).astype(np.float64)
    with np.errstate(invalid="ignore"):  # 0/0 where a bin is empty
        claimed = np.bincount(place, parts * claims, bins) / share
        observed = np.bincount(place, parts * truth, bins) / share
    return Reliability(share, claimed, observed)


def brier_score(
    probability: ArrayLike, came_true: ArrayLike, *, weights: ArrayLike | None = None
) -> float:
    """Mean squared difference of claim and truth, in [0, 1] (Brier, 1950, for one event).

    Args and errors as of `reliability`. Always saying one half gives 0.25.
    """
    claims, truth, parts = _checked(probability, came_true, weights)
    return float(parts @ (claims - truth) ** 2)


def brier_score_of_classes(
    probabilities: ArrayLike, labels: ArrayLike, *, weights: ArrayLike | None = None
) -> float:
    """Brier's score over all classes: mean squared length of claim minus truth, in [0, 2].

    Args:
        probabilities: [N, C], rows that sum to 1.
        labels: integer [N], the true column.
        weights: [N] >= 0, how much each row counts.

    Raises:
        ValueError: shapes do not fit, or there is no row that counts.
    """
    claims, truth = np.asarray(probabilities, np.float64), np.asarray(labels)
    if claims.ndim != 2 or truth.shape != claims.shape[:1] or not len(claims):
        raise ValueError(f"expected [N, C] and [N], got {claims.shape} and {truth.shape}")
    own = claims[np.arange(len(claims)), truth]
    parts = _checked(own, np.ones(len(own)), weights)[2]
    return float(parts @ (np.sum(claims**2, axis=1) - 2 * own + 1))


def _checked(
    probability: ArrayLike, came_true: ArrayLike, weights: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    claims, truth = np.asarray(probability, np.float64), np.asarray(came_true)
    if claims.ndim != 1 or claims.shape != truth.shape or not len(claims):
        raise ValueError(f"expected two vectors of one length, got {claims.shape}, {truth.shape}")
    if not ((claims >= 0) & (claims <= 1)).all():
        raise ValueError("probabilities must lie in [0, 1]")
    parts = np.ones(len(claims)) if weights is None else np.asarray(weights, np.float64)
    if parts.shape != claims.shape or not (parts >= 0).all() or not 0 < parts.sum() < np.inf:
        raise ValueError("weights must be as many as probabilities, >= 0, and not all 0")
    return claims, truth.astype(np.float64), parts / parts.sum()


def balanced_weights(flags: ArrayLike) -> NDArray[np.float64]:
    """Weights [N] by which the true and the false flags count one half together.

    Raises:
        ValueError: the flags are all the same.
    """
    kinds = np.asarray(flags, bool)
    if kinds.all() or not kinds.any():
        raise ValueError("both kinds are needed")
    return np.where(kinds, 0.5 / kinds.sum(), 0.5 / (~kinds).sum())


@dataclasses.dataclass(frozen=True)
class Logistic:
    """Probability 1 / (1 + exp(−(intercept + slope · value)))."""

    slope: float
    intercept: float

    def probability(self, values: ArrayLike) -> NDArray[np.float64]:
        """float64 in [0, 1], in the shape of `values`; those may be infinite."""
        with np.errstate(over="ignore"):
            return 1 / (1 + np.exp(-(self.intercept + self.slope * np.asarray(values, np.float64))))


def fit_logistic(values: ArrayLike, flags: ArrayLike, *, balanced: bool = False) -> Logistic:
    """The likeliest logistic curve through flags over one value (Platt scaling).

    Flags are softened as Platt does ("Probabilistic Outputs for Support Vector Machines", 1999), so
    that the curve is finite where the two kinds are apart.

    Args:
        values: finite [N], for instance squared distances.
        flags: bool [N], of both kinds.
        balanced: both kinds count one half: the probabilities are then those where as many
            are expected of either, whatever the mixture here.

    Raises:
        ValueError: lengths differ, one kind only, or a value is not finite.
    """
    x, kinds = np.asarray(values, np.float64), np.asarray(flags, bool)
    if x.ndim != 1 or x.shape != kinds.shape or not np.isfinite(x).all():
        raise ValueError("expected finite values and flags of one length")
    parts = balanced_weights(kinds)
    if not balanced:
        parts = np.full(len(x), 1 / len(x))
    target = np.where(kinds, 1 - 1 / (kinds.sum() + 2), 1 / ((~kinds).sum() + 2))
    centre, scale = x.mean(), x.std() or 1.0  # Newton's steps want values around 0 and 1
    rows = np.stack([(x - centre) / scale, np.ones(len(x))], axis=1)
    slope, intercept = _newton(rows, target, parts)
    return Logistic(float(slope / scale), float(intercept - slope * centre / scale))


def _newton(
    rows: NDArray[np.float64], target: NDArray[np.float64], parts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Coefficients [2] that minimise the weighted cross-entropy of logistic(rows · them)."""

    def loss(coefficients: NDArray[np.float64]) -> float:
        z = rows @ coefficients
        return float(parts @ (np.logaddexp(0, z) - target * z))

    found, best = np.zeros(2), loss(np.zeros(2))
    for _ in range(_MOST_STEPS):
        share = 1 / (1 + np.exp(-(rows @ found)))
        slope = rows.T @ (parts * (share - target))
        curvature = (rows.T * (parts * share * (1 - share))) @ rows + 1e-15 * np.eye(2)
        step = np.linalg.solve(curvature, slope)
        while (reached := loss(found - step)) > best and np.abs(step).max() > _TOLERANCE:
            step /= 2
        found = found - step
        if best - reached <= _TOLERANCE:
            break
        best = reached
    return found
