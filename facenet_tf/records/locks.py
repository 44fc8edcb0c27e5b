"""Directories that one process at a time may write."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import BinaryIO


def locked(path: Path) -> BinaryIO:
    """Open a file that no other process has locked, and lock it until it is closed.

    However a process ends, its locks go with it; the file stays, since another one may have it
    open already.

    Raises:
        BlockingIOError: another one has it.
        OSError: it cannot be written, or the file system knows no locks.
    """
    file = path.open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file
