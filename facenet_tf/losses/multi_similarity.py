"""Multi-similarity loss: every pair weighted by itself and by the anchor's other pairs.

Wang, Han, Huang, Dong, Scott: Multi-Similarity Loss with General Pair Weighting for Deep Metric
Learning, 2019, section 4.
"""

from __future__ import annotations

import tensorflow as tf

from facenet_tf.losses.distances import cosines
from facenet_tf.losses.log_sums import log_one_plus_sum_exp
from facenet_tf.losses.options import check_positive
from facenet_tf.losses.pairs import Memory, Pairs, compare
from facenet_tf.losses.reduction import WeightedLoss
from facenet_tf.losses.registry import register


@register("multi_similarity")
def multi_similarity(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    *,
    alpha: float = 2.0,
    beta: float = 50.0,
    base: float = 0.5,
    epsilon: float = 0.1,
    sources: tf.Tensor | None = None,
    memory: Memory | None = None,
) -> WeightedLoss:
    """`ln(1 + Σ exp(-alpha (s_p - base))) / alpha + ln(1 + Σ exp(beta (s_n - base))) / beta`.

    The sums are over the cosines `s_p` of an anchor's positives and `s_n` of its negatives that
    the mining keeps: positives less than `epsilon` above the most similar negative, and negatives
    less than `epsilon` below the least similar positive.

    Args:
        embeddings: [B, D], any floating type and length.
        labels: integer [B], any values.
        alpha: sharpness on the positives, > 0.
        beta: sharpness on the negatives, > 0.
        base: cosine around which pairs are weighted; 1 in the paper, 0.5 in the authors' code.
        epsilon: slack of the mining; above 2 it keeps every pair.
        sources: see `compare`.
        memory: see `compare`.

    Returns:
        Loss of each anchor, weight 1 (also where the mining keeps none of its pairs: loss 0); 0 and
        weight 0 without a positive or without a negative.

    Raises:
        ValueError: see `compare`; an alpha or beta that is not above 0.
    """
    check_positive(alpha=alpha, beta=beta)
    pairs = compare(embeddings, labels, sources, memory)
    similarities = cosines(pairs.rows, pairs.others)
    positive, negative = _mined(pairs, tf.stop_gradient(similarities), epsilon)
    attraction = log_one_plus_sum_exp(-alpha * (similarities - base), positive) / alpha
    repulsion = log_one_plus_sum_exp(beta * (similarities - base), negative) / beta
    valid = tf.reduce_any(pairs.positive, axis=1) & tf.reduce_any(pairs.negative, axis=1)
    return WeightedLoss(tf.where(valid, attraction + repulsion, 0.0), tf.cast(valid, tf.float32))


def _mined(pairs: Pairs, similarities: tf.Tensor, epsilon: float) -> tuple[tf.Tensor, tf.Tensor]:
    """The positives and the negatives that are kept, bool [B, R] each."""
    least = tf.reduce_min(
        tf.where(pairs.positive, similarities, similarities.dtype.max), axis=1, keepdims=True
    )
    most = tf.reduce_max(
        tf.where(pairs.negative, similarities, similarities.dtype.min), axis=1, keepdims=True
    )
    kept_positive = pairs.positive & (similarities - epsilon < most)
    kept_negative = pairs.negative & (similarities + epsilon > least)
    return kept_positive, kept_negative
