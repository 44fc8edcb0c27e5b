"""Batch-hard triplet loss.

Hermans, Beyer, Leibe: In Defense of the Triplet Loss for Person Re-Identification, 2017, eq. 5.
The loss on triplets is that of Schroff et al.: FaceNet, 2015, eq. 1.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import tensorflow as tf

from facenet_tf.losses.distances import paired_distances, pairwise_distances


class TripletResult(NamedTuple):
    """What batch-hard mining found for each anchor; every field has shape [B].

    `loss`, `hardest_positive` and `hardest_negative` (distances, squared if the loss is so) are
    float32 and 0 where there is nothing; `valid` says which anchors count; `active` which of them
    violate the margin (soft margin: whose hardest negative is nearer than the hardest positive).
    """

    loss: tf.Tensor
    valid: tf.Tensor
    active: tf.Tensor
    hardest_positive: tf.Tensor
    hardest_negative: tf.Tensor


def batch_hard_triplet(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    *,
    margin: float | Literal["soft"],
    squared: bool = False,
    sources: tf.Tensor | None = None,
    anchors: Literal["valid", "all"] = "valid",
) -> TripletResult:
    """Loss of each anchor with its farthest positive and its nearest negative in the batch.

    Positives are chosen on the distance matrix, and the two distances of the anchor are then
    computed again from the chosen rows: they are exact for near-duplicates, and no gradient
    passes through [B, B] matrices. Of equally hard candidates the first gets the gradient.

    Args:
        embeddings: [B, D], any floating type.
        labels: integer [B], any values.
        margin: hinge `max(positive - negative + margin, 0)`, or "soft" for `log(1 + exp(positive -
            negative))`.
        squared: use squared distances (FaceNet) instead of plain ones (Hermans et al.).
        sources: integer [B]; two rows of one label and one source (the same picture twice) are
            neither positive nor negative to each other.
        anchors: "valid" counts anchors with at least one positive and one negative. "all" counts
            anchors without a positive too, at hardest positive 0, as TensorFlow Addons does.

    Returns:
        TripletResult; anchors that do not count have loss 0 and no gradient.

    Raises:
        ValueError: for labels or sources that are not integers, shapes that do not fit, or an
            unknown margin or `anchors`.
    """
    embeddings = tf.cast(embeddings, tf.float32)
    _check(embeddings, labels, sources, margin, anchors)
    positive, negative = _pair_masks(labels, sources)
    has_positive = tf.reduce_any(positive, axis=1)
    has_negative = tf.reduce_any(negative, axis=1)

    distances = tf.stop_gradient(pairwise_distances(embeddings, squared=True))
    farthest = tf.argmax(tf.where(positive, distances, -1.0), axis=1)
    nearest = tf.argmin(tf.where(negative, distances, distances.dtype.max), axis=1)
    hardest_positive = _distance_to(embeddings, farthest, has_positive, squared)
    hardest_negative = _distance_to(embeddings, nearest, has_negative, squared)

    valid = has_negative if anchors == "all" else has_positive & has_negative
    violation = hardest_positive - hardest_negative
    if margin == "soft":
        loss, active = tf.math.softplus(violation), violation > 0.0
    else:
        loss, active = tf.nn.relu(violation + margin), violation + margin > 0.0
    loss = tf.where(valid, loss, tf.zeros_like(loss))
    return TripletResult(loss, valid, valid & active, hardest_positive, hardest_negative)


def mean_over_valid(result: TripletResult) -> tf.Tensor:
    """Mean loss of the anchors that count, float32 []; 0 when there are none."""
    return masked_mean(result.loss, result.valid)


def masked_mean(values: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Mean of `values` [B] where `mask` (bool [B]) holds, float32 []; 0 when it holds nowhere."""
    weights = tf.cast(mask, tf.float32)
    return tf.reduce_sum(values * weights) / tf.maximum(tf.reduce_sum(weights), 1.0)


def collapsed_loss(margin: float | Literal["soft"]) -> float:
    """The constant the loss stands at when all embeddings are equal: the margin, or ln 2."""
    return math.log(2.0) if margin == "soft" else float(margin)


def _pair_masks(labels: tf.Tensor, sources: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
    same_label = labels[:, None] == labels[None, :]
    if sources is None:
        itself = tf.eye(tf.shape(labels)[0], dtype=tf.bool)
        return same_label & ~itself, ~same_label
    return same_label & (sources[:, None] != sources[None, :]), ~same_label


def _distance_to(
    embeddings: tf.Tensor, chosen: tf.Tensor, exists: tf.Tensor, squared: bool
) -> tf.Tensor:
    distance = paired_distances(embeddings, tf.gather(embeddings, chosen), squared)
    return tf.where(exists, distance, tf.zeros_like(distance))


def _check(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    sources: tf.Tensor | None,
    margin: float | str,
    anchors: str,
) -> None:
    embeddings.shape.assert_has_rank(2)
    for name, values in {"labels": labels, "sources": sources}.items():
        if values is None:
            continue
        if not values.dtype.is_integer:
            raise ValueError(
                f"{name} must be integers, not {values.dtype.name}: above 2^24 floats collide"
            )
        if not values.shape.is_compatible_with(embeddings.shape[:1]):
            raise ValueError(f"{name} have shape {values.shape}, embeddings {embeddings.shape}")
    if isinstance(margin, str) and margin != "soft":
        raise ValueError(f'margin must be a number or "soft", not {margin!r}')
    if anchors not in ("valid", "all"):
        raise ValueError(f'anchors must be "valid" or "all", not {anchors!r}')
