"""A folder tree whose folders name the people, as ``identity/picture`` or nested deeper."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from facenet_tf.datasets.picture import Listing, Picture, key_of
from facenet_tf.errors import InputError

logger = logging.getLogger(__name__)

_KINDS = "avif bmp gif heic heif jfif jp2 jpe jpeg jpg jxl pbm pgm png pnm ppm tif tiff webp"
PICTURE_SUFFIXES = frozenset(f".{kind}" for kind in _KINDS.split())
# First bytes of the formats that photographs come in, for files whose name does not tell.
_SIGNATURE = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n|GIF8|BM.{4}\0{4}|RIFF.{4}WEBP|II\*\0|MM\0\*|P[1-6]\s|\0{3}\x0cjP  |"
    rb".{4}ftyp(avif|avis|heic|heix|mif1)|\xff\x0a|\0{3}\x0cJXL ",
    re.DOTALL,
)


def list_pictures(root: Path, identity_level: int = 0) -> Listing:
    """Return every picture below a folder.

    A picture is a file whose name ends like one, or which begins like one; what it holds is seen
    when it is decoded. Hidden files and folders are no part of the data set; other files, and
    pictures that lie too high in the tree to have an identity, are counted. Links are followed, but
    not back to a folder they lie in.

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
    files = ((path.relative_to(root), _is_picture(path)) for path in _files(root))
    return listing_of(
        files,
        lambda relative, identity: Picture(key_of(relative), identity, root / relative),
        root,
        identity_level,
    )


def listing_of(
    files: Iterable[tuple[Path, bool]],
    picture: Callable[[Path, str], Picture],
    root: object,
    identity_level: int,
) -> Listing:
    """Return a folder's pictures by person.

    Args:
        files: path relative to the folder, and whether it is a picture.
        picture: makes one from its relative path and whom it shows.
        root: the folder, for messages.
        identity_level: see `list_pictures`.

    Raises:
        InputError: there are no pictures.
    """
    pictures, rootless, others = [], 0, 0
    for relative, is_picture in files:
        if not is_picture:
            others += 1
            continue
        folders = relative.parts[:-1]
        if not -len(folders) <= identity_level < len(folders):
            rootless += 1
            continue
        pictures.append(picture(relative, key_of(Path(folders[identity_level]))))
    if not pictures and rootless:
        raise InputError(
            f"{root} holds {rootless} pictures, but none inside a person's folder: put each "
            f"person's pictures into a folder with the person's name (--identity-level)"
        )
    if not pictures:
        raise InputError(f"{root} holds no pictures: give a folder of person/picture files")
    if rootless:
        logger.warning(
            "%d pictures of %s are left out: they lie outside of any person's folder "
            "(--identity-level)",
            rootless,
            root,
        )
    return Listing(sorted(pictures, key=lambda picture: picture.key), rootless, others)


def _files(root: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise InputError(f"{error.filename} cannot be listed: {error.strerror}") from error

    above: dict[Path, frozenset[tuple[int, int]]] = {}
    for folder, subfolders, names in os.walk(root, followlinks=True, onerror=refuse):
        path = Path(folder)
        status, ancestors = path.stat(), above.pop(path, frozenset())
        here = (status.st_dev, status.st_ino)
        if here in ancestors:  # a link to a folder above: a loop
            subfolders.clear()
            continue
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        above.update((path / name, ancestors | {here}) for name in subfolders)
        yield from (path / name for name in names if not name.startswith("."))


def _is_picture(path: Path) -> bool:
    if path.suffix.lower() in PICTURE_SUFFIXES:
        return True
    try:
        if not path.is_file():  # a pipe, a link to nowhere: nothing says that it is a picture
            return False
        with path.open("rb") as file:
            return begins_like_one(file.read(16))
    except OSError:
        return True  # it may be one, and is reported as unreadable


def begins_like_one(head: bytes) -> bool:
    """Whether the first 16 bytes of a file are those of a picture."""
    return bool(_SIGNATURE.match(head))
