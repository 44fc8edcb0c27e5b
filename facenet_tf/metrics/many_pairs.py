"""All pairs of a labelled set, exact to the pair, without a list of them in memory.

A curve changes its TAR at the distances of genuine pairs alone. So it is known exactly when, of
each genuine distance, the impostor pairs below it are counted: the genuine pairs (few) are held,
the impostor pairs (many) pass by in tiles, which are sorted, counted and forgotten.
"""

import dataclasses
import functools
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from facenet_tf.metrics.distances import (
    NEAR,
    TILE,
    by_differences,
    genuine_pairs,
    squared_distances,
)
from facenet_tf.metrics.nearest_pairs import NearestPairs
from facenet_tf.metrics.roc import RocCurve
from facenet_tf.metrics.separation import Separation

MOST_THREADS = 8
_T = TypeVar("_T")


@dataclasses.dataclass(frozen=True)
class ManyPairs:
    """All N·(N−1)/2 pairs of N pictures, by their squared distances.

    Attributes:
        genuine: float64 [G], of the genuine pairs, ascending; +inf with a picture that is lost.
        genuine_person: int64 [G], number of the person, as `numpy.unique` of the labels has it.
        below, up_to: int64 [G], how many impostor pairs lie below each genuine distance, and below
            or at it; with a lost picture they lie at +inf, too.
        impostors, lost_impostors: how many impostor pairs there are, and with a lost picture.
        nearest: the impostor pairs that are nearest, as many as were asked for, without those that
            have a lost picture.
        separation: of the pairs without a lost picture, None where they are not of both kinds.
        pictures: int64 [P], of each person, the lost ones included.
    """

    genuine: NDArray[np.float64]
    genuine_person: NDArray[np.int64]
    below: NDArray[np.int64]
    up_to: NDArray[np.int64]
    impostors: int
    lost_impostors: int
    nearest: NearestPairs
    separation: Separation | None
    pictures: NDArray[np.int64]

    def tar_of_people(self, threshold: float) -> float:
        """The TAR at a threshold where every person with a genuine pair counts alike, however many
        pairs he has: their mean. There must be one."""
        pairs = np.bincount(self.genuine_person)[self.genuine_person]
        return float(np.average(self.genuine <= threshold, weights=1 / pairs))

    def curve(self) -> RocCurve:
        """The curve of all pairs: that of `roc_curve` without the points on straight lines.

        Raises:
            ValueError: there is no genuine or no impostor pair.
        """
        if not len(self.genuine) or not self.impostors:
            kind = "impostor" if len(self.genuine) else "genuine"
            raise ValueError(f"the list has no {kind} pair: error rates are not defined")
        ends = np.flatnonzero(self.genuine[1:] != self.genuine[:-1])
        last = np.append(ends, len(self.genuine) - 1)
        distance, accepted = self.genuine[last], last + 1.0
        # Before each step up stands the point that all impostors nearer than it have led to.
        thresholds = np.column_stack([np.nextafter(distance, -np.inf), distance]).ravel()
        far = np.column_stack([self.below[last], self.up_to[last]]).ravel() / self.impostors
        tar = np.repeat(np.append(0.0, accepted), 2)[1:-1] / len(self.genuine)
        return RocCurve(
            thresholds=np.concatenate([[-np.inf], thresholds, [np.inf]]),
            far=np.concatenate([[0.0], far, [1.0]]),
            tar=np.concatenate([[0.0], tar, [1.0]]),
        )


def score_all_pairs(
    embeddings: ArrayLike, labels: ArrayLike, *, nearest: int = 0, threads: int | None = None
) -> ManyPairs:
    """Measure all pairs of a labelled set.

    Memory: the genuine pairs (32 bytes each), the nearest impostor pairs (48), and per thread some
    150 MB, however many pairs there are.

    Args:
        embeddings: float [N, D]; a row with NaN is a lost picture, whose pairs are accepted at no
            threshold. Distances are computed in float64 whatever the type.
        labels: [N], whom each picture shows.
        nearest: how many of the nearest impostor pairs to keep.
        threads: that work side by side; None: one for each core that may be used, at most 8.

    Raises:
        ValueError: the shapes do not fit, or a number is infinite.
    """
    rows, person, kept = _checked(embeddings, labels)
    pictures = np.bincount(person)
    tiles = _Tiles(rows, person, kept)
    genuine, whose = _genuine(rows, person, kept, pictures)
    below, up_to = np.zeros(len(genuine), np.int64), np.zeros(len(genuine), np.int64)
    moments, found = np.zeros(3), NearestPairs.none(nearest)
    counted = functools.partial(tiles.counted, genuine=genuine)
    for near, counts, sums in tiles.each(counted, found, threads):
        below += counts[0]
        up_to += counts[1]
        moments += sums
        found.add(near)
    pairs = len(rows) * (len(rows) - 1) // 2
    impostors = pairs - len(genuine)
    return ManyPairs(
        genuine=genuine,
        genuine_person=whose,
        below=below,
        up_to=np.where(np.isinf(genuine), impostors, up_to),
        impostors=impostors,
        lost_impostors=impostors - int(moments[0]),
        nearest=found.sorted(),
        separation=_separation(genuine[np.isfinite(genuine)], moments),
        pictures=pictures.astype(np.int64),
    )


