"""How far each picture is from its own person and from the nearest other one."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facenet_tf.metrics.distances import unit_rows

_NUMBERS_AT_ONCE = 4_000_000


@dataclasses.dataclass(frozen=True)
class OwnPerson:
    """Squared distances to means of unit length, in [0, 4].

    Attributes:
        own: float64 [N], to the mean of the person's other pictures; NaN for an only picture.
        other: float64 [N], to the nearest mean of another person; NaN where there is none.
        nearest: int64 [N], label of that person; −1 where there is none.
    """

    own: NDArray[np.float64]
    other: NDArray[np.float64]
    nearest: NDArray[np.int64]


def own_person(vectors: ArrayLike, labels: ArrayLike) -> OwnPerson:
    """Measure each picture against its own person without it, and against all others.

    Args:
        vectors: [N, D] unit vectors, finite.
        labels: int [N].

    Raises:
        ValueError: the shapes do not fit.
    """
    rows = np.asarray(vectors, np.float64)
    given = np.asarray(labels)
    if rows.ndim != 2 or given.shape != (len(rows),):
        raise ValueError(f"expected [N, D] and [N], got {rows.shape} and {given.shape}")
    people, person, counts = np.unique(given, return_inverse=True, return_counts=True)
    sums = np.zeros((len(people), rows.shape[1]))
    np.add.at(sums, person, rows)
    without = unit_rows(sums[person] - rows)
    own = np.where(counts[person] > 1, 2 - 2 * np.einsum("nd,nd->n", without, rows), np.nan)
    other, nearest = _nearest_other(rows, person, unit_rows(sums))
    found = nearest >= 0
    return OwnPerson(
        np.maximum(own, 0),
        np.where(found, np.maximum(other, 0), np.nan),
        np.where(found, people[nearest], -1).astype(np.int64),
    )


def _nearest_other(
    rows: NDArray[np.float64], person: NDArray[np.int64], means: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    other, nearest = np.full(len(rows), np.nan), np.full(len(rows), -1)
    if len(means) < 2:
        return other, nearest
    at_once = max(1, _NUMBERS_AT_ONCE // len(means))
    for start in range(0, len(rows), at_once):
        chunk = slice(start, start + at_once)
        cosine = rows[chunk] @ means.T
        here = np.arange(len(cosine))
        cosine[here, person[chunk]] = -np.inf
        nearest[chunk] = cosine.argmax(axis=1)
        other[chunk] = 2 - 2 * cosine[here, nearest[chunk]]
    return other, nearest
