"""Recovered faces on one sheet, to see at a glance whether the recovery did well."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from facenet_tf.records import durable
from facenet_tf.records.rows import Row, evenly
from facenet_tf.records.thumbnails import read_crop

_COLUMNS, _TILE = 20, 112


def write_contact_sheet(path: Path, shards: Sequence[Path], rows: Sequence[Row]) -> int:
    """Write the crops of pictures whose face the recovery found, as one PNG.

    Args:
        path: the PNG to write; nothing is written if there are none.
        shards: the shard files by number.
        rows: of all pictures.

    Returns the number of crops shown: 200 at most, spread evenly over the pictures.
    """
    chosen = evenly([row for row in rows if row.rung and row.stored], 200)
    if not chosen:
        return 0
    tiles = [read_crop(shards[row.shard], row, _TILE) for row in chosen]
    columns = min(_COLUMNS, len(tiles))
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    lines = [np.hstack(tiles[at : at + columns]) for at in range(0, len(tiles), columns)]
    durable.write(path, cv2.imencode(".png", np.vstack(lines))[1].tobytes())
    return len(chosen)
