"""Intervals over people for the figures at low false accept rates of very many pairs.

What a draw of people does to the nearest impostor pairs and to the genuine ones decides its TAR at
a low FAR; of all other impostor pairs only their number is wanted, which follows from how often
each person was drawn.
"""

import dataclasses
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facenet_tf.metrics.intervals import check_draws
from facenet_tf.metrics.many_pairs import ManyPairs

MARGIN = 2.0
"""So many times the pairs that a FAR accepts must be known: a draw may ask for more of them."""


@dataclasses.dataclass(frozen=True)
class TarInterval:
    """95 % percentile intervals, over people drawn anew, of what an exact threshold gives."""

    far: float
    tar: tuple[float, float]
    threshold: tuple[float, float]


def reachable_far(pairs: ManyPairs) -> float:
    """The highest FAR whose interval the nearest pairs that were kept allow."""
    if len(pairs.nearest) == pairs.impostors:
        return 1.0
    return len(pairs.nearest) / MARGIN / pairs.impostors


def tar_intervals(
    pairs: ManyPairs, labels: ArrayLike, fars: list[float], *, draws: int = 200, seed: int = 0
) -> list[TarInterval]:
    """Intervals of the TAR and of the threshold at each FAR.

    People are drawn as in `PeopleDraws`.

    Args:
        pairs: scored with enough of the `nearest`, see `reachable_far`.
        labels: those that `pairs` was scored with.
        fars: in (0, 1).
        draws: how many.
        seed: of the draws.

    Raises:
        ValueError: a FAR is beyond `reachable_far`, or too few people for a bootstrap.
    """
    if any(far > reachable_far(pairs) for far in fars):
        raise ValueError(f"the nearest pairs carry intervals up to a FAR of {reachable_far(pairs)}")
    person = np.unique(np.asarray(labels), return_inverse=True)[1]
    left, right = person[pairs.nearest.left], person[pairs.nearest.right]
    random = np.random.default_rng([seed, len(person)])
    people = len(pairs.pictures)
    samples = []
    for _ in range(draws):
        times = np.bincount(random.integers(people, size=people), minlength=people)
        genuine = np.cumsum(times[pairs.genuine_person])
        impostors = _impostors(pairs.pictures, times)
        if not genuine[-1] or not impostors:
            continue
        accepted = np.cumsum(times[left] * times[right])
        samples.append([_point(pairs, genuine, accepted, far * impostors) for far in fars])
    check_draws(len(samples), draws, people)
    table = np.asarray(samples)  # [draws, FARs, TAR and threshold]
    # Thresholds may be -inf, between which nothing can be interpolated.
    low = np.quantile(table, 0.025, axis=0, method="lower")
    high = np.quantile(table, 0.975, axis=0, method="higher")
    return [
        TarInterval(
            far,
            (float(low[row, 0]), float(high[row, 0])),
            (float(low[row, 1]), float(high[row, 1])),
        )
        for row, far in enumerate(fars)
    ]


def _impostors(pictures: NDArray[np.int64], times: NDArray[np.int64]) -> int:
    """How many impostor pairs a draw has: those of two people count the product of their times."""
    drawn = pictures * times
    return (int(drawn.sum()) ** 2 - int((drawn**2).sum())) // 2


def _point(
    pairs: ManyPairs, genuine: NDArray[np.int64], accepted: NDArray[np.int64], allowed: float
) -> tuple[float, float]:
    """TAR and threshold where at most `allowed` impostor pairs are accepted."""
    nearest = pairs.nearest.distance
    index = int(np.searchsorted(accepted, allowed * (1 + 1e-12), side="right"))
    if index < len(nearest):  # up to, and without, the first distance that is too far
        kept = int(np.searchsorted(pairs.genuine, nearest[index], side="left"))
        before = int(np.searchsorted(nearest, nearest[index], side="left"))
        threshold = float(nearest[before - 1]) if before else -math.inf
    elif len(nearest) == pairs.impostors:
        kept, threshold = len(pairs.genuine), float(nearest[-1])
    else:  # the draw asks for more than is known: the last known pair bounds it
        kept = int(np.searchsorted(pairs.genuine, nearest[-1], side="right"))
        threshold = float(nearest[-1])
    return (float(genuine[kept - 1] / genuine[-1]) if kept else 0.0), threshold
