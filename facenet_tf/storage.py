"""Files in a store such as S3, named by URL (extra `remote`); nothing else here knows fsspec."""

from __future__ import annotations

import dataclasses
import functools
import importlib
from pathlib import Path
from typing import Any

from facenet_tf.errors import InputError


@dataclasses.dataclass(frozen=True)
class Store:
    """A folder of a store; travels to other processes, and connects there when it is used.

    Whatever a store raises where something is missing or refused is an OSError.

    Attributes:
        url: as fsspec knows it: ``s3://bucket/faces``, ``gs://…``, ``memory://…``.
    """

    url: str

    def connect(self) -> None:
        """Raises InputError if fsspec, or what it needs for this kind of URL, is missing."""
        _connected(self.url)

    def sizes(self) -> dict[str, int]:
        """Return the relative path → bytes of all files, in any order; empty without a folder."""
        files, root = _connected(self.url)
        files.invalidate_cache(root)  # others write there too
        try:
            found = files.find(root, detail=True)
        except FileNotFoundError:
            return {}
        return {
            path[len(root) :].lstrip("/"): int(about["size"])
            for path, about in found.items()
            if path.startswith(f"{root}/")
        }

    def read(self, name: str, start: int | None = None, end: int | None = None) -> bytes:
        """Return a file's bytes, or those from `start` to before `end`."""
        files, root = _connected(self.url)
        return files.cat_file(f"{root}/{name}", start, end)

    def write(self, name: str, data: bytes) -> None:
        """Write a file; one that is there is replaced."""
        files, root = _connected(self.url)
        path = f"{root}/{name}"
        files.makedirs(path.rpartition("/")[0], exist_ok=True)
        files.pipe_file(path, data)

    def upload(self, local: Path, name: str) -> None:
        """Copy a file to the store; one that is there is replaced."""
        files, root = _connected(self.url)
        path = f"{root}/{name}"
        files.makedirs(path.rpartition("/")[0], exist_ok=True)
        files.put_file(str(local), path)

    def download(self, name: str, local: Path) -> None:
        """Copy a file from the store."""
        files, root = _connected(self.url)
        files.get_file(f"{root}/{name}", str(local))

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        files, root = _connected(self.url)
        try:
            files.rm_file(f"{root}/{name}")
        except FileNotFoundError:
            return


def is_url(text: str) -> bool:
    """Whether this names a place in a store and no local path."""
    return "://" in text


@functools.lru_cache(maxsize=8)
def _connected(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it."""
    try:
        core = importlib.import_module("fsspec.core")
    except ImportError as error:
        raise InputError(
            f"{url}: the package fsspec cannot be imported ({error}): "
            "pip install 'facenet-tf[remote]'"
        ) from error
    try:
        files, root = core.url_to_fs(url)
    except (ImportError, ValueError) as error:  # no such protocol, or its package is missing
        raise InputError(f"{url} cannot be opened: {error}") from error
    return files, root.rstrip("/")
