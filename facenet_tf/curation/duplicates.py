"""Near duplicates within a dataset, as a list of pictures to leave out."""

from __future__ import annotations

import collections
from typing import Literal

from facenet_tf.curation.near import NearPairs, near_hashes, near_vectors
from facenet_tf.curation.vectors import Embed, hashes_of, rows_of_records, vectors_of
from facenet_tf.records.dataset import FaceDataset
from facenet_tf.records.exclusions import COLUMNS, NO, YES
from facenet_tf.records.rows import Row

LIST_COLUMNS = (
    *COLUMNS,
    "identity",
    "split",
    "other",
    "other_identity",
    "other_split",
    "distance",
)
Listed = dict[str, object]


def near_records(
    dataset: FaceDataset, most: float, embed: Embed | None, batch_size: int
) -> NearPairs:
    """Pairs of records that are near each other, as record numbers.

    Args:
        dataset: where the crops are.
        most: differing bits of the perceptual hash or, with `embed`, squared distance.
        embed: crops to vectors of length 1; None: the hashes are compared.
        batch_size: crops at once.
    """
    records = dataset.split("all")
    if embed is None:
        hashes = hashes_of(dataset, records, batch_size)
        return near_hashes(hashes, hashes, int(most)).within()
    vectors = vectors_of(embed, dataset, records, batch_size)
    return near_vectors(vectors, vectors, most).within()


def list_duplicates(
    dataset: FaceDataset, pairs: NearPairs, across: Literal["report", "drop"]
) -> list[Listed]:
    """A line for each picture that repeats another: those filed under two people first.

    Of a pair of the same person the later picture by key is excluded. A pair of two people gives
    a line for each of the two, since nobody knows which is right; so do pictures with the same
    bytes under two people, with or without a record.

    Args:
        dataset: where the pictures are.
        pairs: of record numbers.
        across: whether pictures under two people are only reported, or excluded.
    """
    rows = rows_of_records(dataset)
    verdict = YES if across == "drop" else NO
    own: list[Listed] = []
    two: list[Listed] = [
        _line(row, other, 0.0, verdict) for row, other in _same_bytes_across(dataset.rows)
    ]
    for left, right, distance in zip(*pairs, strict=True):
        first, second = sorted((rows[left], rows[right]), key=lambda row: row.path)
        if first.identity == second.identity:
            own.append(_line(second, first, distance, YES))
        elif first.sha256 != second.sha256:
            two += [
                _line(first, second, distance, verdict),
                _line(second, first, distance, verdict),
            ]
    return [*sorted(two, key=_order), *sorted(own, key=_order)]


def _same_bytes_across(rows: list[Row]) -> list[tuple[Row, Row]]:
    """Pictures whose bytes are filed under another person too, each with the first such picture."""
    same: dict[str, list[Row]] = collections.defaultdict(list)
    for row in rows:  # sorted by path
        if row.sha256:
            same[row.sha256].append(row)
    found = []
    for group in same.values():
        for row in group:
            others = (other for other in group if other.identity != row.identity)
            if other := next(others, None):
                found.append((row, other))
    return found


def _line(row: Row, other: Row, distance: float, exclude: str) -> Listed:
    how = "same bytes as" if row.sha256 == other.sha256 else "near duplicate of"
    whose = "" if row.identity == other.identity else f", filed under {other.identity}"
    return {
        "exclude": exclude,
        "path": row.path,
        "reason": f"{how} {other.path}{whose}",
        "identity": row.identity,
        "split": row.split,
        "other": other.path,
        "other_identity": other.identity,
        "other_split": other.split,
        "distance": round(float(distance), 6),
    }


def _order(line: Listed) -> tuple[str, str]:
    return str(line["path"]), str(line["other"])
