"""One photograph of a known person, not yet read."""

from __future__ import annotations

import dataclasses
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
        return self.path.read_bytes()


def key_of(relative: Path) -> str:
    """Return a path as a key; names that are not UTF-8 are spelt with backslash escapes."""
    return os.fsencode(relative.as_posix()).decode("utf-8", "backslashreplace")
