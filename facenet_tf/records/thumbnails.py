"""Small pictures of what became of the sources: crops from the shards, and pictures without one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from facenet_tf import page
from facenet_tf.datasets.picture import Picture
from facenet_tf.pictures import UnreadablePicture, decode_picture, fit_within
from facenet_tf.records.layout import read_payload
from facenet_tf.records.rows import Row
from facenet_tf.records.schema import parse

_CROP_SIDE, _PICTURE_SIDE = 80, 112
_WEBP = [cv2.IMWRITE_WEBP_QUALITY, 60]


def read_crop(shard: Path, row: Row, side: int) -> np.ndarray:
    """Return the crop of a row that has a record: uint8 [H, W, 3], BGR, the longer side `side`."""
    with shard.open("rb") as file:
        encoded = parse(read_payload(file, row.offset, row.length)).encoded
    crop = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    assert crop is not None  # this package has encoded it
    return fit_within(crop, side)


class Thumbnails:
    """Gives each row a thumbnail.

    Args of the constructor:
        shards: the shard files by number.
        rows: of all pictures.
        pictures: the sources.
    """

    def __init__(
        self, shards: Sequence[Path], rows: Iterable[Row], pictures: Iterable[Picture]
    ) -> None:
        self._shards = shards
        self._stored = {row.sha256: row for row in rows if row.stored}
        self._pictures = {picture.key: picture for picture in pictures}

    def __call__(self, row: Row) -> str:
        """Return a thumbnail as what ``src`` takes; empty if there is nothing to show.

        It is the crop, for a duplicate that of its twin, and without one the picture with the box
        of its face. A picture that the build could not decode is not tried again.
        """
        stored = row if row.stored else self._stored.get(row.sha256)
        if stored is not None:
            return _embedded(read_crop(self._shards[stored.shard], stored, _CROP_SIDE))
        if row.faces or row.outcome == "no_face":
            return self._from_picture(row)
        return ""

    def _from_picture(self, row: Row) -> str:
        try:
            data = self._pictures[row.path].read()
            if hashlib.sha256(data).hexdigest() != row.sha256:
                return ""  # it has changed since
            pixels = decode_picture(data)
        except (OSError, UnreadablePicture):
            return ""
        scale = _PICTURE_SIDE / max(pixels.shape[:2])
        small = fit_within(pixels, _PICTURE_SIDE)
        if row.box:
            left, top, width, height = (float(value) * scale for value in row.box.split())
            end = (round(left + width), round(top + height))
            cv2.rectangle(small, (round(left), round(top)), end, (255, 220, 0))
        return _embedded(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))


def _embedded(pixels: np.ndarray) -> str:
    _, data = cv2.imencode(".webp", pixels, _WEBP)
    return page.embedded(data.tobytes(), "webp")
