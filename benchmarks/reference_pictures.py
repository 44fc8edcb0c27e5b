"""The fixed list of pictures on which detection is compared with the package `mtcnn`, by name.

    scene/NAME           made from scikit-image's astronaut, without resampling that could differ
    lfw/PERSON/FILE      1,000 of LFW, evenly over the sorted files
    pubfig83/PERSON/FILE 1,000 of PubFig83, likewise
    enlarged/…           20 of LFW at 640 x 640, cut to 640 x 480 about the centre
    mosaic_6/…           20 of LFW at 750 x 500: six pictures side by side, not resampled
    mosaic_12/…          10 of LFW at 1,000 x 750: twelve pictures

A mosaic is named by its first picture; each of the others is 97 files further on.
"""

from __future__ import annotations

import functools
from pathlib import Path

import cv2
import numpy as np

from facenet_tf.pictures import decode_picture

_SETS = {"lfw": "lfw/images", "pubfig83": "pubfig83"}
_COLUMNS_AND_ROWS = {"mosaic_6": (3, 2), "mosaic_12": (4, 3)}
_STRIDE = 97


def photograph_names(data: Path) -> list[str]:
    """The names of all pictures but the scenes, from a directory with lfw/ and pubfig83/."""
    lfw, pubfig83 = _files(data, "lfw"), _files(data, "pubfig83")
    large = _evenly(lfw, 50)
    return [
        *(f"lfw/{file}" for file in _evenly(lfw, 1000)),
        *(f"pubfig83/{file}" for file in _evenly(pubfig83, 1000)),
        *(f"enlarged/{file}" for file in large[:20]),
        *(f"mosaic_6/{file}" for file in large[20:40]),
        *(f"mosaic_12/{file}" for file in large[40:]),
    ]


def photograph(data: Path, name: str) -> np.ndarray:
    """One picture of `photograph_names`, uint8 [H, W, 3], RGB."""
    kind, file = name.split("/", 1)
    if kind in _SETS:
        return _read(data, kind, file)
    if kind == "enlarged":
        square = cv2.resize(_read(data, "lfw", file), (640, 640), interpolation=cv2.INTER_CUBIC)
        return np.ascontiguousarray(square[80:560])
    columns, rows = _COLUMNS_AND_ROWS[kind]
    files = _files(data, "lfw")
    first = files.index(file)
    tiles = [
        _read(data, "lfw", files[(first + _STRIDE * number) % len(files)])
        for number in range(columns * rows)
    ]
    return np.vstack([np.hstack(tiles[at : at + columns]) for at in range(0, len(tiles), columns)])


@functools.cache
def _files(data: Path, kind: str) -> list[str]:
    folder = data / _SETS[kind]
    return sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/*.jpg"))


def _evenly(files: list[str], count: int) -> list[str]:
    return [files[number * len(files) // count] for number in range(count)]


def _read(data: Path, kind: str, file: str) -> np.ndarray:
    return decode_picture((data / _SETS[kind] / file).read_bytes())
