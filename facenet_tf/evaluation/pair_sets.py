"""Sets of pairs as rows of a roster, and their distances."""

import dataclasses
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facenet_tf import metrics
from facenet_tf.datasets.pairs import Pairs
from facenet_tf.errors import InputError
from facenet_tf.evaluation.roster import Roster, Vectors, drawn_pictures

MOST_PICTURES_PAIRED = 3000
"""All pairs of more pictures than this are too many to sort again for every bootstrap draw."""


@dataclasses.dataclass(frozen=True)
class PairSet:
    """N pairs of pictures of a roster.

    Attributes:
        protocol: where the pairs come from.
        left, right: int64 [N] rows of the roster.
        genuine: bool [N].
        fold: int64 [N], or None where the protocol has no folds.
    """

    protocol: str
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    genuine: NDArray[np.bool_]
    fold: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.genuine)

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> "PairSet":
        """The pairs chosen by a bool [N], or by their numbers."""
        fold = None if self.fold is None else self.fold[chosen]
        return PairSet(
            self.protocol, self.left[chosen], self.right[chosen], self.genuine[chosen], fold
        )


@dataclasses.dataclass(frozen=True)
class ScoredPairs:
    """Pairs with their squared distances, float64 [N], by the vectors of one network.

    The distance is infinite where a picture has no record: a failure to enrol is accepted at no
    threshold. It makes a false non-match of a genuine pair, and no false match of an impostor one
    (the generalised rates of ISO/IEC 19795-1).
    """

    roster: Roster
    pairs: PairSet
    distance: NDArray[np.float64]

    @classmethod
    def of(cls, vectors: Vectors, pairs: PairSet) -> "ScoredPairs":
        """Measure all pairs."""
        distance = metrics.listed_distances(vectors.values, pairs.left, pairs.right)
        return cls(vectors.roster, pairs, np.where(np.isnan(distance), np.inf, distance))

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> "ScoredPairs":
        """The pairs chosen by a bool [N], or by their numbers."""
        return ScoredPairs(self.roster, self.pairs.where(chosen), self.distance[chosen])

    def with_lost_as_errors(self) -> "ScoredPairs":
        """The same for the accuracy of a list, of which no pair may be won by losing a picture:
        an impostor pair with one counts as accepted, too."""
        errors = np.isinf(self.distance) & ~self.pairs.genuine
        return dataclasses.replace(self, distance=np.where(errors, -np.inf, self.distance))


def all_pairs_of_split(roster: Roster, split: str, seed: int) -> PairSet | None:
    """All pairs of the pictures of a split's people, duplicates left out.

    Of more than MOST_PICTURES_PAIRED pictures so many are drawn (`drawn_pictures`).

    Returns:
        The pairs; None unless they hold genuine and impostor ones.
    """
    wanted = (roster.splits == split) & ~roster.duplicate
    people = np.unique(roster.identities[wanted])
    protocol = f"all pairs of the pictures of the dataset's {len(people)} {split} people"
    rows = np.flatnonzero(wanted)
    drawn = drawn_pictures(roster.where(wanted), MOST_PICTURES_PAIRED, seed)
    if not drawn.all():
        rows = rows[drawn]
        protocol = (
            f"all pairs of {len(rows)} pictures of {len(np.unique(roster.identities[rows]))} "
            f"people, drawn from the {len(drawn)} pictures of the dataset's {len(people)} {split} "
            f"people (seed {seed})"
        )
    left, right = metrics.all_pairs(len(rows))
    left, right = rows[left], rows[right]
    codes = np.unique(roster.identities, return_inverse=True)[1]
    genuine = codes[left] == codes[right]
    if not len(genuine) or genuine.all() or not genuine.any():
        return None
    return PairSet(protocol, left, right, genuine)


def listed_pairs(roster: Roster, pairs: Pairs, protocol: str, file: Path) -> PairSet:
    """A published list of pairs as rows of the roster.

    Raises:
        InputError: the list, from this file, names pictures that the dataset was not built from, or
            one picture twice, by two names, in a pair.
    """
    left, right = roster.rows_of(pairs.left), roster.rows_of(pairs.right)
    unknown = (left < 0) | (right < 0)
    if unknown.any():
        first = int(np.argmax(unknown))
        raise InputError(
            f"{file}: {int(unknown.sum())} of {len(pairs)} pairs name pictures that are not there, "
            f"or more than once (first: {pairs.left[first]}, {pairs.right[first]}): build the "
            "dataset from all pictures of the list; embeddings of a file need these names as `keys`"
        )
    if (left == right).any():
        raise InputError(f"{file}: {pairs.left[np.argmax(left == right)]} is paired with itself")
    genuine = np.asarray(pairs.genuine, bool)
    return PairSet(protocol, left, right, genuine, np.asarray(pairs.fold))
