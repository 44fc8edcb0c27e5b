"""Searching a gallery of enrolled people for probes: ranks, CMC, mean average precision, DIR.

Conventions of every function here:

* a person is as far from a probe as the nearest enrolled picture of that person;
* a tie counts against the probe's own person (`ties`);
* a probe whose vector is NaN finds nobody: an error at every rank, and at no threshold a false
  alarm (a failure to enrol, ISO/IEC 19795-1).

Sources: Phillips, Grother and Micheals, "Evaluation methods in face recognition", in Handbook of
Face Recognition, 2005 (CMC, DIR at FAR); Manning, Raghavan and Schütze, "Introduction to
Information Retrieval", 2008, section 8.4 (average precision).
"""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facenet_tf.metrics.distances import distance_table
from facenet_tf.metrics.roc import RocCurve, SortedPairs
from facenet_tf.metrics.ties import TIE, as_near

_CELLS_AT_ONCE = 1 << 22


@dataclasses.dataclass(frozen=True)
class Searched:
    """What each of P probes found in a gallery.

    Attributes:
        own: float64 [P], squared distance to the probe's own person; infinite where that person is
            not enrolled, or the probe has no vector.
        foreign: float64 [P], squared distance to the nearest other person; infinite where the
            probe has no vector.
        ahead: int64 [P], how many other people are at most as far away as the own person; as many
            as there are people where that distance is infinite.
    """

    own: NDArray[np.float64]
    foreign: NDArray[np.float64]
    ahead: NDArray[np.int64]

    @property
    def rank(self) -> NDArray[np.int64]:
        """Place of the own person among all enrolled, from 1; beyond the last where not found."""
        return self.ahead + 1

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> "Searched":
        """These probes."""
        return Searched(self.own[chosen], self.foreign[chosen], self.ahead[chosen])

    def with_distractors(self, distances: ArrayLike) -> "Searched":
        """The same probes with the distractors nearest to each, every one a person of its own.

        Args:
            distances: float [P, K], squared, of the K nearest distractors; infinite where there are
                fewer. Ranks up to K are exact then.
        """
        nearest = np.asarray(distances, np.float64)
        ahead = np.isfinite(nearest) & as_near(nearest, self.own[:, None])
        foreign = np.minimum(self.foreign, nearest.min(axis=1))
        return Searched(self.own, foreign, self.ahead + ahead.sum(axis=1))


