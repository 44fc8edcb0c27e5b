"""Pictures sorted into clusters by likeness alone, by algorithms of one parameter each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from facenet_tf import metrics
from facenet_tf.evaluation.methods.chinese_whispers import chinese_whispers
from facenet_tf.evaluation.roster import Vectors, drawn_people

MOST_PICTURES = 2000
"""Of more, whole people are drawn at random up to this number: all pairs are looked at."""
STEPS, GENUINE_WITHIN, IMPOSTORS_WITHIN = 15, 0.05, 0.1
"""Thresholds that are tried: so many, evenly from the distance that this share of the validation
people's genuine pairs is within to the distance that this share of their impostor pairs is."""
CLUSTER_SIZES = (2, 3, 5, 8, 13)
"""Smallest clusters that HDBSCAN tries."""
_SMALLEST = 1e-9
"""DBSCAN refuses a reach of 0, which a network with one answer for all faces would choose."""


@dataclasses.dataclass(frozen=True)
class Algorithm:
    """A way to sort pictures by the distances of all pairs.

    Attributes:
        title: its name for a reader.
        parameter: what it must be told.
        sort: Euclidean distances [N, N], the parameter and a seed to clusters int [N], −1: noise.
        by_distance: whether the parameter is a distance; else a number of pictures.
    """

    title: str
    parameter: str
    sort: Callable[[NDArray[np.float64], float, int], NDArray]
    by_distance: bool = True


def _dbscan(distances: NDArray[np.float64], threshold: float, seed: int) -> NDArray:
    from sklearn.cluster import DBSCAN

    return DBSCAN(eps=threshold, min_samples=3, metric="precomputed").fit_predict(distances)


def _hdbscan(distances: NDArray[np.float64], size: float, seed: int) -> NDArray:
    from sklearn.cluster import HDBSCAN

    smallest = min(int(size), len(distances))
    # Without a copy HDBSCAN writes into the distances.
    sort = HDBSCAN(min_cluster_size=smallest, metric="precomputed", copy=True)
    return sort.fit_predict(distances)


def _agglomerative(distances: NDArray[np.float64], threshold: float, seed: int) -> NDArray:
    from sklearn.cluster import AgglomerativeClustering

    return AgglomerativeClustering(
        n_clusters=None, distance_threshold=threshold, metric="precomputed", linkage="average"
    ).fit_predict(distances)


ALGORITHMS = {
    "dbscan": Algorithm("DBSCAN", "reach, of pictures with 2 neighbours or more", _dbscan),
    "hdbscan": Algorithm("HDBSCAN", "pictures of the smallest cluster", _hdbscan, False),
    "agglomerative": Algorithm(
        "agglomerative", "mean distance up to which clusters join", _agglomerative
    ),
    "chinese_whispers": Algorithm(
        "Chinese Whispers", "distance up to which pictures are neighbours", chinese_whispers
    ),
}


@dataclasses.dataclass(frozen=True)
class Pictures:
    """Pictures to sort, with the distances of those that have a record.

    Attributes:
        person: int64 [N], whom each shows.
        known: int64 [K], rows that have a record.
        distances: float64 [K, K], Euclidean.
        rows: int64 [N], where the pictures stand among all that could have been drawn.
        left_out: how many people were not drawn.
    """

    person: NDArray[np.int64]
    known: NDArray[np.int64]
    distances: NDArray[np.float64]
    rows: NDArray[np.int64]
    left_out: int

    @classmethod
    def of(cls, vectors: Vectors, seed: int) -> Pictures:
        """Those of everybody, or of people drawn up to MOST_PICTURES pictures."""
        names = vectors.roster.identities
        drawn = drawn_people(vectors.roster, MOST_PICTURES, seed)
        rows = np.flatnonzero(vectors.roster.of_people(drawn))
        kept = vectors.where(rows)
        known = np.flatnonzero(~kept.roster.lost)
        return cls(
            person=np.unique(kept.roster.identities, return_inverse=True)[1].astype(np.int64),
            known=known,
            distances=_square(metrics.all_pairs_distances(kept.values[known]), len(known)),
            rows=rows,
            left_out=len(np.unique(names)) - len(drawn),
        )

    def sorted_by(self, algorithm: Algorithm, parameter: float, seed: int) -> NDArray[np.int64]:
        """Clusters int64 [N]; −1 for noise and for pictures without a record."""
        clusters = np.full(len(self.person), metrics.NOISE)
        clusters[self.known] = algorithm.sort(self.distances, parameter, seed)
        return clusters

    def parameters(self, algorithm: Algorithm) -> NDArray[np.float64]:
        """What to try of an algorithm's parameter, ascending."""
        if algorithm.by_distance:
            return self.thresholds()
        return np.array([size for size in CLUSTER_SIZES if size <= len(self.known)], np.float64)

    def thresholds(self) -> NDArray[np.float64]:
        """Distances to try, ascending, all above 0."""
        left, right = metrics.all_pairs(len(self.known))
        shown, distances = self.person[self.known], self.distances[left, right]
        genuine = shown[left] == shown[right]
        low = np.quantile(distances[genuine], GENUINE_WITHIN)
        high = np.quantile(distances[~genuine], IMPOSTORS_WITHIN)
        return np.unique(np.linspace(low, high, STEPS).clip(min=_SMALLEST))

    def enough(self) -> bool:
        """Whether there are two people and a pair of one: else there is nothing to sort."""
        shown = np.bincount(self.person[self.known]) if len(self.known) else np.zeros(0, int)
        return bool((shown > 0).sum() > 1 and shown.max() > 1)


def _square(distances: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Roots of the squared distances of all pairs, as a symmetric matrix."""
    table = np.zeros((count, count))
    table[np.triu_indices(count, k=1)] = np.sqrt(distances)
    return table + table.T
