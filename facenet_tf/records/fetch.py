"""A dataset from a store into a directory, every file checked against its SHA-256."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tqdm import tqdm

from facenet_tf.errors import InputError, Interrupted
from facenet_tf.records import checksums, durable
from facenet_tf.records.dataset import FaceDataset
from facenet_tf.records.layout import FORMAT, MANIFEST
from facenet_tf.records.output_directory import sha256_of
from facenet_tf.storage import Store


def fetch_dataset(url: str, directory: Path) -> FaceDataset:
    """Copy a dataset; files that are there and intact are not fetched again.

    ``dataset.json`` comes last: an interrupted copy is no dataset, and is continued.

    Args:
        url: of the dataset, as fsspec knows it.
        directory: where it goes: empty, or with a part of the same dataset.

    Raises:
        InputError: there is no dataset of this format, a file there is missing or damaged, or the
            directory holds something else.
        Interrupted: the disk is full.
    """
    store = Store(url)
    written, manifest = _manifest(store)
    hashes = _hashes(store, manifest)
    try:
        _copy(store, written, hashes, directory)
    except OSError as error:
        if error.errno not in durable.FULL:
            raise
        raise Interrupted(
            f"--output {directory}: there is no room left ({error.strerror}): make some, and the "
            "same command continues the copy"
        ) from error
    return FaceDataset.open(directory)


def _copy(store: Store, written: bytes, hashes: dict[str, str], directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    _check(directory, hashes, written)
    for name, sha256 in tqdm(hashes.items(), "fetching", unit="file"):
        if sha256_of(directory / name) != sha256:
            _fetch(store, name, sha256, directory)
    durable.sync(directory)
    durable.write(directory / MANIFEST, written)


def _manifest(store: Store) -> tuple[bytes, dict[str, Any]]:
    try:
        written = store.read(MANIFEST)
        manifest = json.loads(written)
        found = manifest["format"]
    except FileNotFoundError:
        raise InputError(
            f"{store.url} has no {MANIFEST}: it is no dataset, or its build is not finished"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{store.url}: {MANIFEST} cannot be read ({error})") from error
    if found != FORMAT:
        raise InputError(f"{store.url}: it has format {found}, this version reads {FORMAT}")
    if checksums.is_damaged(manifest, written):
        raise InputError(f"{store.url}: {MANIFEST} is damaged: it is not as it was written")
    return written, manifest


def _hashes(store: Store, manifest: dict[str, Any]) -> dict[str, str]:
    """SHA-256 by file; what would lie outside the directory is no file of a dataset."""
    try:
        shards = {shard["file"]: shard["sha256"] for shard in manifest["shards"]}
        hashes = shards | manifest["files"]
    except (KeyError, TypeError) as error:
        raise InputError(f"{store.url}: {MANIFEST} names no files ({error})") from error
    for name in hashes:
        if name in ("", "..") or Path(name).name != name:
            raise InputError(f"{store.url}: {MANIFEST} names {name!r}: no file of a dataset")
    return hashes


def _check(directory: Path, hashes: dict[str, str], manifest: bytes) -> None:
    """Refuse a directory that holds more than a part of the dataset."""
    known = hashes.keys() | {MANIFEST} | {f"{name}.part" for name in [*hashes, MANIFEST]}
    others = sorted({path.name for path in directory.iterdir()} - known)
    if others:
        raise InputError(f"--output {directory} holds other files ({others[0]}): choose another")
    here = directory / MANIFEST
    if here.exists() and here.read_bytes() != manifest:
        raise InputError(f"--output {directory} holds another dataset: choose another")


def _fetch(store: Store, name: str, sha256: str, directory: Path) -> None:
    part = directory / f"{name}.part"
    try:
        store.download(name, part)
    except OSError as error:
        if error.errno in durable.FULL:
            raise
        raise InputError(f"{store.url}: {name} cannot be read ({error})") from error
    if sha256_of(part) != sha256:
        part.unlink()
        raise InputError(
            f"{store.url}: {name} is damaged: its SHA-256 is not the one in {MANIFEST}"
        )
    durable.sync(part)
    part.replace(directory / name)
