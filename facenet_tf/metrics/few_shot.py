"""Naming pictures by a few that are enrolled: whom a draw enrols, and two rules of the nearest."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

_ROWS_AT_ONCE = 4096


def places_among_own(labels: ArrayLike, random: np.random.Generator) -> NDArray[np.int64]:
    """The place of each picture, from 0, in a random order of its person's pictures.

    The pictures with a place below n are a draw of n pictures of each person, and every draw of
    more holds it.

    Args:
        labels: [N], whom each picture shows.
        random: decides the order; it is asked for one permutation of N.

    Returns:
        int64 [N].
    """
    people = np.unique(np.asarray(labels), return_inverse=True)[1]
    order = random.permutation(len(people))
    order = order[np.argsort(people[order], kind="stable")]
    firsts = np.searchsorted(people[order], people[order])
    places = np.empty(len(people), np.int64)
    places[order] = np.arange(len(people)) - firsts
    return places


def nearest_neighbour(enrolled: ArrayLike, labels: ArrayLike, probes: ArrayLike) -> NDArray:
    """The label of the enrolled vector that is nearest to each probe (1-NN).

    Args:
        enrolled: finite [E, D], E >= 1.
        labels: [E].
        probes: finite [P, D].

    Returns:
        [P] of the labels' type; of equal distances the first enrolled vector counts.
    """
    return np.asarray(labels)[_nearest(_rows(enrolled), _rows(probes))]


def nearest_mean(enrolled: ArrayLike, labels: ArrayLike, probes: ArrayLike) -> NDArray:
    """The person whose mean enrolled vector, scaled to length 1, is nearest to each probe.

    Args and returns as of `nearest_neighbour`; of equal distances the smallest label counts.
    """
    names, person = np.unique(np.asarray(labels), return_inverse=True)
    sums = np.zeros((len(names), np.shape(enrolled)[1]))
    np.add.at(sums, person, _rows(enrolled))
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    means = sums / np.where(lengths > 0, lengths, 1)
    return names[_nearest(means, _rows(probes))]


def _rows(vectors: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(vectors, np.float64)


def _nearest(references: NDArray[np.float64], probes: NDArray[np.float64]) -> NDArray[np.int64]:
    """Row of `references` with the smallest Euclidean distance to each probe."""
    squares = np.einsum("nd,nd->n", references, references)
    nearest = [
        # The probe's own square is the same for all references.
        np.argmin(squares - 2 * probes[start : start + _ROWS_AT_ONCE] @ references.T, axis=1)
        for start in range(0, len(probes), _ROWS_AT_ONCE)
    ]
    return np.concatenate(nearest) if nearest else np.zeros(0, np.int64)
