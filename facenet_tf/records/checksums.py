"""SHA-256 of files, and of the manifest, which no other file vouches for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facenet_tf.records import durable

CHECKSUM = "checksum"
"""Key of the manifest; datasets of format 1 may lack it."""
_BLOCK = 1 << 20


def of_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, 64 hex digits; raises OSError if it cannot be read."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def of_path(path: Path) -> str:
    """Return that of a file, or of a directory: of the names and bytes of all files below it."""
    if not path.is_dir():
        return of_file(path)
    names = sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
    listed = "".join(f"{of_file(path / name)}  {name}\n" for name in names)
    return hashlib.sha256(listed.encode()).hexdigest()


def sealed(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return a manifest with a checksum of all that it says."""
    return {**manifest, CHECKSUM: _of_content(manifest)}


def is_damaged(manifest: Mapping[str, Any], data: bytes) -> bool:
    """Whether a manifest, if it was sealed, or the bytes of its file are not what was written."""
    return CHECKSUM in manifest and (
        manifest[CHECKSUM] != _of_content(manifest) or data != durable.as_json(manifest)
    )


def _of_content(manifest: Mapping[str, Any]) -> str:
    content = {name: value for name, value in manifest.items() if name != CHECKSUM}
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
