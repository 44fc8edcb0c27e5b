"""Clustering: pictures of unseen people sorted into people without knowing anybody.

What an algorithm must be told (a distance, or the size of the smallest cluster) is tried on the
validation people and applied once to the test people.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import DBSCAN, HDBSCAN, AgglomerativeClustering

from facenet_tf import metrics
from facenet_tf.evaluation.chinese_whispers import chinese_whispers
from facenet_tf.evaluation.roster import Vectors, drawn_people

MOST_PICTURES = 2000
"""Of more, whole people are drawn at random up to this number: all pairs are looked at."""
SHARES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1)
"""Thresholds that are tried: at these shares of the validation people's impostor pairs."""
CLUSTER_SIZES = (2, 3, 5, 8, 13)
"""Smallest clusters that HDBSCAN tries."""

PROTOCOL = (
    "pictures of the test people, duplicates left out, sorted without a word about who they are; "
    "distance: Euclidean, of unit vectors; the one parameter of each algorithm is that with the "
    "best BCubed F on the validation people, where it was tried at shares of their impostor pairs' "
    "distances (HDBSCAN: sizes of the smallest cluster); pictures that an algorithm calls noise, "
    "and those without a record, are clusters of their own; intervals: people drawn with "
    "replacement, 95 % percentiles of BCubed F, clusters as they are"
)


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
    return DBSCAN(eps=threshold, min_samples=3, metric="precomputed").fit_predict(distances)


def _hdbscan(distances: NDArray[np.float64], size: float, seed: int) -> NDArray:
    # Its copy is not ours: HDBSCAN writes into the distances otherwise.
    return HDBSCAN(min_cluster_size=int(size), metric="precomputed", copy=True).fit_predict(
        distances
    )


def _agglomerative(distances: NDArray[np.float64], threshold: float, seed: int) -> NDArray:
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

    def impostor_distances(self) -> NDArray[np.float64]:
        """Distances of the pairs that show two people."""
        left, right = metrics.all_pairs(len(self.known))
        shown = self.person[self.known]
        apart = shown[left] != shown[right]
        return self.distances[left[apart], right[apart]]

    def enough(self) -> bool:
        """Whether there are two people and a pair of one: else there is nothing to sort."""
        shown = np.bincount(self.person[self.known]) if len(self.known) else np.zeros(0, int)
        return bool((shown > 0).sum() > 1 and shown.max() > 1)


def clustering_figures(
    test: Vectors,
    validation: Vectors,
    *,
    algorithms: tuple[str, ...],
    bootstrap: int,
    seed: int,
) -> tuple[dict[str, Any], dict[str, NDArray[np.int64]]]:
    """Figures of every algorithm, and the clusters that it made.

    Args:
        test, validation: duplicates left out.
        algorithms: of ALGORITHMS.
        bootstrap: draws of people behind the intervals; 0: none.
        seed: of the draws and of Chinese Whispers.

    Returns:
        JSON-ready figures, {"skipped": reason, …} where nothing can be sorted; and by algorithm the
        cluster of every picture of `test`, int64 [N]: −1 for noise and −2 for pictures of people
        who were not drawn.
    """
    figures: dict[str, Any] = {"protocol": PROTOCOL}
    chosen_on, pictures = Pictures.of(validation, seed), Pictures.of(test, seed)
    for name, kind in (("validation", chosen_on), ("test", pictures)):
        if not kind.enough():
            reason = f"the {name} people give no two people and no two pictures of one"
            return {**figures, "skipped": reason}, {}
    figures |= {
        "people": int(pictures.person.max()) + 1,
        "pictures": len(pictures.person),
        "lost_pictures": len(pictures.person) - len(pictures.known),
        "not_drawn": pictures.left_out,
        "validation_people": int(chosen_on.person.max()) + 1,
        "validation_pictures": len(chosen_on.person),
        "algorithms": {},
    }
    found = {}
    for name in algorithms:
        algorithm = ALGORITHMS[name]
        parameter, score = _chosen(algorithm, chosen_on, seed)
        clusters = pictures.sorted_by(algorithm, parameter, seed)
        figures["algorithms"][name] = {
            "parameter": parameter,
            "parameter_is": algorithm.parameter,
            "validation_bcubed_f": score,
            **_agreement(pictures, clusters, bootstrap, seed),
        }
        found[name] = np.full(len(test.roster), -2)
        found[name][pictures.rows] = clusters
    return figures, found


def _chosen(algorithm: Algorithm, pictures: Pictures, seed: int) -> tuple[float, float]:
    """The parameter with the best BCubed F, of equal ones the smallest, and that F."""
    if algorithm.by_distance:
        tried = np.unique(np.quantile(pictures.impostor_distances(), SHARES, method="lower"))
        tried = tried[tried > 0]
    else:
        tried = np.array([size for size in CLUSTER_SIZES if size <= len(pictures.known)])
    scores = [
        metrics.ClusterTable(
            pictures.person, metrics.noise_apart(pictures.sorted_by(algorithm, parameter, seed))
        )
        .bcubed()
        .f
        for parameter in tried
    ]
    best = int(np.argmax(scores))
    return float(tried[best]), scores[best]


def _agreement(
    pictures: Pictures, clusters: NDArray[np.int64], bootstrap: int, seed: int
) -> dict[str, Any]:
    table = metrics.ClusterTable(pictures.person, metrics.noise_apart(clusters))
    sizes = np.bincount(table.clusters)

    def bcubed(times: NDArray[np.float64]) -> list[float]:
        return [table.bcubed(times[pictures.person]).f]

    bcubed_of_all, pairwise = table.bcubed(), table.pairwise()
    figures: dict[str, Any] = {
        "bcubed": _shares(bcubed_of_all),
        "pairwise": _shares(pairwise),
        "nmi": table.normalised_mutual_information(),
        "purity": table.purity(),
        "clusters": len(sizes),
        "clusters_of_two_or_more": int((sizes > 1).sum()),
        "noise": int((clusters[pictures.known] == metrics.NOISE).sum()),
    }
    if bootstrap:
        people = int(pictures.person.max()) + 1
        interval = metrics.people_intervals(people, bcubed, replicates=bootstrap, seed=seed)
        figures["bcubed"]["interval"] = interval[0].tolist()
    return figures


def _shares(agreement: metrics.Agreement) -> dict[str, Any]:
    return {"precision": agreement.precision, "recall": agreement.recall, "f": agreement.f}


def _square(distances: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Roots of the squared distances of all pairs, as a symmetric matrix."""
    table = np.zeros((count, count))
    table[np.triu_indices(count, k=1)] = np.sqrt(distances)
    return table + table.T
