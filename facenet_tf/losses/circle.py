"""Circle loss: similarities weighted by how far each is from where it should be.

Sun et al.: Circle Loss: A Unified Perspective of Pair Similarity Optimization, 2020, section 3.
"""

from __future__ import annotations

import tensorflow as tf

from facenet_tf.losses.distances import cosines
from facenet_tf.losses.log_sums import log_sum_exp
from facenet_tf.losses.options import check_positive
from facenet_tf.losses.pairs import Memory, compare
from facenet_tf.losses.reduction import WeightedLoss
from facenet_tf.losses.registry import register


@register("circle")
def circle(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    *,
    margin: float = 0.25,
    gamma: float = 256.0,
    sources: tf.Tensor | None = None,
    memory: Memory | None = None,
) -> WeightedLoss:
    """`ln(1 + Σ exp(gamma w_n (s_n - m)) · Σ exp(-gamma w_p (s_p - 1 + m)))`, m the margin.

    The sums are over the cosines `s_n` of an anchor's negatives and `s_p` of its positives, whose
    weights `w_n = max(s_n + m, 0)` and `w_p = max(1 + m - s_p, 0)` have no gradient of their own.

    Args:
        embeddings: [B, D], any floating type and length.
        labels: integer [B], any values.
        margin: relaxation m; 0.25 for faces, 0.4 for retrieval in the paper.
        gamma: scale; 256 for faces, 80 for retrieval in the paper.
        sources: see `compare`.
        memory: see `compare`.

    Returns:
        Loss of each anchor, weight 1; 0 and weight 0 without a positive or without a negative.

    Raises:
        ValueError: see `compare`; a gamma that is not above 0.
    """
    check_positive(gamma=gamma)
    pairs = compare(embeddings, labels, sources, memory)
    similarities = cosines(pairs.rows, pairs.others)
    held = tf.stop_gradient(similarities)
    of_negatives = gamma * tf.nn.relu(held + margin) * (similarities - margin)
    of_positives = -gamma * tf.nn.relu(1.0 + margin - held) * (similarities - 1.0 + margin)
    sums = log_sum_exp(of_negatives, pairs.negative) + log_sum_exp(of_positives, pairs.positive)
    valid = tf.reduce_any(pairs.positive, axis=1) & tf.reduce_any(pairs.negative, axis=1)
    return WeightedLoss(tf.where(valid, tf.math.softplus(sums), 0.0), tf.cast(valid, tf.float32))
