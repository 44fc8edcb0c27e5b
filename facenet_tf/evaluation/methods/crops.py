"""Small crops of measured pictures, from the records of the dataset."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from facenet_tf.evaluation.measured import Measured
from facenet_tf.pictures import fit_within


def small_crops(
    measured: Measured, rows: NDArray[np.int64], side: int
) -> dict[int, NDArray[np.uint8]]:
    """{row: crop}: uint8 [H, W, 3], BGR, the longer side `side`.

    Args:
        measured: its dataset has the records.
        rows: of its roster; those of pictures without a record are left out, and all if there is
            no dataset.
        side: pixels.

    Raises:
        InputError: a record is damaged.
    """
    there = rows[~measured.roster.lost[rows]]
    if measured.dataset is None or not len(there):
        return {}
    from facenet_tf.records.schema import parse  # TensorFlow: seconds

    payloads = measured.dataset.read(measured.roster.records[there])
    return {
        int(row): _small(parse(payload).encoded, side)
        for row, payload in zip(there, payloads, strict=True)
    }


def _small(encoded: bytes, side: int) -> NDArray[np.uint8]:
    crop = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    assert crop is not None  # this package has encoded it
    return fit_within(crop, side)
