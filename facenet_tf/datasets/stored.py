"""A folder of person/picture files in a store, listed as `facenet_tf.datasets.folder` does."""

from __future__ import annotations

import dataclasses
import errno
from pathlib import Path

from facenet_tf.datasets.folder import PICTURE_SUFFIXES, begins_like_one, listing_of
from facenet_tf.datasets.picture import MAX_BYTES, Listing, Picture, key_of
from facenet_tf.errors import InputError
from facenet_tf.storage import Store


@dataclasses.dataclass(frozen=True, kw_only=True)
class StoredPicture(Picture):
    """A picture that is read from a store; its `path` is relative to the store's folder."""

    store: Store
    size: int

    def read(self) -> bytes:
        """Return the encoded picture; raises OSError like `Picture.read`."""
        if self.size > MAX_BYTES:
            raise OSError(errno.EFBIG, f"larger than {MAX_BYTES >> 20} MiB")
        return self.store.read(self.path.as_posix())


def list_pictures(store: Store, identity_level: int = 0) -> Listing:
    """Return every picture below a store's folder; hidden files and folders are left out.

    Args:
        store: the folder.
        identity_level: which folder of a picture's relative path names the person.

    Raises:
        InputError: the store cannot be opened, holds no pictures there, or names that no folder
            can have.
    """
    sizes = store.sizes()
    paths = [_path(store, name) for name in sorted(sizes)]
    visible = [path for path in paths if not any(part.startswith(".") for part in path.parts)]
    return listing_of(
        ((path, _is_picture(store, path)) for path in visible),
        lambda path, identity: StoredPicture(
            key_of(path), identity, path, store=store, size=sizes[path.as_posix()]
        ),
        store.url,
        identity_level,
    )


def _path(store: Store, name: str) -> Path:
    path = Path(name)
    if path.as_posix() != name or ".." in path.parts:  # a//b or a/./b, which stores can hold
        raise InputError(f"{store.url} holds {name!r}: give it a name that a folder can have")
    return path


def _is_picture(store: Store, path: Path) -> bool:
    if path.suffix.lower() in PICTURE_SUFFIXES:
        return True
    try:
        return begins_like_one(store.read(path.as_posix(), 0, 16))
    except OSError:
        return True  # it may be one, and is reported as unreadable
