"""Every source picture of a dataset, with or without a record, and the vectors that go with them.

Figures are computed over pictures, not over records: a picture in which no face was found has no
record, and must be seen to be counted.
"""

import dataclasses
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facenet_tf.evaluation.made import Made
from facenet_tf.records.dataset import FaceDataset

NO_RECORD = -1
SEEN = "seen"
"""What the split of a seen person becomes who would otherwise be measured, or choose thresholds."""
LISTED = "listed"
"""Split of people who would choose thresholds, were they not themselves on the list of pairs."""


@dataclasses.dataclass(frozen=True)
class Roster:
    """Source pictures in the order (identity, key); all columns are arrays [N].

    Attributes:
        keys, identities, splits, outcomes: str.
        records: int64, record number in the dataset, or NO_RECORD.
        duplicate: bool, whether the picture repeats an earlier one byte by byte, or was left out of
            the dataset by a reviewed list.
    """

    keys: NDArray[np.str_]
    identities: NDArray[np.str_]
    splits: NDArray[np.str_]
    outcomes: NDArray[np.str_]
    records: NDArray[np.int64]
    duplicate: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.keys)

    @classmethod
    def of(cls, dataset: FaceDataset) -> "Roster":
        """All pictures of a dataset.

        A duplicate that was left out of the records gets the record of the picture it repeats: a
        published list of pairs may name it.
        """
        record_of = {key: number for number, key in enumerate(dataset.keys())}
        rows = sorted(dataset.rows, key=lambda row: (row.identity, row.path))
        record_of_bytes = {row.sha256: record_of[row.path] for row in rows if row.stored}
        first_key: dict[str, str] = {}
        for row in sorted(rows, key=lambda row: (row.outcome == "excluded", row.path)):
            first_key.setdefault(row.sha256 or row.path, row.path)
        return cls(
            keys=_strings(row.path for row in rows),
            identities=_strings(row.identity for row in rows),
            splits=_strings(row.split for row in rows),
            outcomes=_strings(row.outcome for row in rows),
            records=np.array(
                [
                    record_of.get(row.path, record_of_bytes.get(row.sha256, NO_RECORD))
                    for row in rows
                ],
                np.int64,
            ),
            duplicate=np.array(
                [
                    row.outcome == "excluded" or first_key[row.sha256 or row.path] != row.path
                    for row in rows
                ],
                bool,
            ),
        )

    def where(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> "Roster":
        """The pictures at these rows."""
        columns = {
            field.name: getattr(self, field.name)[rows] for field in dataclasses.fields(self)
        }
        return Roster(**columns)

    @property
    def lost(self) -> NDArray[np.bool_]:
        """Which pictures have no record."""
        return self.records == NO_RECORD

    def rows_of(self, keys: Collection[str]) -> NDArray[np.int64]:
        """Row of each key; −1 where there is no such picture."""
        row_of = {str(key): row for row, key in enumerate(self.keys)}
        return np.array([row_of.get(key, -1) for key in keys], np.int64)

    def of_people(self, people: Collection[str] | NDArray[np.str_]) -> NDArray[np.bool_]:
        """Which pictures show one of these people."""
        return np.isin(self.identities, list(people))

    def as_in(self, other: "Roster") -> "Roster":
        """The same pictures with the records and outcomes that they have in another dataset.

        Raises:
            KeyError: with the first picture that is not in it.
        """
        rows = other.rows_of(self.keys.tolist())
        if (rows < 0).any():
            raise KeyError(str(self.keys[np.argmin(rows)]))
        return dataclasses.replace(self, outcomes=other.outcomes[rows], records=other.records[rows])

    def outcome_counts(self) -> dict[str, int]:
        """How many pictures ended with each outcome code."""
        return dict(sorted(Counter(map(str, self.outcomes)).items()))


def people_with_most_pictures(roster: Roster, count: int) -> list[str]:
    """Names of `count` people, by pictures (those without a record included), then by name."""
    pictures = Counter(map(str, roster.identities))
    ranked = sorted(pictures, key=lambda name: (-pictures[name], name))
    return sorted(ranked[:count])


def drawn_people(roster: Roster, pictures: int, seed: int) -> NDArray[np.str_]:
    """Names of people with at most so many pictures in all: everybody, or else drawn at random.

    Who alone or beside those drawn before has too many is passed over.
    """
    people, counts = np.unique(roster.identities, return_counts=True)
    if counts.sum() <= pictures:
        return people
    drawn, left = [], pictures
    for number in np.random.default_rng([seed, len(people)]).permutation(len(people)):
        if counts[number] <= left:
            drawn.append(number)
            left -= counts[number]
    return people[drawn]


def drawn_pictures(roster: Roster, pictures: int, seed: int, each: int = 2) -> NDArray[np.bool_]:
    """Rows of at most so many pictures in all, as many people as possible: bool [N].

    Who has many gives a part of his pictures, drawn at random, the same number for all of these.
    Where `each` of everybody are still too many, people are drawn: those with one picture, who
    are in no genuine pair, for what the others leave. What is drawn anew behind intervals is
    people, so that few of them with many pictures would tell less.
    """
    if len(roster) <= pictures:
        return np.ones(len(roster), bool)
    people, code, counts = np.unique(roster.identities, return_inverse=True, return_counts=True)
    random = np.random.default_rng([seed, len(people)])
    shuffled = random.permutation(len(roster))
    by_person = shuffled[np.argsort(code[shuffled], kind="stable")]
    place = np.empty(len(roster), np.int64)  # of a picture among those of its person
    place[by_person] = np.arange(len(roster)) - np.repeat(np.cumsum(counts) - counts, counts)
    fitting = [
        most for most in range(each, counts.max() + 1) if np.minimum(counts, most).sum() <= pictures
    ]
    given = np.minimum(counts, max(fitting, default=each))
    order = random.permutation(len(people))
    paired, alone = order[counts[order] > 1], order[counts[order] == 1]
    paired = paired[np.cumsum(given[paired]) <= pictures]
    chosen = np.concatenate([paired, alone[: pictures - given[paired].sum()]])
    return (place < given[code]) & np.isin(code, chosen)


@dataclasses.dataclass(frozen=True)
class Vectors:
    """A vector for every picture of a roster.

    Attributes:
        roster: N pictures.
        values: float32 [N, D]; a row of NaN for a picture without a record.
        embed: the same network's vectors of any pictures of the same dataset, degraded as named
            (see `facenet_tf.input_pipeline.degraded`); None where only vectors are there.
        embed_one_look: the same with nothing averaged, whatever the evaluation averages.
        embed_crops: the same network's vectors of any crops, uint8 [B, H, W, C] to [B, D].
    """

    roster: Roster
    values: NDArray[np.float32]
    embed: Callable[[Roster, Sequence[str]], "Vectors"] | None = None
    embed_one_look: Callable[[Roster, Sequence[str]], "Vectors"] | None = None
    embed_crops: Callable[[NDArray[np.uint8]], NDArray[np.float32]] | None = None

    def where(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> "Vectors":
        """Pictures and vectors at these rows."""
        return dataclasses.replace(self, roster=self.roster.where(rows), values=self.values[rows])

    def save(self, path: Path, made: Made | None = None) -> None:
        """Write the pictures that have a record as .npz that loads without pickle, and what made
        them, where that is known."""
        kept = self.where(~self.roster.lost)
        identities = kept.roster.identities
        np.savez_compressed(
            path,
            embeddings=kept.values,
            labels=np.unique(identities, return_inverse=True)[1].astype(np.int64),
            identities=identities,
            keys=kept.roster.keys,
            splits=kept.roster.splits,
            made=np.array("" if made is None else made.as_text()),
        )


def _strings(values: Iterable[str]) -> NDArray[np.str_]:
    return np.array(list(values), dtype=np.str_)
