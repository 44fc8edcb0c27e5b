"""Contact sheets of suspicious faces beside faces of the people they may show."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facenet_tf.input_pipeline.pipeline import evaluation_arrays
from facenet_tf.pictures import fit_within
from facenet_tf.records.dataset import FaceDataset

LINES = 20
EXAMPLES = 4
_TILE, _GAP, _TEXT = 96, 24, 18
_INK, _PAPER = 0, 255


class SheetLine(NamedTuple):
    """A line of a sheet.

    Attributes:
        caption: what stands above it.
        face: record number of the suspicious face.
        given, proposed: record numbers of faces of either person, at most `EXAMPLES` each.
    """

    caption: str
    face: int
    given: NDArray[np.int64]
    proposed: NDArray[np.int64]


def write_sheets(
    directory: Path, dataset: FaceDataset, lines: Sequence[SheetLine], sheets: int
) -> list[Path]:
    """Write ``sheet-001.png`` … with `LINES` lines each, at most `sheets` of them.

    A line shows the suspicious face, then faces of the given, then of the proposed person.
    """
    written = []
    for start in range(0, min(len(lines), sheets * LINES), LINES):
        page = [_drawn(dataset, line) for line in lines[start : start + LINES]]
        path = directory / f"sheet-{start // LINES + 1:03d}.png"
        cv2.imwrite(str(path), np.vstack(page)[..., ::-1])
        written.append(path)
    return written


def _drawn(dataset: FaceDataset, line: SheetLine) -> NDArray[np.uint8]:
    """One line, uint8 [H, W, 3], RGB."""
    groups = [np.array([line.face]), line.given[:EXAMPLES], line.proposed[:EXAMPLES]]
    tiles = _tiles(dataset, np.concatenate(groups))
    width = (1 + 2 * EXAMPLES) * _TILE + 2 * _GAP
    drawn = np.full((_TEXT + _TILE, width, 3), _PAPER, np.uint8)
    lefts = (0, _TILE + _GAP, (1 + EXAMPLES) * _TILE + 2 * _GAP)
    places = [left + _TILE * at for left, group in zip(lefts, groups) for at in range(len(group))]
    for left, tile in zip(places, tiles, strict=True):
        height, width, _ = tile.shape
        drawn[_TEXT : _TEXT + height, left : left + width] = tile
    # OpenCV draws no letters beyond ASCII.
    text = line.caption.encode("ascii", "replace").decode()
    cv2.putText(
        drawn, text, (2, _TEXT - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (_INK,) * 3, 1, cv2.LINE_AA
    )
    return drawn


def _tiles(dataset: FaceDataset, records: NDArray[np.int64]) -> list[NDArray[np.uint8]]:
    crops = (crop for batch in evaluation_arrays(dataset, records, len(records)) for crop in batch)
    colour = (cv2.cvtColor(c, cv2.COLOR_GRAY2RGB) if c.shape[2] == 1 else c for c in crops)
    return [fit_within(crop, _TILE) for crop in colour]
