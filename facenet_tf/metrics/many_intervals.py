"""Intervals over people for the figures at low false accept rates of very many pairs.

What a draw of people does to the nearest impostor pairs and to the genuine ones decides its TAR at
a low FAR; of all other impostor pairs only their number is wanted, which follows from how often
each person was drawn.
"""

import dataclasses
import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facenet_tf.metrics.many_pairs import ManyPairs
from facenet_tf.metrics.resampling import people_intervals

MARGIN = 2.0
"""So many times the pairs that a FAR accepts must be known: a draw may ask for more of them."""


@dataclasses.dataclass(frozen=True)
class TarInterval:
    """95 % intervals, over people drawn anew, of what an exact threshold gives."""

    far: float
    tar: tuple[float, float]
    threshold: tuple[float, float]


def reachable_far(pairs: ManyPairs) -> float:
    """The highest FAR whose interval the nearest pairs that were kept allow."""
    if _all_kept(pairs):
        return 1.0
    return len(pairs.nearest) / MARGIN / pairs.impostors


def _all_kept(pairs: ManyPairs) -> bool:
    return len(pairs.nearest) == pairs.impostors - pairs.lost_impostors


def tar_intervals(
    pairs: ManyPairs, labels: ArrayLike, fars: list[float], *, draws: int = 200, seed: int = 0
) -> list[TarInterval]:
    """Intervals of the TAR and of the threshold at each FAR.

    People are drawn as in `resampling`, and pairs count as in `pair_weights`.

    Args:
        pairs: scored with enough of the `nearest`, see `reachable_far`.
        labels: those that `pairs` was scored with.
        fars: in (0, 1).
        draws: how many.
        seed: of the draws.

    Raises:
        ValueError: a FAR is beyond `reachable_far`.
        TooFewPeople: too few for a bootstrap.
    """
    if any(far > reachable_far(pairs) for far in fars):
        raise ValueError(f"the nearest pairs carry intervals up to a FAR of {reachable_far(pairs)}")
    person = np.unique(np.asarray(labels), return_inverse=True)[1]
    left, right = person[pairs.nearest.left], person[pairs.nearest.right]

    def points(times: NDArray[np.float64]) -> list[float]:
        genuine = np.cumsum(times[pairs.genuine_person])
        impostors = _impostors(pairs.pictures, times)
        if not genuine[-1] or not impostors:
            raise ValueError("no genuine or no impostor pair")
        accepted = np.cumsum(times[left] * times[right])
        return [each for far in fars for each in _point(pairs, genuine, accepted, far * impostors)]

    with_pairs = len(np.unique(pairs.genuine_person))
    limits = people_intervals(
        len(pairs.pictures), points, draws=draws, seed=seed, cases=[with_pairs, None] * len(fars)
    )
    return [
        TarInterval(far, tuple(tar), tuple(threshold))
        for far, tar, threshold in zip(fars, limits[::2].tolist(), limits[1::2].tolist())
    ]


def _impostors(pictures: NDArray[np.int64], times: NDArray[np.float64]) -> int:
    """How many impostor pairs a draw has: those of two people count the product of their times."""
    drawn = pictures * times.astype(np.int64)
    return (int(drawn.sum()) ** 2 - int((drawn**2).sum())) // 2


def _point(
    pairs: ManyPairs, genuine: NDArray[np.float64], accepted: NDArray[np.float64], allowed: float
) -> tuple[float, float]:
    """TAR and threshold where at most `allowed` impostor pairs are accepted."""
    nearest = pairs.nearest.distance
    index = int(np.searchsorted(accepted, allowed * (1 + 1e-12), side="right"))
    if index < len(nearest):  # up to, and without, the first distance that is too far
        kept = int(np.searchsorted(pairs.genuine, nearest[index], side="left"))
        before = int(np.searchsorted(nearest, nearest[index], side="left"))
        threshold = float(nearest[before - 1]) if before else -math.inf
    elif _all_kept(pairs):
        kept = int(np.isfinite(pairs.genuine).sum())
        threshold = float(nearest[-1]) if len(nearest) else -math.inf
    else:  # the draw asks for more than is known: the last known pair bounds it
        kept = int(np.searchsorted(pairs.genuine, nearest[-1], side="right"))
        threshold = float(nearest[-1])
    return (float(genuine[kept - 1] / genuine[-1]) if kept else 0.0), threshold
