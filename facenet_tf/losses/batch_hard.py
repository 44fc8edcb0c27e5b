"""Batch-hard triplets.

Hermans, Beyer, Leibe: In Defense of the Triplet Loss for Person Re-Identification, 2017, eq. 5.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import tensorflow as tf

from facenet_tf.losses.distances import Distance
from facenet_tf.losses.hardest import Hardest, hardest_distances
from facenet_tf.losses.pairs import Memory
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
    tile: int = 0,
    sources: tf.Tensor | None = None,
    memory: Memory | None = None,
) -> TripletResult:
    """Loss of each anchor with its farthest positive and its nearest negative in the batch.

    How they are found: see `hardest_distances`. Of equally hard candidates the first gets the
    gradient.

    Args:
        embeddings: [B, D], any floating type.
        labels: integer [B], any values.
        margin: see `triplet_loss`.
        distance: plain (Hermans et al.), squared (FaceNet) or cosine.
        anchors: "valid" counts anchors with at least one positive and one negative. "all" counts
            anchors without a positive too, at hardest positive 0, as TensorFlow Addons does.
        tile: anchors mined at a time, for batches too large for [B, B] matrices; 0: all of them.
        sources: see `compare`.
        memory: see `compare`.

    Returns:
        TripletResult; anchors that do not count have loss 0 and no gradient.

    Raises:
        ValueError: for labels or sources that are not integers, shapes that do not fit, or an
            unknown margin, distance or `anchors`, or a negative tile.
    """
    check_margin(margin)
    if anchors not in ("valid", "all"):
        raise ValueError(f'anchors must be "valid" or "all", not {anchors!r}')
    hardest = hardest_distances(
        embeddings, labels, distance, tile=tile, sources=sources, memory=memory
    )
    return hardest_triplets(hardest, margin, anchors)


def hardest_triplets(
    hardest: Hardest, margin: Margin, anchors: Literal["valid", "all"] = "valid"
) -> TripletResult:
    """Loss of one triplet for each anchor, of which the two distances are known."""
    valid = hardest.has_negative
    if anchors == "valid":
        valid &= hardest.has_positive
    violation = hardest.positive - hardest.negative
    loss = triplet_loss(violation, margin)
    loss = tf.where(valid, loss, tf.zeros_like(loss))
    active = valid & violates(violation, margin)
    return TripletResult(loss, valid, active, hardest.positive, hardest.negative)