def search_gallery(
    gallery: ArrayLike, enrolled: ArrayLike, probes: ArrayLike, people: ArrayLike
) -> Searched:
    """Measure every probe against everybody in the gallery.

    Takes memory for the gallery in float64 and some ten million numbers, however many probes.

    Args:
        gallery: finite [G, D], G >= 1.
        enrolled: [G], whom each row of the gallery shows.
        probes: [P, D]; rows of NaN have no vector.
        people: [P], whom each probe shows; people outside of the gallery are unknown to it.

    Raises:
        ValueError: the gallery is empty or not finite, or shapes do not fit.
    """
    rows, names = np.asarray(gallery, np.float64), np.asarray(enrolled)
    vectors, shown = np.asarray(probes), np.asarray(people)
    if rows.ndim != 2 or not len(rows) or vectors.ndim != 2 or vectors.shape[1] != rows.shape[1]:
        raise ValueError(f"gallery {rows.shape} and probes {vectors.shape} must be [N, D], N >= 1")
    if names.shape != rows.shape[:1] or shown.shape != vectors.shape[:1]:
        raise ValueError("enrolled and people must name every row of gallery and probes")
    if not np.isfinite(rows).all():
        raise ValueError("the gallery must be finite: a picture without a vector is not enrolled")
    order = np.argsort(names, kind="stable")
    rows, names = rows[order], names[order]
    present, firsts = np.unique(names, return_index=True)
    own_column = np.searchsorted(present, shown).clip(max=len(present) - 1)
    own_column = np.where(present[own_column] == shown, own_column, -1)
    step = max(1, _CELLS_AT_ONCE // len(rows))
    blocks = [
        _searched(_to_people(vectors[at : at + step], rows, firsts), own_column[at : at + step])
        for at in range(0, len(vectors), step)
    ]
    empty = Searched(np.zeros(0), np.zeros(0), np.zeros(0, np.int64))
    return _joined(blocks) if blocks else empty


def _to_people(
    probes: NDArray, rows: NDArray[np.float64], firsts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Squared distances of probes to people, whose rows begin at `firsts`."""
    distances = distance_table(probes, rows)
    return np.minimum.reduceat(distances, firsts, axis=1) if len(firsts) < len(rows) else distances


def _searched(distances: NDArray[np.float64], own_column: NDArray[np.int64]) -> Searched:
    lines = np.arange(len(distances))
    lost, unknown = np.isnan(distances[:, 0]), own_column < 0
    own = np.where(lost | unknown, np.inf, distances[lines, own_column])
    distances[lines[~unknown], own_column[~unknown]] = np.inf
    foreign = np.where(lost, np.inf, distances.min(axis=1))
    with np.errstate(invalid="ignore"):
        ahead = as_near(distances, own[:, None]).sum(axis=1)
    everybody = distances.shape[1]
    return Searched(own, foreign, np.where(np.isfinite(own), ahead, everybody).astype(np.int64))


def _joined(parts: list[Searched]) -> Searched:
    own, foreign, ahead = (
        np.concatenate([getattr(part, field.name) for part in parts])
        for field in dataclasses.fields(Searched)
    )
    return Searched(own, foreign, ahead)


def cumulative_matches(
    searched: Searched, ranks: int, weights: ArrayLike | None = None
) -> NDArray[np.float64]:
    """CMC: the share of probes whose own person is among the first 1, 2, …, `ranks` people.

    Args:
        searched: closed set: the person of every probe is enrolled.
        ranks: the last rank, >= 1.
        weights: optional float [P] >= 0, how often each probe counts.

    Returns:
        float64 [ranks].

    Raises:
        ValueError: no (weight on) probes.
    """
    counts = np.ones(len(searched.own)) if weights is None else np.asarray(weights, np.float64)
    if not counts.sum() > 0:
        raise ValueError("a curve of matches needs a probe")
    # Of a gallery with fewer people than ranks one that was not found must not be among them.
    ahead = np.where(np.isfinite(searched.own), searched.ahead, ranks).clip(max=ranks)
    return np.cumsum(np.bincount(ahead, counts, ranks + 1)[:ranks]) / counts.sum()


class OpenSet:
    """Probes of people in and outside of a gallery, sorted once, for many curves.

    A known probe is detected and identified at a threshold when nobody is as near as its own person
    (rank 1) and that distance is at most the threshold; an unknown probe is a false alarm when
    anybody is that near. DIR is the share of the known probes that are right, FAR that of the
    unknown probes that are false alarms.

    Args:
        searched: of all probes.
        known: bool [P], whether the probe's person is in the gallery.

    Raises:
        ValueError: there is no known or no unknown probe.
    """

    def __init__(self, searched: Searched, known: NDArray[np.bool_]) -> None:
        right = np.where(searched.ahead == 0, searched.own, np.inf)
        # A known probe is right or wrong, an unknown one an alarm or none: as pairs are.
        self._pairs = SortedPairs(known, np.where(known, right, searched.foreign))

    def curve(self, weights: NDArray[np.float64] | None = None) -> RocCurve:
        """DIR (`tar`) over FAR (`far`), one point for each distance that occurs.

        Args:
            weights: optional float64 [P] >= 0, how often each probe counts.

        Raises:
            ValueError: the weights leave no known or no unknown probe.
        """
        order = self._pairs.order
        curve = self._pairs.curve(np.ones(len(order)) if weights is None else weights[order])
        # No threshold makes a wrong name right, not even an infinite one.
        meant = curve.thresholds < np.inf
        return RocCurve(curve.thresholds[meant], curve.far[meant], curve.tar[meant])


def average_precisions(vectors: ArrayLike, people: ArrayLike) -> NDArray[np.float64]:
    """Average precision of each picture as a query for the others of its person.

    All other pictures are ranked by distance; precision is taken at each picture of the person and
    averaged over all of them. Pictures of others that are equally near come first. A picture
    without a vector is never found, and finds nothing: 0.

    Takes memory for the vectors in float64 and some ten million numbers.

    Args:
        vectors: [N, D]; rows of NaN have no vector.
        people: [N], whom each shows.

    Returns:
        float64 [N]; NaN for a person's only picture, for which there is nothing to find.
    """
    rows, names = np.asarray(vectors, np.float64), np.unique(people, return_inverse=True)[1]
    relevant = np.bincount(names)[names] - 1
    has_vector = np.flatnonzero(~np.isnan(rows).any(axis=1))
    result = np.where(relevant > 0, 0.0, np.nan)
    kept, shown = rows[has_vector], names[has_vector]
    step = max(1, _CELLS_AT_ONCE // max(1, len(kept)))
    for start in range(0, len(kept), step):
        block = np.arange(start, min(start + step, len(kept)))
        distances = distance_table(kept[block], kept)
        for place, query in enumerate(block):
            if relevant[has_vector[query]]:
                found = _precisions(distances[place], shown == shown[query], int(query))
                result[has_vector[query]] = found.sum() / relevant[has_vector[query]]
    return result


def _precisions(
    distances: NDArray[np.float64], same: NDArray[np.bool_], query: int
) -> NDArray[np.float64]:
    """Precision at each other picture of the person, by ascending distance."""
    same_apart = same.copy()
    same_apart[query] = False
    own, others = np.sort(distances[same_apart]), np.sort(distances[~same])
    hits = np.arange(1, len(own) + 1)
    return hits / (hits + np.searchsorted(others, own + TIE, side="right"))
