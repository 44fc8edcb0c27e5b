"""How well clusters of pictures are people: pairs, BCubed, mutual information, purity.

All from one table of counts: how many pictures of each person are in each cluster. Every picture is
in one cluster and shows one person; what a cluster or person is called does not matter.
"""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike, NDArray

NOISE = -1


@dataclasses.dataclass(frozen=True)
class Agreement:
    """Precision, recall, and their harmonic mean, all in [0, 1]."""

    precision: float
    recall: float

    @property
    def f(self) -> float:
        """F1; 0 where both are 0."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def noise_apart(clusters: ArrayLike) -> NDArray[np.int64]:
    """Clusters numbered from 0, where each picture that was called noise (−1) is one of its own.

    Args:
        clusters: integer [N], >= −1.

    Returns:
        int64 [N], without gaps.
    """
    given = np.asarray(clusters, np.int64)
    noise = given == NOISE
    named = np.unique(given[~noise], return_inverse=True)[1]
    result = np.empty(len(given), np.int64)
    result[~noise] = named
    result[noise] = np.arange(noise.sum()) + (named.max() + 1 if len(named) else 0)
    return result


class ClusterTable:
    """How many pictures of each person are in each cluster.

    Args:
        people: [N], whom each picture shows.
        clusters: [N], which cluster it is in; noise is to be told apart before (`noise_apart`).

    Attributes:
        people: int64 [N], numbered from 0.
        clusters: int64 [N], numbered from 0.

    Raises:
        ValueError: lengths differ, or there is no picture.
    """

    def __init__(self, people: ArrayLike, clusters: ArrayLike) -> None:
        shown, found = np.asarray(people), np.asarray(clusters)
        if shown.ndim != 1 or shown.shape != found.shape or not len(shown):
            raise ValueError(f"people {shown.shape} and clusters {found.shape} must be [N], N >= 1")
        self.people = np.unique(shown, return_inverse=True)[1].astype(np.int64)
        self.clusters = np.unique(found, return_inverse=True)[1].astype(np.int64)
        self._person_sizes = np.bincount(self.people)
        self._cluster_sizes = np.bincount(self.clusters)
        cells, cell, self._counts = np.unique(
            self.people * len(self._cluster_sizes) + self.clusters,
            return_inverse=True,
            return_counts=True,
        )
        self._cell_person, self._cell_cluster = np.divmod(cells, len(self._cluster_sizes))
        self._together = self._counts[cell]

    def pairwise(self, times: ArrayLike | None = None) -> Agreement:
        """Of the pairs in one cluster those that show one person; of the pairs of one person those
        that are in one cluster. 1 where there is no such pair.

        Args:
            times: optional float [people] >= 0, how often each person was drawn: a pair of two
                people counts the product, as in `PairWeights`, held against that of all such twos.
                A person drawn twice makes no pair of strangers, so that these would be too few
                beside the genuine ones, by 1 / people on average, and precision too high.
        """
        drawn = np.ones(len(self._person_sizes)) if times is None else np.asarray(times, np.float64)
        of_cell = drawn[self._cell_person]
        both = float(of_cell @ _pairs(self._counts))
        of_people = float(drawn @ _pairs(self._person_sizes))
        pictures = np.bincount(self._cell_cluster, of_cell * self._counts)
        squares = np.bincount(self._cell_cluster, (of_cell * self._counts) ** 2)
        strangers = float((pictures**2 - squares).sum()) / 2
        if strangers:
            strangers *= _missing_twos(drawn)
        in_clusters = both + strangers
        return Agreement(
            both / in_clusters if in_clusters else 1.0, both / of_people if of_people else 1.0
        )

    def bcubed(self, weights: ArrayLike | None = None) -> Agreement:
        """Mean over the pictures of the share of its cluster that shows its person (precision), and
        of the share of its person that is in its cluster (recall), itself included.

        Bagga and Baldwin, "Entity-based cross-document coreferencing", 1998; Amigó et al., "A
        comparison of extrinsic clustering evaluation metrics based on formal constraints", 2009.

        Args:
            weights: optional float [N] >= 0, how often each picture counts in the means.
        """
        counts = np.ones(len(self.people)) if weights is None else np.asarray(weights, np.float64)
        precision = self._together / self._cluster_sizes[self.clusters]
        recall = self._together / self._person_sizes[self.people]
        total = counts.sum()
        return Agreement(float(counts @ precision / total), float(counts @ recall / total))

    def strangers(self) -> NDArray[np.int64]:
        """Of each cluster, by its number, how many pictures do not show the person most show."""
        largest = np.zeros(len(self._cluster_sizes), np.int64)
        np.maximum.at(largest, self._cell_cluster, self._counts)
        return self._cluster_sizes - largest

    def purity(self, weights: ArrayLike | None = None) -> float:
        """Share of the pictures that show the person whom most of their cluster show.

        Args:
            weights: optional float [N] >= 0, how often each picture counts in it. Whom most show is
                that of the pictures as they are; of two equally many, the person numbered first.
        """
        counts = np.ones(len(self.people)) if weights is None else np.asarray(weights, np.float64)
        order = np.lexsort((self._cell_person, -self._counts, self._cell_cluster))
        firsts = np.unique(self._cell_cluster[order], return_index=True)[1]
        most_show = self._cell_person[order][firsts]
        return float(counts @ (most_show[self.clusters] == self.people) / counts.sum())

    def normalised_mutual_information(self) -> float:
        """Mutual information of person and cluster over the mean of both entropies, in [0, 1].

        1 where there is one person and one cluster: nothing is unknown then.
        """
        count = len(self.people)
        joint = self._counts / count
        person, cluster = self._person_sizes / count, self._cluster_sizes / count
        apart = person[self._cell_person] * cluster[self._cell_cluster]
        mean = (_entropy(person) + _entropy(cluster)) / 2
        if mean == 0:
            return 1.0
        return float(np.clip(np.sum(joint * np.log(joint / apart)) / mean, 0, 1))


def _missing_twos(drawn: NDArray[np.float64]) -> float:
    """What brings twos of different people to the number that so many people have: of n people
    each is in n − 1, of those who were drawn in fewer."""
    total = drawn.sum()
    return float((len(drawn) - 1) * total / (total**2 - (drawn**2).sum()))


def _pairs(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many pairs so many pictures make."""
    return sizes.astype(np.int64) * (sizes - 1) // 2


def _entropy(shares: NDArray[np.float64]) -> float:
    return float(-np.sum(shares * np.log(shares)))
