"""Contact sheets of the report: crops from the records of the dataset."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from numpy.typing import NDArray

from facenet_tf import page
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.methods.crops import small_crops
from facenet_tf.evaluation.protocol import Sheet, Strip

SIDE = 96
_WEBP = [cv2.IMWRITE_WEBP_QUALITY, 70]


@dataclasses.dataclass(frozen=True)
class Shown:
    """A picture of a sheet: what ``src`` takes, empty without a record, and what it is."""

    image: str
    key: str
    caption: str


@dataclasses.dataclass(frozen=True)
class ShownSheet:
    """A sheet with its pictures inside; strips as (caption, pictures)."""

    title: str
    note: str
    strips: list[tuple[str, list[Shown]]]


def shown(sheet: Sheet, measured: Measured) -> ShownSheet:
    """Fetch the crops of a sheet; without a dataset the pictures are only named."""
    rows = np.unique([row for strip in sheet.strips for row in strip.rows]).astype(np.int64)
    images = {row: _embedded(crop) for row, crop in small_crops(measured, rows, SIDE).items()}
    strips = [(strip.caption, _pictures(strip, images, measured)) for strip in sheet.strips]
    return ShownSheet(sheet.title, sheet.note, strips)


def _pictures(strip: Strip, images: dict[int, str], measured: Measured) -> list[Shown]:
    keys = [str(measured.roster.keys[row]) for row in strip.rows]
    return [
        Shown(images.get(row, ""), key, caption)
        for row, key, caption in zip(strip.rows, keys, strip.captions or keys, strict=True)
    ]


def _embedded(crop: NDArray[np.uint8]) -> str:
    return page.embedded(cv2.imencode(".webp", crop, _WEBP)[1].tobytes(), "webp")
