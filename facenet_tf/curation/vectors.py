"""A row of numbers for every crop of a dataset: hashes, or what a given function makes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from facenet_tf.curation.hashing import perceptual_hashes
from facenet_tf.errors import InputError
from facenet_tf.input_pipeline.pipeline import evaluation_arrays
from facenet_tf.records.dataset import FaceDataset
from facenet_tf.records.layout import ROW
from facenet_tf.records.rows import Row

Embed = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""uint8 [B, H, W, C] crops to float32 [B, D] vectors of length 1."""


def hashes_of(
    dataset: FaceDataset, records: NDArray[np.int64], batch_size: int
) -> NDArray[np.uint64]:
    """The perceptual hash of each record, uint64 [N]; raises InputError for a damaged one."""
    return _of_batches(perceptual_hashes, dataset, records, batch_size)


def vectors_of(
    embed: Embed, dataset: FaceDataset, records: NDArray[np.int64], batch_size: int
) -> NDArray[np.float32]:
    """The vector of each record, float32 [N, D].

    Raises:
        InputError: a record is damaged, or a vector not finite.
    """
    vectors = _of_batches(embed, dataset, records, batch_size)
    if not np.isfinite(vectors).all():
        raise InputError("the model gives embeddings that are not finite: its training diverged")
    return vectors


def rows_of_records(dataset: FaceDataset) -> list[Row]:
    """The row of ``images.csv`` of each record, by record number."""
    return [dataset.rows[number] for number in dataset.index[:, ROW]]


def _of_batches(
    function: Callable[[NDArray[np.uint8]], NDArray[Any]],
    dataset: FaceDataset,
    records: NDArray[np.int64],
    batch_size: int,
) -> NDArray[Any]:
    if not len(records):
        raise InputError(f"{dataset.directory}: there are no such records")
    batches = evaluation_arrays(dataset, records, batch_size)
    count = -(-len(records) // batch_size)
    shown = tqdm(batches, dataset.manifest["name"], count, leave=False, unit="batch", delay=2)
    return np.concatenate([function(batch) for batch in shown])
