"""Validation on people who are not trained on: taken from the training people, never from the test.

All pairs of their pictures are compared, so that the figure means the same from run to run.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Sequence

import keras
import numpy as np
import tensorflow as tf

from facenet_tf.input_pipeline.pipeline import evaluation_batches
from facenet_tf.losses.health import effective_rank
from facenet_tf.metrics import (
    IdentityErrors,
    all_pairs,
    all_pairs_distances,
    area_under_curve,
    equal_error_rate,
    identity_errors,
    operating_point,
    overlap,
    places_among_own,
    rank1_accuracy,
    roc_curve,
    separation,
    supports_far,
)
from facenet_tf.records.dataset import FaceDataset

logger = logging.getLogger(__name__)

FAR = 1e-2
"""The false accept rate of `val_tar`, and of the threshold that pairs are rejected by."""

_LOW_FAR = 1e-3

BATCH = 128
"""Crops that are embedded at a time."""
_THUMBNAIL = 32

_BYTES_A_PAIR = 100  # at most, while all are sorted by their distance
_MANY_PAIRS = 10_000_000


class ValidationPeople:
    """Embeds the validation people's pictures and measures how well pairs are told apart.

    Of copies of one picture of a person only one is measured: two are no genuine pair.

    Args:
        dataset: with a split ``"validation"``.
        limit: at most this many pictures (their pairs grow with the square): whole people, as many
            as it holds, but two at least; 0: all.
        degrade: what happens to their crops, see `facenet_tf.input_pipeline.degraded`.

    Attributes:
        counts: what is measured and what is left out.
        genuine: bool [M], of all pairs in the order of `all_pairs`: both pictures show one person.
        embeddings: float32 [N, D], of the model that was measured last, as all that follow.
        distances: float64 [M], squared, in [0, 4].
        threshold: the squared distance up to which a pair is accepted at `FAR`.
        errors: person by person, at this threshold.
    """

    def __init__(
        self, dataset: FaceDataset, limit: int = 2000, degrade: Sequence[str] = ()
    ) -> None:
        everyone = dataset.split("validation")
        records = different = everyone[_different(dataset, everyone)]
        if limit and len(different) > limit:
            records = different[_of_some_people(np.asarray(dataset.labels[different]), limit)]
            logger.info("validation on %d pictures of %s", len(records), dataset.directory)
        self.dataset, self.records, self.degrade = dataset, records, degrade
        self.labels = np.asarray(dataset.labels[records])
        self.counts = {
            "identities": len(np.unique(self.labels)),
            "images": len(records),
            "images_left_out": len(different) - len(records),
            "copies_left_out": len(everyone) - len(different),
        }
        pairs = len(records) * (len(records) - 1) // 2
        if pairs > _MANY_PAIRS:
            logger.warning(
                "validation compares %d pictures with each other, %.0f million pairs, which takes "
                "some %.0f GB of memory: --validation-pictures sets a bound",
                len(records),
                pairs / 1e6,
                pairs * _BYTES_A_PAIR / 1e9,
            )
        left, right = all_pairs(len(self.labels))
        self.genuine = self.labels[left] == self.labels[right]
        self.embeddings = np.zeros((0, 0), np.float32)
        self.distances = np.zeros(0)
        self.threshold = 0.0
        self.errors: list[IdentityErrors] = []

    @classmethod
    def of(
        cls, dataset: FaceDataset, degrade: Sequence[str] = (), limit: int = 2000
    ) -> ValidationPeople | None:
        """The dataset's validation people; None, and a warning, where they make no pairs."""
        people = cls(dataset, limit, degrade)
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
        """Figures over all pairs of validation pictures, and over the pictures themselves.

        ``val_auc``, ``val_eer``, and ``val_tar``, the fraction of genuine pairs accepted at `FAR`;
        ``val_tar_0.001``, that at this FAR, where there are enough impostor pairs for it;
        ``val_rank1``, the share of pictures whose nearest other picture shows the same person;
        ``val_effective_rank`` of all embeddings; of squared distances ``val_genuine_mean``,
        ``val_genuine_deviation``, ``val_impostor_mean``, ``val_impostor_deviation``,
        ``val_d_prime`` (`Separation`) and ``val_overlap`` (`overlap`).

        Raises:
            FloatingPointError: the embeddings are not finite.
        """
        self.embeddings = embedder.embed(self.batches())
        if not np.isfinite(self.embeddings).all():
            raise FloatingPointError("validation embeddings")
        self.distances = all_pairs_distances(self.embeddings)
        curve = roc_curve(self.genuine, self.distances)
        accepted = operating_point(curve, FAR)
        self.threshold = accepted.threshold
        self.errors = identity_errors(self.labels, self.distances, self.threshold)
        apart = separation(self.genuine, self.distances)
        figures = {
            "auc": area_under_curve(curve),
            "eer": equal_error_rate(curve),
            "tar": accepted.tar,
            "rank1": rank1_accuracy(self.errors),
            "effective_rank": float(effective_rank(tf.constant(self.embeddings))),
            "d_prime": apart.d_prime,
            "overlap": overlap(curve),
            **dataclasses.asdict(apart),
        }
        if supports_far(int((~self.genuine).sum()), _LOW_FAR):
            figures[f"tar_{_LOW_FAR:g}"] = operating_point(curve, _LOW_FAR).tar
        return {f"val_{name}": value for name, value in figures.items()}

    def batches(self) -> tf.data.Dataset:
        """The pictures in order, uint8 ``[B, H, W, C]``."""
        return evaluation_batches(self.dataset, self.records, BATCH, self.degrade)

    def thumbnails(self) -> np.ndarray:
        """Small pictures for the projector, uint8 ``[N, H, W, 3]``, the longer side 32."""
        height, width, _ = self.dataset.preprocessing.shape
        size = [round(_THUMBNAIL * side / max(height, width)) for side in (height, width)]
        small = [tf.image.resize(batch, size, antialias=True) for batch in self.batches()]
        pixels = np.clip(np.concatenate(small), 0, 255).astype(np.uint8)
        return np.repeat(pixels, 3, axis=-1) if pixels.shape[-1] == 1 else pixels


def _different(dataset: FaceDataset, records: np.ndarray) -> np.ndarray:
    """Places among `records`, rising, of the first of each person's copies of a picture."""
    pictures = np.stack([dataset.labels[records], dataset.sources[records]])
    return np.sort(np.unique(pictures, axis=1, return_index=True)[1])


def _of_some_people(labels: np.ndarray, limit: int) -> np.ndarray:
    """Places among `labels`, rising, of so many people's pictures: always the same people.

    Single pictures of everybody would leave hardly a genuine pair of many people with few pictures.
    Of a person with more than half the limit it is so many.
    """
    people, numbers = np.unique(labels, return_inverse=True)
    random = np.random.default_rng(0)
    order = random.permutation(len(people))
    kept = places_among_own(labels, random) < limit // 2
    counts = np.bincount(numbers, weights=kept).astype(np.int64)
    chosen = order[: max(2, np.searchsorted(np.cumsum(counts[order]), limit, side="right"))]
    return np.flatnonzero(kept & np.isin(numbers, chosen))


class Embedder:
    """A model's forward pass, traced once for all the times it is asked.

    Args:
        model: images ``[B, H, W, C]`` of 0…255 to unit vectors ``[B, D]``.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self._forward = tf.function(
            lambda images: model(images, training=False), reduce_retracing=True
        )

    def embed(self, batches: Iterable[tf.Tensor]) -> np.ndarray:
        """Embeddings of all batches in order, float32 ``[N, D]``."""
        return np.concatenate([self._forward(images).numpy() for images in batches])
