"""A folder tree whose folders name the people, as ``identity/picture`` or nested deeper."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from facenet_tf.datasets.picture import Picture, key_of
from facenet_tf.errors import InputError

_KINDS = "bmp gif jfif jp2 jpe jpeg jpg pbm pgm png pnm ppm tif tiff webp"
PICTURE_SUFFIXES = frozenset(f".{kind}" for kind in _KINDS.split())


def list_pictures(root: Path, identity_level: int = 0) -> list[Picture]:
    """Return every picture below a folder, sorted by key.

    A picture is a file whose name ends like one; what it holds is seen when it is decoded.
    Hidden files and folders, other files, and pictures that lie too high in the tree to have an
    identity are no part of the data set. Links are followed.

    Args:
        root: the folder.
        identity_level: which folder of a picture's relative path names the person. 0 is the first
            below the root, 1 the second …; -1 the one that holds the picture, -2 its parent ….

    Raises:
        InputError: the folder is missing, is no folder, cannot be listed or holds no pictures.
    """
    if not root.is_dir():
        problem = "is not a directory" if root.exists() else "does not exist"
        raise InputError(f"{root} {problem}: give a folder of person/picture files")
    pictures, rootless = [], 0
    for path in _files(root):
        relative = path.relative_to(root)
        folders = relative.parts[:-1]
        if not -len(folders) <= identity_level < len(folders):
            rootless += 1
            continue
        identity = key_of(Path(folders[identity_level]))
        pictures.append(Picture(key_of(relative), identity, path))
    if not pictures and rootless:
        raise InputError(
            f"{root} holds {rootless} pictures, but none inside a person's folder: put each "
            f"person's pictures into a folder with the person's name (--identity-level)"
        )
    if not pictures:
        raise InputError(f"{root} holds no pictures: give a folder of person/picture files")
    return sorted(pictures, key=lambda picture: picture.key)


def _files(root: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise InputError(f"{error.filename} cannot be listed: {error.strerror}") from error

    seen = set()
    for folder, subfolders, names in os.walk(root, followlinks=True, onerror=refuse):
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in seen:  # a link to a folder above: a loop
            subfolders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        # Sorted, so that of two links to one folder the same one is followed on every host.
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in names:
            if not name.startswith(".") and Path(name).suffix.lower() in PICTURE_SUFFIXES:
                yield Path(folder, name)
