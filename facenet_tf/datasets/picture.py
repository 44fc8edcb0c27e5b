"""One photograph of a known person, not yet read."""

from __future__ import annotations

import dataclasses
import errno
import os
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture file and whom it shows.

    Attributes:
        key: relative path with forward slashes; unique within its source, the same on every host.
        identity: the name of the person.
        path: the file.
        repaired: the file is damaged and `read` mends it.
    """

    key: str
    identity: str
    path: Path
    repaired: bool = False

    def read(self) -> bytes:
        """Return the encoded picture; raises OSError when the file cannot be read."""
        if self.path.exists() and not self.path.is_file():  # reading a pipe would never end
            raise OSError(errno.EINVAL, "not a regular file")
        return self.path.read_bytes()


@dataclasses.dataclass(frozen=True)
class Listing:
    """The pictures of a folder.

    Attributes:
        pictures: sorted by key.
        without_identity: how many other pictures lie too high in the tree to be anyone's.
        other_files: how many files are no pictures.
    """

    pictures: list[Picture]
    without_identity: int = 0
    other_files: int = 0


def key_of(relative: Path) -> str:
    """Return a path as a key; names that are not UTF-8 are spelt with backslash escapes."""
    return as_text(relative.as_posix())


def as_text(name: str) -> str:
    """Return a name of the file system as text that can be encoded, the same on every host."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
