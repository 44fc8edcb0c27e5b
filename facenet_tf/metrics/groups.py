"""How unequal the error rates of groups of people are."""

import dataclasses
from collections.abc import Sequence

import numpy as np


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
