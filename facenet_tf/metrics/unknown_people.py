"""Naming people among whom some are unknown: a name, or none where the doubt is too large.

A probe has a `doubt` (any number; smaller is surer, a distance for instance). It is accepted, and
gets the name that the classifier gives, when its doubt is at most the threshold. Unknown people are
impostors: `threshold_at_far` of their doubts chooses the threshold.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclasses.dataclass(frozen=True)
class Rejection:
    """What a threshold makes of known and of unknown people's pictures; shares in [0, 1].

    Attributes:
        named: known people's pictures that are accepted and named rightly (DIR, detection and
            identification rate).
        misnamed: known people's pictures that are accepted under another name.
        turned_away: known people's pictures that are rejected.
        detected: unknown people's pictures that are rejected: 1 - the false accept rate.
    """

    named: float
    misnamed: float
    turned_away: float
    detected: float


def rejection(
    known: ArrayLike,
    rightly: ArrayLike,
    unknown: ArrayLike,
    threshold: float,
    weights: tuple[ArrayLike | None, ArrayLike | None] = (None, None),
) -> Rejection:
    """The shares at a threshold.

    Args:
        known: doubts [K] of enrolled people's probes; +inf for a probe that must count as rejected.
        rightly: bool [K], whether the name given to it is the right one.
        unknown: doubts [U] of other people's pictures; +inf likewise.
        threshold: the largest doubt that is accepted.
        weights: float [K] and [U] >= 0, how often each probe counts; None: once.

    Raises:
        ValueError: no (weight on) known or unknown probes, lengths differ, or a doubt is NaN.
    """
    doubts, right = _doubts(known), np.asarray(rightly, bool)
    others = _doubts(unknown)
    if right.shape != doubts.shape:
        raise ValueError(f"{len(doubts)} doubts and {right.shape} names")
    accepted = doubts <= threshold
    return Rejection(
        named=_share(accepted & right, weights[0]),
        misnamed=_share(accepted & ~right, weights[0]),
        turned_away=_share(~accepted, weights[0]),
        detected=_share(others > threshold, weights[1]),
    )


def _share(flags: NDArray[np.bool_], weights: ArrayLike | None) -> float:
    counts = np.ones(len(flags)) if weights is None else np.asarray(weights, np.float64)
    if not counts.sum() > 0:
        raise ValueError("the weights leave no probe")
    return float(counts @ flags / counts.sum())


def _doubts(values: ArrayLike) -> NDArray[np.float64]:
    doubts = np.asarray(values, np.float64)
    if doubts.ndim != 1 or not len(doubts) or np.isnan(doubts).any():
        raise ValueError("doubts must be a vector of numbers, and not empty")
    return doubts
