"""A dataset directory, opened for reading; needs no TensorFlow."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any, Literal

import numpy as np

from facenet_tf.errors import InputError
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.records import checksums
from facenet_tf.records.framing import DamagedRecord
from facenet_tf.records.index import misfit
from facenet_tf.records.layout import (
    FORMAT,
    INDEX,
    LABEL,
    LENGTH,
    MANIFEST,
    OFFSET,
    ROW,
    ROWS,
    SHARD,
    SOURCE,
    read_payload,
)
from facenet_tf.records.rows import Row, read_rows

SplitName = Literal["train", "validation", "test", "unused", "all"]


class FaceDataset:
    """Face crops with random access.

    Records are numbered 0 … N-1 in the order of the index (by shard, then by key). Nothing is held
    per record but the memory-mapped index.

    Attributes:
        directory: where the dataset lies.
        manifest: the content of ``dataset.json``.
        preprocessing: how the crops were made.
        fingerprint: 16 hex digits of all that decides the records: pictures, people, options,
            detector, versions.
        class_names: label → identity.
        index: int64 [N, 6], see `facenet_tf.records.layout`.
    """

    def __init__(self, directory: Path, manifest: dict[str, Any], index: np.ndarray) -> None:
        self.directory = directory
        self.manifest = manifest
        self.index = index
        self.preprocessing = Preprocessing.from_dict(manifest["preprocessing"])
        self.fingerprint: str = manifest["fingerprint"]
        self.class_names: list[str] = [person["name"] for person in manifest["identities"]]

    @classmethod
    def open(cls, directory: str | Path) -> FaceDataset:
        """Open a dataset directory.

        Raises:
            InputError: it is missing, not finished, of another format, files in it are missing or
                shorter than they were, the manifest or the index is damaged, or the index does not
                fit the shards.
        """
        directory = Path(directory)
        manifest = read_manifest(directory)
        index = read_index(directory, manifest)
        for shard in manifest["shards"]:
            path = directory / shard["file"]
            if not path.is_file() or path.stat().st_size != shard["bytes"]:
                raise _broken(directory, f"{shard['file']} is missing or incomplete")
        if problem := misfit(index, manifest):
            raise _broken(directory, f"{INDEX} does not belong to it: {problem}")
        _check(directory, manifest, INDEX)
        return cls(directory, manifest, index)

    def __len__(self) -> int:
        return len(self.index)

    @property
    def labels(self) -> np.ndarray:
        """int64 [N], the identity's number in `class_names`."""
        return self.index[:, LABEL]

    @property
    def sources(self) -> np.ndarray:
        """int64 [N], equal for records that were made from the same bytes."""
        return self.index[:, SOURCE]

    def split(self, name: SplitName) -> np.ndarray:
        """Return the record numbers, int64 and ascending, of all identities in a split."""
        if name == "all":
            return np.arange(len(self.index))
        chosen = np.array([person["split"] == name for person in self.manifest["identities"]])
        return np.flatnonzero(chosen[self.labels])

    def keys(self) -> list[str]:
        """Return the key (relative path) of each record's picture."""
        return [self.rows[row].path for row in self.index[:, ROW]]

    def outcomes(self) -> dict[str, str]:
        """Return the key → outcome of every source picture, also of those without a record."""
        return {row.path: row.outcome for row in self.rows}

    @functools.cached_property
    def rows(self) -> list[Row]:
        """The rows of ``images.csv``, one per source picture, sorted by key.

        Raises InputError if it is damaged.
        """
        try:
            rows = read_rows(self.directory / ROWS)
        except (OSError, ValueError) as error:
            raise _broken(self.directory, f"{ROWS} cannot be read") from error
        _check(self.directory, self.manifest, ROWS)
        return rows

    def read(self, records: np.ndarray) -> list[bytes]:
        """Return the serialized ``tf.train.Example`` of each record number, in the order given.

        Raises:
            InputError: a shard or record is damaged; names both.
            IndexError: there is no such record.
        """
        wanted = self.index[np.asarray(records, np.int64)]
        payloads: list[bytes] = [b""] * len(wanted)
        for shard in np.unique(wanted[:, SHARD]):
            path = self.directory / self.manifest["shards"][shard]["file"]
            try:
                with path.open("rb", buffering=0) as file:
                    for at in np.flatnonzero(wanted[:, SHARD] == shard):
                        offset, length = int(wanted[at, OFFSET]), int(wanted[at, LENGTH])
                        payloads[at] = read_payload(file, offset, length)
            except OSError as error:
                raise _broken(self.directory, f"{path.name} cannot be read") from error
            except DamagedRecord as damage:
                problem = f"{path.name}: record {records[at]} (byte {offset}) is damaged, {damage}"
                raise _broken(self.directory, problem) from damage
        return payloads


def read_manifest(directory: Path) -> dict[str, Any]:
    """Return the content of ``dataset.json``.

    Raises:
        InputError: there is none, it cannot be read, is of another format or damaged.
    """
    path = directory / MANIFEST
    if not directory.is_dir():
        raise InputError(f"{directory} does not exist: build it with data_prep/build_tfrecords.py")
    if not path.is_file():
        raise InputError(
            f"{directory} has no {MANIFEST}: it is no dataset, or its build was interrupted; "
            "run data_prep/build_tfrecords.py"
        )
    try:
        data = path.read_bytes()
        manifest = json.loads(data)
        found = manifest["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _broken(directory, f"{MANIFEST} cannot be read") from error
    if found != FORMAT:
        raise _broken(directory, f"it has format {found}, this version reads {FORMAT}")
    if checksums.is_damaged(manifest, data):
        raise _broken(directory, f"{MANIFEST} is damaged: it is not as it was written")
    return manifest


def read_index(directory: Path, manifest: dict[str, Any]) -> np.ndarray:
    """Return the memory-mapped index, int64 [N, 6].

    Raises:
        InputError: it cannot be read or has another shape than the manifest says.
    """
    try:
        index = np.load(directory / INDEX, mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise _broken(directory, f"{INDEX} cannot be read") from error
    if index.shape != (manifest["records"], 6) or index.dtype != np.int64:
        raise _broken(directory, f"{INDEX} does not belong to it")
    return index


def _check(directory: Path, manifest: dict[str, Any], name: str) -> None:
    """Raise unless a small file, which has been read already, is the one that was written."""
    known = manifest.get("files", {}).get(name)
    if known is not None and checksums.of_file(directory / name) != known:
        raise _broken(directory, f"{name} is damaged: its SHA-256 is not the one in {MANIFEST}")


def _broken(directory: Path, problem: str) -> InputError:
    return InputError(f"dataset {directory}: {problem}; build it again with --overwrite")
