"""Semi-hard negatives.

Schroff, Kalenichenko, Philbin: FaceNet: A Unified Embedding for Face Recognition and Clustering,
2015, section 3.2: farther from the anchor than the positive is, but as near as can be.
"""

from __future__ import annotations

import tensorflow as tf

from facenet_tf.losses.batch_hard import TripletResult, hardest_triplets
from facenet_tf.losses.distances import Distance
from facenet_tf.losses.every_positive import Positive, Rule, every_positive, only
from facenet_tf.losses.hardest import (
    chosen_distances,
    farthest_of,
    nearest_of,
    ranking_distances,
)
from facenet_tf.losses.pairs import Memory, compare
from facenet_tf.losses.reduction import WeightedLoss
from facenet_tf.losses.registry import register
from facenet_tf.losses.triplet import Margin, check_margin


@register("triplet", mining="semi_hard")
def semi_hard_triplet(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    *,
    margin: Margin = 0.2,
    distance: Distance = "squared",
    sources: tf.Tensor | None = None,
    memory: Memory | None = None,
) -> WeightedLoss:
    """Loss of each anchor–positive pair with the nearest negative farther than the positive.

    Where no negative is farther than the positive, the farthest negative is taken, as TensorFlow
    Addons does. A negative as far as the positive is not farther. Of negatives equally far the
    first gets the gradient. An anchor without a positive or without a negative has no pair: loss
    0, weight 0.

    Args:
        embeddings: [B, D], any floating type.
        labels: integer [B], any values.
        margin: see `triplet_loss`; 0.2 in FaceNet.
        distance: plain, squared (FaceNet) or cosine.
        sources: see `compare`.
        memory: see `compare`.

    Returns:
        WeightedLoss; the weight of an anchor is the number of its positives.

    Raises:
        ValueError: for labels or sources that are not integers, shapes that do not fit, or an
            unknown margin or distance.
    """
    check_margin(margin)
    pairs = compare(embeddings, labels, sources, memory)

    def rule(distances: tf.Tensor) -> Rule:
        farthest = farthest_of(distances, pairs.negative)

        def mine(positive: Positive) -> tf.Tensor:
            chosen = _semi_hard(distances, pairs.negative, positive.distance, farthest)
            return only(chosen, distances)

        return mine

    return every_positive(pairs, margin, distance, rule)


@register("triplet", mining="hard_positive_semi_hard_negative")
def hard_positive_semi_hard_negative_triplet(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    *,
    margin: Margin = 0.2,
    distance: Distance = "squared",
    sources: tf.Tensor | None = None,
    memory: Memory | None = None,
) -> TripletResult:
    """Loss of each anchor with its farthest positive and the nearest negative farther than that.

    FaceNet's rule for the negative, at the one positive that batch-hard takes. A negative farther
    than the positive by the margin or more has loss 0 under the hinge: what trains lies within the
    margin. Where no negative is farther than the positive, the farthest negative is taken, as in
    `semi_hard_triplet`. Both distances are computed again from the chosen rows, as in
    `batch_hard_triplet`.

    Args:
        embeddings: [B, D], any floating type.
        labels: integer [B], any values.
        margin: see `triplet_loss`; 0.2 in FaceNet.
        distance: plain, squared (FaceNet) or cosine.
        sources: see `compare`.
        memory: see `compare`.

    Returns:
        TripletResult, whose `hardest_negative` is the semi-hard one; anchors without a positive or
        without a negative do not count and have loss 0 and no gradient.

    Raises:
        ValueError: for labels or sources that are not integers, shapes that do not fit, or an
            unknown margin or distance.
    """
    check_margin(margin)
    pairs = compare(embeddings, labels, sources, memory)
    distances = ranking_distances(pairs, distance)
    positive = farthest_of(distances, pairs.positive)
    negative = _semi_hard(
        distances,
        pairs.negative,
        tf.gather(distances, positive, batch_dims=1),
        farthest_of(distances, pairs.negative),
    )
    return hardest_triplets(chosen_distances(pairs, positive, negative, distance), margin)


def _semi_hard(
    distances: tf.Tensor, negative: tf.Tensor, beyond: tf.Tensor, otherwise: tf.Tensor
) -> tf.Tensor:
    """Column [B] of the nearest negative farther than `beyond` [B]; `otherwise` if none is."""
    farther = negative & (distances > beyond[:, None])
    return tf.where(tf.reduce_any(farther, axis=1), nearest_of(distances, farther), otherwise)
