"""Validation on people who are not trained on: taken from the training people, never from the test.

All pairs of their pictures are compared, so that the figure means the same from run to run.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

import keras
import numpy as np
import tensorflow as tf

from facenet_tf.input_pipeline.pipeline import evaluation_batches
from facenet_tf.metrics import (
    all_pairs,
    all_pairs_distances,
    area_under_curve,
    equal_error_rate,
    operating_point,
    roc_curve,
)
from facenet_tf.records.dataset import FaceDataset

logger = logging.getLogger(__name__)

_BATCH = 128
_THUMBNAIL = 32


class ValidationPeople:
    """Embeds the validation people's pictures and measures how well pairs are told apart.

    Args:
        dataset: with a split ``"validation"``.
        limit: at most this many pictures, spread evenly over the records (their pairs grow
            with the square).
    """

    def __init__(self, dataset: FaceDataset, limit: int = 2000) -> None:
        records = dataset.split("validation")
        if len(records) > limit:
            records = records[np.linspace(0, len(records) - 1, limit).astype(np.int64)]
        self.dataset, self.records = dataset, records
        self.labels = np.asarray(dataset.labels[records])
        self.embeddings = np.zeros((0, 0), np.float32)

    @classmethod
    def of(cls, dataset: FaceDataset) -> ValidationPeople | None:
        """The dataset's validation people; None, and a warning, where they make no pairs."""
        people = cls(dataset)
        counts = np.unique(people.labels, return_counts=True)[1]
        if len(counts) >= 2 and counts.max() >= 2:
            return people
        logger.warning(
            "%s has no two validation people with a pair of pictures: the last model is kept, "
            "not the best",
            dataset.directory,
        )
        return None

    def measure(self, embedder: Embedder) -> dict[str, float]:
        """Figures over all pairs of validation pictures: ``val_auc``, ``val_eer``, ``val_tar``.

        ``val_tar`` is the fraction of genuine pairs accepted at a false accept rate of 1e-2.
        """
        self.embeddings = embedder.embed(self.batches())
        left, right = all_pairs(len(self.labels))
        genuine = self.labels[left] == self.labels[right]
        curve = roc_curve(genuine, all_pairs_distances(self.embeddings))
        return {
            "val_auc": area_under_curve(curve),
            "val_eer": equal_error_rate(curve),
            "val_tar": operating_point(curve, 1e-2).tar,
        }

    def batches(self) -> tf.data.Dataset:
        """The pictures in order, uint8 ``[B, S, S, C]``."""
        return evaluation_batches(self.dataset, self.records, _BATCH)

    def thumbnails(self) -> np.ndarray:
        """Small pictures for the projector, uint8 ``[N, 32, 32, 3]``."""
        size = [_THUMBNAIL, _THUMBNAIL]
        small = [tf.image.resize(batch, size, antialias=True) for batch in self.batches()]
        pixels = np.clip(np.concatenate(small), 0, 255).astype(np.uint8)
        return np.repeat(pixels, 3, axis=-1) if pixels.shape[-1] == 1 else pixels


class Embedder:
    """A model's forward pass, traced once for all the times it is asked.

    Args:
        model: images ``[B, S, S, C]`` of 0…255 to unit vectors ``[B, D]``.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self._forward = tf.function(
            lambda images: model(images, training=False), reduce_retracing=True
        )

    def embed(self, batches: Iterable[tf.Tensor]) -> np.ndarray:
        """Embeddings of all batches in order, float32 ``[N, D]``."""
        return np.concatenate([self._forward(images).numpy() for images in batches])
