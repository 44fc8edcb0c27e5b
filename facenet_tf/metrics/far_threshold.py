"""From impostor distances to the threshold that keeps an asked false accept rate."""

import contextlib
import dataclasses
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facenet_tf.metrics.checks import checked_pairs
from facenet_tf.metrics.intervals import wilson_interval
from facenet_tf.metrics.pair_weights import PairWeights
from facenet_tf.metrics.resampling import TooFewPeople, people_intervals
from facenet_tf.metrics.roc import check_carries_far


@dataclasses.dataclass(frozen=True)
class FarThreshold:
    """A threshold for a FAR, and how far both can be trusted.

    Attributes:
        asked_far: the FAR that was asked for.
        threshold: the largest impostor distance up to which at most this share of the impostor
            pairs lies: accepting distances up to it keeps the FAR on these pairs.
        far: share of the impostor pairs that it accepts, at most `asked_far` unless more pairs than
            that are at -inf.
        false_accepts, impostor_pairs: whose ratio it is.
        threshold_interval: 95 %, of the threshold that keeps `asked_far`.
        far_interval: 95 %, of the FAR that `threshold` has.
        over_people: the intervals are over people drawn anew; otherwise over the pairs as if these
            were independent, which is too narrow where people have several pictures.
    """

    asked_far: float
    threshold: float
    far: float
    false_accepts: int
    impostor_pairs: int
    threshold_interval: tuple[float, float]
    far_interval: tuple[float, float]
    over_people: bool


def threshold_at_far(
    impostor_distance: ArrayLike,
    far: float,
    *,
    identities: tuple[ArrayLike, ArrayLike] | None = None,
    draws: int = 200,
    seed: int = 0,
) -> FarThreshold:
    """The operating point for a FAR.

    Args:
        impostor_distance: float [N], smaller is more alike; -inf counts as accepted always.
        far: the false accept rate to keep, in (0, 1).
        identities: the persons left and right of each pair, two [N] arrays: then the intervals are
            over people (`resampling`); without them, and where people are too few for that, over
            the pairs (Wilson).
        draws: of people.
        seed: of the draws.

    Where equal distances leave no threshold that keeps the FAR, it is -inf, which accepts nobody;
    its `far` is then the share of the pairs at -inf, which no threshold refuses.

    Raises:
        ValueError: bad input (see `checked_pairs`), `far` out of range, or too few pairs to carry a
            figure at it (see `supports_far`).
    """
    _, distance = checked_pairs(np.zeros(np.shape(impostor_distance), bool), impostor_distance)
    if not 0 < far < 1:
        raise ValueError(f"a FAR must lie in (0, 1), got {far}")
    check_carries_far(len(distance), far)
    order = np.argsort(distance, kind="stable")
    ordered = distance[order]
    threshold = _quantile(ordered, np.arange(1.0, len(ordered) + 1), far)
    accepted = _count(ordered, threshold)
    threshold_interval, far_interval = (
        _threshold_interval(ordered, far),
        wilson_interval(accepted, len(ordered)),
    )
    over_people = False
    if identities is not None:
        left, right = (np.asarray(side)[order] for side in identities)
        with contextlib.suppress(TooFewPeople):
            threshold_interval, far_interval = _over_people(
                ordered, PairWeights(left, right), far, accepted, draws, seed
            )
            over_people = True
    return FarThreshold(
        asked_far=far,
        threshold=threshold,
        far=accepted / len(ordered),
        false_accepts=accepted,
        impostor_pairs=len(ordered),
        threshold_interval=threshold_interval,
        far_interval=far_interval,
        over_people=over_people,
    )


def _quantile(ordered: NDArray[np.float64], counts: NDArray[np.float64], far: float) -> float:
    """Largest distance whose count of accepted pairs keeps the FAR; -inf where none does."""
    allowed = far * counts[-1] * (1 + 1e-12)  # 0.1 · 30 is below 3 by a rounding
    index = int(np.searchsorted(counts, allowed, side="right"))
    if index == len(ordered):
        return float(ordered[-1])
    kept = int(np.searchsorted(ordered, ordered[index], side="left"))  # a tie is refused whole
    return float(ordered[kept - 1]) if kept else -math.inf


def _count(ordered: NDArray[np.float64], threshold: float) -> int:
    return int(np.searchsorted(ordered, threshold, side="right"))


def _threshold_interval(ordered: NDArray[np.float64], far: float) -> tuple[float, float]:
    """Order statistics at the bounds of a binomial share: no shape of the distances is assumed."""
    low, high = wilson_interval(round(far * len(ordered)), len(ordered))
    counts = np.arange(1.0, len(ordered) + 1)
    return _quantile(ordered, counts, low), _quantile(ordered, counts, high)


def _over_people(
    ordered: NDArray[np.float64],
    weights: PairWeights,
    far: float,
    accepted: int,
    draws: int,
    seed: int,
) -> list[tuple[float, float]]:
    """Intervals of the threshold that keeps the FAR, and of the FAR of the nearest pairs that are
    `accepted`."""

    def drawn(times: NDArray[np.float64]) -> list[float]:
        counts = np.cumsum(weights.of_pairs(times))
        if not counts[-1]:
            raise ValueError("no impostor pair")
        found = counts[accepted - 1] / counts[-1] if accepted else 0.0
        return [_quantile(ordered, counts, far), float(found)]

    cases = [None, weights.cases(2)]
    limits = people_intervals(weights.people, drawn, draws=draws, seed=seed, cases=cases)
    return [(float(low), float(high)) for low, high in limits]
