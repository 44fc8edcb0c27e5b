"""Files that are whole or not there, also after a power failure.

A rename may reach the disk before what was written into the file, and one rename before an earlier
one in another directory: whatever the next step relies on is forced to the disk first.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Errors of a disk, quota or file that has no room left."""


def write(path: Path, data: bytes | memoryview) -> None:
    """Write a file in one step: under another name first, so that it is never seen half."""
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def write_json(path: Path, content: object) -> None:
    """Write plain values as JSON in one step; raises ValueError for a number that is not finite."""
    write(path, as_json(content))


def as_json(content: object) -> bytes:
    """Return what `write_json` writes."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def link(source: Path, target: Path) -> None:
    """Let a file have a second name, or a copy where the file system has no links."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
        sync(target)


def copy(source: Path, target: Path) -> None:
    """Copy a file in one step: damage to the one leaves the other whole."""
    part = target.with_name(f"{target.name}.part")
    shutil.copyfile(source, part)
    sync(part)
    part.replace(target)


def sync(path: Path) -> None:
    """Force a file's content, or a directory's names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