def nearest_impostors(
    embeddings: ArrayLike, labels: ArrayLike, most: int, *, threads: int | None = None
) -> NearestPairs:
    """The nearest pairs of two people among all pairs of a labelled set, ascending.

    Args:
        embeddings: float [N, D]; a row with NaN is a lost picture, which is near nobody.
        labels: [N], whom each picture shows.
        most: how many pairs, at least 1; of equal distances at the end any are taken.
        threads: as of `score_all_pairs`.

    Raises:
        ValueError: the shapes do not fit, or a number is infinite.
    """
    tiles, found = _Tiles(*_checked(embeddings, labels)), NearestPairs.none(most)
    for near in tiles.each(tiles.nearest, found, threads):
        found.add(near)
    return found.sorted()


def _checked(
    embeddings: ArrayLike, labels: ArrayLike
) -> tuple[NDArray, NDArray[np.int64], NDArray[np.int64]]:
    """The rows, the number of the person of each, and which of them are not lost."""
    rows = np.asarray(embeddings)
    person = np.unique(np.asarray(labels), return_inverse=True)[1]
    if rows.ndim != 2 or person.shape != rows.shape[:1]:
        raise ValueError(f"expected [N, D] and N labels, got {rows.shape} and {person.shape}")
    if np.isinf(rows).any():
        raise ValueError("embeddings must not be infinite")
    return rows, person, np.flatnonzero(~np.isnan(rows).any(axis=1))


class _Tiles:
    """The upper triangle of the table of distances of the kept rows, in squares."""

    def __init__(self, rows: NDArray, person: NDArray[np.int64], kept: NDArray[np.int64]) -> None:
        self._rows = np.ascontiguousarray(rows[kept], np.float64)
        self._person, self._kept = person[kept], kept
        self._squares = np.einsum("nd,nd->n", self._rows, self._rows)

    def each(
        self, work: Callable[..., _T], nearest: NearestPairs, threads: int | None
    ) -> Iterator[_T]:
        """What `work` says of each tile (its corner, and how near a pair must be to be kept), in
        order: sums come out the same on any machine."""
        threads = threads or _cores()
        starts = range(0, len(self._rows), TILE)
        corners = [(top, left) for top in starts for left in starts if left >= top]
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads) as pool:
            for first in range(0, len(corners), threads):
                group = corners[first : first + threads]
                yield from pool.map(functools.partial(work, bound=nearest.bound), group)

    def counted(
        self, corner: tuple[int, int], genuine: NDArray[np.float64], bound: float
    ) -> tuple[NearestPairs, NDArray[np.int64], NDArray[np.float64]]:
        """The impostor pairs up to `bound`; counts below and up to each genuine distance; number,
        sum and sum of squares of the distances."""
        distance, impostor = self._measured(*corner)
        near = self._up_to(bound, corner, distance, impostor)
        values = distance[impostor]
        values.sort()
        counts = np.stack([np.searchsorted(values, genuine, side) for side in ("left", "right")])
        return near, counts, np.array([len(values), values.sum(), values @ values])

    def nearest(self, corner: tuple[int, int], bound: float) -> NearestPairs:
        """The impostor pairs up to `bound`."""
        return self._up_to(bound, corner, *self._measured(*corner))

    def _up_to(
        self,
        bound: float,
        corner: tuple[int, int],
        distance: NDArray[np.float64],
        impostor: NDArray[np.bool_],
    ) -> NearestPairs:
        top, left = corner
        rows, columns = np.nonzero(impostor & (distance <= bound))
        return NearestPairs(
            distance[rows, columns], self._kept[top + rows], self._kept[left + columns]
        )

    def _measured(self, top: int, left: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The distances of a tile, and which of them are of impostor pairs."""
        distance = self._distances(top, left)
        impostor = self._person[top : top + TILE, None] != self._person[left : left + TILE]
        if top == left:
            impostor &= np.triu(np.ones(distance.shape, bool), 1)
        return distance, impostor

    def _distances(self, top: int, left: int) -> NDArray[np.float64]:
        rows, columns = slice(top, top + TILE), slice(left, left + TILE)
        lengths = self._squares[rows, None] + self._squares[columns]
        distance = lengths - 2 * (self._rows[rows] @ self._rows[columns].T)
        first, second = np.nonzero(distance < NEAR * lengths)
        distance[first, second] = squared_distances(
            self._rows[top + first], self._rows[left + second]
        )
        return distance


def _genuine(
    rows: NDArray, person: NDArray[np.int64], kept: NDArray[np.int64], pictures: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Distances of the genuine pairs, ascending, and whose they are."""
    left, right = (kept[side] for side in genuine_pairs(person[kept]))
    distance, whose = by_differences(rows, left, right), person[left]
    lost = pictures * (pictures - 1) // 2 - np.bincount(whose, minlength=len(pictures))
    distance = np.concatenate([distance, np.full(lost.sum(), np.inf)])
    whose = np.concatenate([whose, np.repeat(np.arange(len(pictures)), lost)])
    ascending = np.argsort(distance, kind="stable")
    return distance[ascending], whose[ascending]


def _separation(genuine: NDArray[np.float64], moments: NDArray[np.float64]) -> Separation | None:
    count, total, squares = moments
    if not len(genuine) or not count:
        return None
    mean = total / count
    deviation = float(np.sqrt(max(0.0, squares / count - mean**2)))
    return Separation(float(genuine.mean()), float(genuine.std()), float(mean), deviation)


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    return min(MOST_THREADS, len(affinity(0)) if affinity else os.cpu_count() or 1)
