"""Error rates of groups of people at one threshold, and how unequal they are."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from facenet_tf.metrics.roc import RocCurve


def rates_at(curve: RocCurve, threshold: float) -> tuple[float, float]:
    """(false match rate, false non-match rate) where distances up to `threshold` are accepted.

    Raises:
        ValueError: the threshold is NaN.
    """
    if math.isnan(threshold):
        raise ValueError("the threshold is NaN")
    index = int(np.searchsorted(curve.thresholds, threshold, side="right")) - 1
    return float(curve.far[max(index, 0)]), float(1 - curve.tar[max(index, 0)])


@dataclasses.dataclass(frozen=True)
class Inequality:
    """Of the rates of several groups, as NIST IR 8429 (Grother 2022) summarises them."""

    highest_over_lowest: float | None
    """None where the lowest is 0."""
    highest_over_mean: float | None
    """The mean is the geometric one; None where a rate is 0."""
    gini: float | None
    """Gini coefficient, 0 where all are equal, times n / (n - 1); None where all are 0."""


def inequality(rates: Sequence[float]) -> Inequality:
    """How far error rates of n groups differ.

    Args:
        rates: two or more, each in [0, 1].

    Raises:
        ValueError: fewer than two, or one is outside [0, 1].
    """
    values = np.asarray(rates, dtype=np.float64)
    if values.ndim != 1 or len(values) < 2 or not ((values >= 0) & (values <= 1)).all():
        raise ValueError("inequality is of two or more rates in [0, 1]")
    count, mean = len(values), float(values.mean())
    highest = float(values.max())
    above_zero = bool(values.min() > 0)
    differences = float(np.abs(values[:, None] - values).sum())
    return Inequality(
        highest / float(values.min()) if above_zero else None,
        highest / float(np.exp(np.log(values).mean())) if above_zero else None,
        differences / (2 * count * (count - 1) * mean) if mean else None,
    )
