"""From a dataset's crops to vectors, whatever embeds them; needs TensorFlow to read crops only."""

import dataclasses
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facenet_tf import metrics
from facenet_tf.errors import InputError
from facenet_tf.evaluation.roster import NO_RECORD, Roster, Vectors
from facenet_tf.evaluation.systems.vectors_file import ZERO
from facenet_tf.records.dataset import FaceDataset

logger = logging.getLogger(__name__)

PIXEL_SIDE = 32
"""Raw pixels are compared at this many pixels a side: a kernel machine needs no more."""

Embedder = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""uint8 [B, H, W, C] crops to float32 [B, D] vectors of length 1."""


def run_record(run: Path) -> dict:
    """config.json of a run directory; empty when there is none.

    Raises:
        InputError: it is not JSON.
    """
    path = run / "config.json"
    if not path.is_file():
        return {}
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise InputError(f"{path} is damaged ({error}): restore it or train again") from error


def embed_pixels(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pixels as vectors: reduced to PIXEL_SIDE, the picture's mean removed, length 1."""
    side = (PIXEL_SIDE, PIXEL_SIDE)
    reduced = [cv2.resize(image, side, interpolation=cv2.INTER_AREA).ravel() for image in images]
    rows = np.stack(reduced).astype(np.float32)
    return unit_rows(rows - rows.mean(axis=1, keepdims=True))


def unit_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of any floats as vectors, see `metrics.unit_rows`."""
    return metrics.unit_rows(rows).astype(np.float32)


def embed_roster(
    embed: Embedder,
    dataset: FaceDataset,
    roster: Roster,
    batch_size: int,
    degrade: Sequence[str] = (),
) -> Vectors:
    """A vector for every picture of the roster that has a record, NaN for the others.

    A vector of zeros is no direction: its picture counts from then on as one without a record.

    Args:
        embed: makes the vectors.
        dataset: where the records are.
        roster: the pictures.
        batch_size: crops that `embed` is given at a time.
        degrade: what happens to each crop before, see `facenet_tf.input_pipeline.degraded`.

    Raises:
        InputError: no picture has a record, or the model gives vectors that are not finite, or
            nothing but zeros.
    """
    from facenet_tf.input_pipeline.pipeline import evaluation_arrays  # TensorFlow: seconds

    rows = np.flatnonzero(~roster.lost)
    if not len(rows):
        raise InputError(f"{dataset.directory}: none of the {len(roster)} pictures has a record")
    batches = evaluation_arrays(dataset, roster.records[rows], batch_size, degrade)
    vectors = np.concatenate([embed(batch) for batch in batches])
    if not np.isfinite(vectors).all():
        raise InputError("the model gives embeddings that are not finite: its training diverged")
    zero = np.abs(vectors).max(axis=1) == 0
    if zero.all():
        raise InputError("the model gives nothing but zeros: its training collapsed")
    values = np.full((len(roster), vectors.shape[1]), np.nan, np.float32)
    values[rows] = np.where(zero[:, None], np.nan, vectors)
    return Vectors(_without_zeros(roster, rows[zero]), values)


def _without_zeros(roster: Roster, zero: NDArray[np.int64]) -> Roster:
    if not len(zero):
        return roster
    logger.warning("%d pictures have a vector of zeros: they count as lost", len(zero))
    outcomes, records = roster.outcomes.astype(object), roster.records.copy()
    outcomes[zero], records[zero] = ZERO, NO_RECORD
    return dataclasses.replace(roster, outcomes=outcomes.astype(np.str_), records=records)
