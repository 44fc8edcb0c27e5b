"""Naming pictures by a few that are enrolled: whom a draw enrols, and two rules of the nearest."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facenet_tf.metrics.distances import squared_distances, unit_rows
from facenet_tf.metrics.ties import as_near

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
        labels: [E], names or integers >= 0.
        probes: finite [P, D].

    Returns:
        [P] of the labels' type; nobody's ("" or -1) where two people are equally near (`ties`).
    """
    return nearest_names(labels, enrolled, probes)[0]


def nearest_mean(enrolled: ArrayLike, labels: ArrayLike, probes: ArrayLike) -> NDArray:
    """The person whose mean enrolled vector, scaled to length 1, is nearest to each probe.

    Args and returns as of `nearest_neighbour`.
    """
    return nearest_names(*person_means(enrolled, labels), probes)[0]


def person_means(enrolled: ArrayLike, labels: ArrayLike) -> tuple[NDArray, NDArray[np.float64]]:
    """Labels in ascending order, [C], and the mean of each one's vectors, scaled to length 1.

    Args as of `nearest_neighbour`. A mean of zeros stays: float64 [C, D].
    """
    names, person = np.unique(np.asarray(labels), return_inverse=True)
    sums = np.zeros((len(names), np.shape(enrolled)[1]))
    np.add.at(sums, person, _rows(enrolled))
    return names, unit_rows(sums)


def nearest_names(
    labels: ArrayLike, references: ArrayLike, probes: ArrayLike
) -> tuple[NDArray, NDArray[np.float64]]:
    """The label of the nearest reference to each probe, and the squared Euclidean distance to it.

    Args:
        labels: [R], names or integers >= 0.
        references: finite [R, D], R >= 1.
        probes: finite [P, D].

    Returns:
        [P] of the labels' type, nobody's ("" or -1) where references of two labels are equally near
        (`ties`), and float64 [P].
    """
    names, person = np.unique(np.asarray(labels), return_inverse=True)
    known, asked = _rows(references), _rows(probes)
    squares = np.einsum("nd,nd->n", known, known)
    place, tied = np.zeros(len(asked), np.int64), np.zeros(len(asked), bool)
    for start in range(0, len(asked), _ROWS_AT_ONCE):
        chunk = slice(start, start + _ROWS_AT_ONCE)
        # The probe's own square is the same for all references.
        distance = squares - 2 * asked[chunk] @ known.T
        place[chunk] = np.argmin(distance, axis=1)
        near = as_near(distance, distance.min(axis=1, keepdims=True))
        tied[chunk] = (near & (person != person[place[chunk], None])).any(axis=1)
    nobody = -1 if names.dtype.kind == "i" else ""
    named = np.where(tied, np.asarray(nobody, names.dtype), names[person[place]])
    return named, squared_distances(known[place], asked)


def _rows(vectors: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(vectors, np.float64)
