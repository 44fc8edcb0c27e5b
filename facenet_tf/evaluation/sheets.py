"""Contact sheets of the report: crops from the records of the dataset."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from numpy.typing import NDArray

from facenet_tf import page
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.protocol import Sheet, Strip
from facenet_tf.input_pipeline.pipeline import evaluation_arrays
from facenet_tf.pictures import fit_within

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
    """Fetch the crops of a sheet; without a dataset the pictures are named only."""
    strips = [(strip.caption, _pictures(strip, measured)) for strip in sheet.strips]
    return ShownSheet(sheet.title, sheet.note, strips)


def _pictures(strip: Strip, measured: Measured) -> list[Shown]:
    roster = measured.roster.where(np.array(strip.rows, np.int64))
    images = dict.fromkeys(range(len(roster)), "")
    there = np.flatnonzero(~roster.lost)
    if measured.dataset is not None and len(there):
        batches = evaluation_arrays(measured.dataset, roster.records[there], len(there))
        crops = (crop for batch in batches for crop in batch)
        images.update((int(row), _embedded(crop)) for row, crop in zip(there, crops, strict=True))
    keys = list(map(str, roster.keys))
    return [
        Shown(images[row], key, caption)
        for row, (key, caption) in enumerate(zip(keys, strip.captions or keys, strict=True))
    ]


def _embedded(crop: NDArray[np.uint8]) -> str:
    """A crop [H, W, C] in RGB or grey as what ``src`` takes."""
    pixels = fit_within(crop if crop.shape[2] == 1 else crop[..., ::-1], SIDE)
    return page.embedded(cv2.imencode(".webp", pixels, _WEBP)[1].tobytes(), "webp")
