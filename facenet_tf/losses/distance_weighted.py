"""Negatives drawn so that all distances are seen equally often.

Wu, Manmatha, Smola, Krähenbühl: Sampling Matters in Deep Embedding Learning, 2017, section 4.
"""

from __future__ import annotations

import tensorflow as tf

from facenet_tf.losses.distances import Distance, pairwise_distances, unit_rows
from facenet_tf.losses.draws import uniform
from facenet_tf.losses.every_positive import Positive, Rule, every_positive, first, only
from facenet_tf.losses.pairs import Memory, Pairs, compare
from facenet_tf.losses.reduction import WeightedLoss
from facenet_tf.losses.registry import register
from facenet_tf.losses.triplet import Margin, check_margin


@register("triplet", mining="distance_weighted")
def distance_weighted_triplet(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    *,
    seed: tf.Tensor,
    margin: Margin = 0.2,
    distance: Distance = "plain",
    cutoff: float = 0.5,
    nonzero_loss_cutoff: float = 1.4,
    sources: tf.Tensor | None = None,
    memory: Memory | None = None,
) -> WeightedLoss:
    """Loss of each anchor–positive pair with one negative, drawn by its distance.

    The probability of a negative is in proportion to `1 / q(max(d, cutoff))`, where d is its plain
    distance from the anchor on the unit sphere and q the density of the distances of two random
    points there: `q(d) = d^(D - 2) (1 - d^2 / 4)^((D - 3) / 2)`. Negatives at `nonzero_loss_cutoff`
    or farther are not drawn, as in the authors' code; an anchor that has no others draws among all
    its negatives alike. An anchor without a positive or without a negative has no pair: loss 0,
    weight 0. The loss is the triplet loss, not the paper's margin-based loss.

    Args:
        embeddings: [B, D], D at least 2, any floating type; the draw is on them at unit length.
        labels: integer [B], any values.
        seed: int32 [2]; one seed, one draw, whatever the device and with or without XLA.
        margin: see `triplet_loss`.
        distance: plain, squared or cosine; that of the loss, not of the draw.
        cutoff: nearer negatives are as probable as those at this distance (0.5 in the paper).
        nonzero_loss_cutoff: negatives from this plain distance on are left out.
        sources: see `compare`.
        memory: see `compare`.

    Returns:
        WeightedLoss; the weight of an anchor is the number of its positives.

    Raises:
        ValueError: for labels or sources that are not integers, shapes that do not fit, an unknown
            margin or distance, or cutoffs that are not 0 < cutoff < nonzero_loss_cutoff <= 2.
    """
    check_margin(margin)
    if not 0 < cutoff < nonzero_loss_cutoff <= 2:
        raise ValueError(
            f"cutoff {cutoff} and nonzero_loss_cutoff {nonzero_loss_cutoff}: give "
            "0 < cutoff < nonzero_loss_cutoff <= 2"
        )
    pairs = compare(embeddings, labels, sources, memory)
    weights = tf.stop_gradient(_weights(pairs, cutoff, nonzero_loss_cutoff))
    cumulative = tf.cumsum(weights, axis=1)
    # A little less than the sum: rounding must not carry a draw past the last negative.
    whole = (1.0 - 1e-6) * tf.reduce_max(cumulative, axis=1, keepdims=True)
    draws = whole * uniform(tf.shape(weights), seed)

    def rule(distances: tf.Tensor) -> Rule:
        def mine(positive: Positive) -> tf.Tensor:
            here = only(positive.index, distances)
            draw = tf.reduce_sum(tf.where(here, draws, 0.0), axis=1, keepdims=True)
            return only(first((weights > 0.0) & (cumulative > draw)), distances)

        return mine

    return every_positive(pairs, margin, distance, rule)


def _weights(pairs: Pairs, cutoff: float, nonzero_loss_cutoff: float) -> tf.Tensor:
    """In proportion to the probability that an anchor draws each of the others, [B, R].

    The largest of a row is 1: at D = 512 those of a batch span hundreds of powers of ten.
    """
    rows, others = unit_rows(pairs.rows), unit_rows(pairs.others)
    distances = tf.maximum(pairwise_distances(rows, "plain", others), cutoff)
    size = float(rows.shape[1])
    in_sphere = tf.maximum(1.0 - tf.square(distances) / 4.0, 1e-6)
    rarity = (2.0 - size) * tf.math.log(distances) - (size - 3.0) / 2.0 * tf.math.log(in_sphere)
    eligible = pairs.negative & (distances < nonzero_loss_cutoff)
    rarity = tf.where(eligible, rarity, rarity.dtype.min)
    rarity -= tf.reduce_max(rarity, axis=1, keepdims=True)
    weights = tf.where(eligible, tf.exp(rarity), 0.0)
    none = ~tf.reduce_any(eligible, axis=1, keepdims=True)
    return tf.where(none, tf.cast(pairs.negative, tf.float32), weights)
