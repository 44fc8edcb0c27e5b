"""Whose pictures are mistaken, and for whose: errors person by person."""

import dataclasses
import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facenet_tf.metrics.checks import checked_pairs
from facenet_tf.metrics.distances import all_pairs
from facenet_tf.metrics.ties import as_near


@dataclasses.dataclass(frozen=True)
class IdentityErrors:
    """How one person's pictures fare among all pictures.

    Attributes:
        label: the person.
        images: pictures of the person.
        rank1_errors: of them, those that a picture of somebody else is at least as near to as every
            other picture of the person: a tie is an error (`ties`). 0 for a person with one
            picture, which no other could be near to.
        confused_with: whose picture was nearest in most of these errors, of equals the smaller
            label; None without an error.
        confused_images: in how many of them.
        genuine_pairs: pairs of the person's pictures.
        rejected_pairs: of them, those beyond the threshold.
    """

    label: int
    images: int
    rank1_errors: int
    confused_with: int | None
    confused_images: int
    genuine_pairs: int
    rejected_pairs: int


def identity_errors(
    labels: ArrayLike, distance: ArrayLike, threshold: float
) -> list[IdentityErrors]:
    """Errors of every person, by ascending label.

    Args:
        labels: integer [N], whom each picture shows.
        distance: float [N·(N−1)/2] of all pairs in the order of `all_pairs`; smaller is more alike.
        threshold: a pair is accepted when its distance is at most this.

    Takes memory for some [N, N] floats.

    Raises:
        ValueError: the lengths do not fit, there is no pair, or a distance is NaN.
    """
    people, person = np.unique(np.asarray(labels), return_inverse=True)
    left, right = all_pairs(len(person))
    genuine, distances = checked_pairs(person[left] == person[right], distance)

    images = np.bincount(person)
    wrong, nearest = _rank1_errors(person, distances)
    confusions = np.zeros((len(people), len(people)), np.int64)
    np.add.at(confusions, (person[wrong], person[nearest[wrong]]), 1)
    whose = person[left[genuine]]
    pairs = np.bincount(whose, minlength=len(people))
    rejected = np.bincount(whose[distances[genuine] > threshold], minlength=len(people))
    return [
        IdentityErrors(
            label=int(label),
            images=int(images[number]),
            rank1_errors=int(row.sum()),
            confused_with=int(people[row.argmax()]) if row.any() else None,
            confused_images=int(row.max()),
            genuine_pairs=int(pairs[number]),
            rejected_pairs=int(rejected[number]),
        )
        for number, (label, row) in enumerate(zip(people, confusions))
    ]


def rank1_accuracy(errors: Iterable[IdentityErrors]) -> float:
    """Share of the pictures that have another of their person and are nearest to such a one.

    NaN where nobody has two pictures.
    """
    counted = [one for one in errors if one.images > 1]
    images = sum(one.images for one in counted)
    return 1 - sum(one.rank1_errors for one in counted) / images if images else math.nan


def _rank1_errors(
    person: NDArray[np.int64], distances: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which pictures are mistaken, and of each the nearest picture of somebody else."""
    count = len(person)
    table = np.full((count, count), np.inf)
    left, right = all_pairs(count)
    table[left, right] = table[right, left] = distances
    same = person[:, None] == person[None, :]
    own = np.where(same, table, np.inf).min(axis=1)
    foreign = np.where(same, np.inf, table)
    nearest = foreign.argmin(axis=1)
    comparable = (same.sum(axis=1) > 1) & ~same.all(axis=1)
    wrong = comparable & as_near(foreign[np.arange(count), nearest], own)
    return wrong, nearest
