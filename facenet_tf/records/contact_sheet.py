"""Recovered faces on one sheet, to see at a glance whether the recovery did well."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import tensorflow as tf

from facenet_tf.records import durable
from facenet_tf.records.layout import read_payload
from facenet_tf.records.rows import Row

_COLUMNS, _TILE = 20, 112


def write_contact_sheet(path: Path, shards: Sequence[Path], rows: Sequence[Row]) -> int:
    """Write the crops of pictures whose face the recovery found, as one PNG.

    Args:
        path: the PNG to write; nothing is written if there are none.
        shards: the shard files by number.
        rows: of all pictures.

    Returns the number of crops shown: 200 at most, spread evenly over the pictures.
    """
    recovered = [row for row in rows if row.rung and row.stored]
    if not recovered:
        return 0
    chosen = np.unique(np.linspace(0, len(recovered) - 1, 200).astype(int))
    tiles = [_tile(shards[recovered[number].shard], recovered[number]) for number in chosen]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % min(_COLUMNS, len(tiles)))
    columns = min(_COLUMNS, len(tiles))
    lines = [np.hstack(tiles[at : at + columns]) for at in range(0, len(tiles), columns)]
    durable.write(path, cv2.imencode(".png", np.vstack(lines))[1].tobytes())
    return len(chosen)


def _tile(shard: Path, row: Row) -> np.ndarray:
    with shard.open("rb") as file:
        example = tf.train.Example.FromString(read_payload(file, row.offset, row.length))
    encoded = example.features.feature["image/encoded"].bytes_list.value[0]
    crop = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    assert crop is not None  # this package has encoded it
    return cv2.resize(crop, (_TILE, _TILE), interpolation=cv2.INTER_AREA)
