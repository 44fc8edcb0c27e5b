"""Batch-hard triplets.

Hermans, Beyer, Leibe: In Defense of the Triplet Loss for Person Re-Identification, 2017, eq. 5.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import tensorflow as tf

from facenet_tf.losses.distances import Distance, paired_distances, pairwise_distances
from facenet_tf.losses.pairs import Memory, Pairs, compare
from facenet_tf.losses.registry import register
from facenet_tf.losses.triplet import Margin, check_margin, triplet_loss, violates


class TripletResult(NamedTuple):
    """What batch-hard mining found for each anchor; every field has shape [B].

    `loss`, `hardest_positive` and `hardest_negative` (in the distance of the loss) are float32 and
    0 where there is nothing; `valid` says which anchors count; `active` which of them violate the
    margin (soft margin: whose hardest negative is nearer than the hardest positive).
    """

    loss: tf.Tensor
    valid: tf.Tensor
    active: tf.Tensor
    hardest_positive: tf.Tensor
    hardest_negative: tf.Tensor

    @property
    def weight(self) -> tf.Tensor:
        """One triplet for each anchor that counts, float32 [B]."""
        return tf.cast(self.valid, tf.float32)


@register("triplet", mining="batch_hard")
def batch_hard_triplet(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    *,
    margin: Margin = "soft",
    distance: Distance = "plain",
    anchors: Literal["valid", "all"] = "valid",
    sources: tf.Tensor | None = None,
    memory: Memory | None = None,
) -> TripletResult:
    """Loss of each anchor with its farthest positive and its nearest negative in the batch.

    Positives are chosen on the distance matrix, and the two distances of the anchor are then
    computed again from the chosen rows: they are exact for near-duplicates, and no gradient
    passes through [B, B] matrices. Of equally hard candidates the first gets the gradient.

    Args:
        embeddings: [B, D], any floating type.
        labels: integer [B], any values.
        margin: see `triplet_loss`.
        distance: plain (Hermans et al.), squared (FaceNet) or cosine.
        anchors: "valid" counts anchors with at least one positive and one negative. "all" counts
            anchors without a positive too, at hardest positive 0, as TensorFlow Addons does.
        sources: see `compare`.
        memory: see `compare`.

    Returns:
        TripletResult; anchors that do not count have loss 0 and no gradient.

    Raises:
        ValueError: for labels or sources that are not integers, shapes that do not fit, or an
            unknown margin, distance or `anchors`.
    """
    check_margin(margin)
    if anchors not in ("valid", "all"):
        raise ValueError(f'anchors must be "valid" or "all", not {anchors!r}')
    pairs = compare(embeddings, labels, sources, memory)
    distances = ranking_distances(pairs, distance)
    nearest = nearest_of(distances, pairs.negative)
    return chosen_triplets(
        pairs, farthest_of(distances, pairs.positive), nearest, margin, distance, anchors
    )


def chosen_triplets(
    pairs: Pairs,
    positive: tf.Tensor,
    negative: tf.Tensor,
    margin: Margin,
    distance: Distance,
    anchors: Literal["valid", "all"] = "valid",
) -> TripletResult:
    """Loss of one triplet for each anchor, of which columns [B] of the pairs have been chosen."""
    has_positive = tf.reduce_any(pairs.positive, axis=1)
    has_negative = tf.reduce_any(pairs.negative, axis=1)
    to_positive = _distance_to(pairs, positive, has_positive, distance)
    to_negative = _distance_to(pairs, negative, has_negative, distance)

    valid = has_negative if anchors == "all" else has_positive & has_negative
    violation = to_positive - to_negative
    loss = triplet_loss(violation, margin)
    loss = tf.where(valid, loss, tf.zeros_like(loss))
    active = valid & violates(violation, margin)
    return TripletResult(loss, valid, active, to_positive, to_negative)


def ranking_distances(pairs: Pairs, distance: Distance) -> tf.Tensor:
    """Distances float32 [B, R] to choose by: no gradient, and of the same order without a root."""
    cheap: Distance = "squared" if distance == "plain" else distance
    return tf.stop_gradient(pairwise_distances(pairs.rows, cheap, pairs.others))


def farthest_of(distances: tf.Tensor, candidates: tf.Tensor) -> tf.Tensor:
    """Column of the first of the farthest candidates of each row, int64 [B]."""
    return tf.argmax(tf.where(candidates, distances, -1.0), axis=1)


def nearest_of(distances: tf.Tensor, candidates: tf.Tensor) -> tf.Tensor:
    """Column of the first of the nearest candidates of each row, int64 [B]."""
    return tf.argmin(tf.where(candidates, distances, distances.dtype.max), axis=1)


def _distance_to(
    pairs: Pairs, chosen: tf.Tensor, exists: tf.Tensor, distance: Distance
) -> tf.Tensor:
    distances = paired_distances(pairs.rows, tf.gather(pairs.others, chosen), distance)
    return tf.where(exists, distances, tf.zeros_like(distances))
