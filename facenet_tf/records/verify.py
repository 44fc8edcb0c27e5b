"""A whole dataset against its hashes: every file, every record, every field."""

from __future__ import annotations

import collections
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from facenet_tf.errors import InputError
from facenet_tf.records import checksums
from facenet_tf.records.dataset import read_index, read_manifest
from facenet_tf.records.framing import DamagedRecord
from facenet_tf.records.index import make_index, misfit
from facenet_tf.records.layout import (
    INDEX,
    LENGTH,
    MANIFEST,
    OFFSET,
    ROW,
    ROWS,
    SHARD,
    read_payload,
)
from facenet_tf.records.rows import Row, read_rows
from facenet_tf.records.schema import Record, parse

# Half of the last decimal that images.csv gives, and what float32 rounds.
_TOLERANCES = {
    "box": (5e-4, 1e-6),
    "confidence": (5e-6, 1e-6),
    "landmarks": (5e-4, 1e-6),
    "transform": (5e-7, 1e-6),
    "rmse": (5e-4, 1e-6),
}


class Verification:
    """Checks a dataset part by part; problems are given as lines that name file and record.

    Attributes:
        shards: the entries of the manifest's shards.
    """

    def __init__(self, directory: Path) -> None:
        """Raises InputError if there is no manifest to check against, or it is damaged."""
        self._directory = directory
        self._manifest = read_manifest(directory)
        self.shards: list[dict[str, Any]] = self._manifest["shards"]
        self._rows: list[Row] | None = None
        self._index: np.ndarray | None = None

    def tables(self) -> Iterator[str]:
        """Check everything but the shards; comes first, as these are checked against it."""
        if checksums.CHECKSUM not in self._manifest:
            yield f"{MANIFEST}: it has no checksum; the same build again gives it one"
        for name, known in self._manifest.get("files", {}).items():
            yield from _changed(self._directory / name, known)
        try:
            self._rows = read_rows(self._directory / ROWS)
        except (OSError, ValueError):
            yield f"{ROWS}: it cannot be read"
        try:
            self._index = read_index(self._directory, self._manifest)
        except InputError as error:
            yield str(error)
        else:
            problem = misfit(self._index, self._manifest)
            if problem:
                yield f"{INDEX}: {problem}"
                self._index = None
        if self._rows is not None:
            yield from self._counts(self._rows)
            if self._index is not None and not np.array_equal(make_index(self._rows), self._index):
                yield f"{INDEX}: it does not fit {ROWS}"
                self._index = None

    def shard(self, number: int) -> Iterator[str]:
        """Check one shard: its hash, the checksum of each record, the fields of each record."""
        path = self._directory / self.shards[number]["file"]
        problems = list(_changed(path, self.shards[number]["sha256"]))
        yield from problems
        if self._index is None or self._rows is None or not path.is_file():
            return
        records = np.flatnonzero(self._index[:, SHARD] == number)
        with path.open("rb", buffering=0) as file:
            for record in records:
                offset, length = int(self._index[record, OFFSET]), int(self._index[record, LENGTH])
                try:
                    found = parse(read_payload(file, offset, length))
                except (DamagedRecord, ValueError) as error:
                    yield f"{path.name}: record {record} (byte {offset}) is damaged, {error}"
                    continue
                differing = _differences(found, self._rows[int(self._index[record, ROW])])
                if differing:
                    fields = ", ".join(differing)
                    yield f"{path.name}: record {record} differs from its row in {ROWS}: {fields}"

    def _counts(self, rows: Sequence[Row]) -> Iterator[str]:
        stored = collections.Counter(row.identity for row in rows if row.stored)
        people = {person["name"]: person["records"] for person in self._manifest["identities"]}
        for name, known, found in (
            ("pictures", self._manifest["pictures"], len(rows)),
            ("records", self._manifest["records"], stored.total()),
            ("outcomes", self._manifest["outcomes"], collections.Counter(r.outcome for r in rows)),
            ("identities", people, {person: stored[person] for person in people}),
        ):
            if known != found:
                yield f"{ROWS}: its {name} are not those of the manifest"


def _changed(path: Path, known: str) -> Iterator[str]:
    try:
        found = checksums.of_file(path)
    except OSError as error:
        yield f"{path.name}: it cannot be read ({error.strerror})"
        return
    if found != known:
        yield f"{path.name}: its SHA-256 is not the one in the manifest"


def _differences(record: Record, row: Row) -> list[str]:
    """Names of the fields in which a record differs from its row."""
    exact = ("label", "identity", "path", "sha256", "outcome")
    differing = [name for name in exact if getattr(record, name) != getattr(row, name)]
    told: tuple[str, ...] = tuple(_TOLERANCES)
    if record.outcome == "fallback":  # the row tells of the face that was not used, if any
        told = ("transform",)
    for name in told:
        found = np.ravel(getattr(record, name))
        expected = _numbers(getattr(row, name))
        absolute, relative = _TOLERANCES[name]
        if found.shape != expected.shape or not np.allclose(
            found, expected, relative, 1.01 * absolute
        ):
            differing.append(name)
    return differing


def _numbers(cell: str) -> np.ndarray:
    """The numbers of a cell; none if it holds something else."""
    try:
        return np.array([float(value) for value in cell.split()])
    except ValueError:
        return np.empty(0)
