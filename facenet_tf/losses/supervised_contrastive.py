"""Supervised contrastive loss: each positive in a softmax against everything else.

Khosla et al.: Supervised Contrastive Learning, 2020, eq. 2 (the sum over positives outside the
logarithm). With two views of each picture and no other labels it is NT-Xent: Chen et al.: A Simple
Framework for Contrastive Learning of Visual Representations, 2020, eq. 1.
"""

from __future__ import annotations

import tensorflow as tf

from facenet_tf.losses.distances import cosines
from facenet_tf.losses.log_sums import log_sum_exp
from facenet_tf.losses.options import check_positive
from facenet_tf.losses.pairs import Memory, compare
from facenet_tf.losses.reduction import WeightedLoss
from facenet_tf.losses.registry import register


@register("supervised_contrastive")
def supervised_contrastive(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    *,
    temperature: float = 0.1,
    sources: tf.Tensor | None = None,
    memory: Memory | None = None,
) -> WeightedLoss:
    """Mean over an anchor's positives of `-ln(exp(s_p / t) / Σ exp(s / t))`, t the temperature.

    `s` are cosines; the sum is over all that the anchor is compared with, positive and negative.

    Args:
        embeddings: [B, D], any floating type and length.
        labels: integer [B], any values.
        temperature: > 0.
        sources: see `compare`; what is neither positive nor negative is not in the sum either.
        memory: see `compare`.

    Returns:
        Loss of each anchor, weight 1; 0 and weight 0 without a positive. An anchor without
        negatives counts, as in the paper: its positives compete with each other.

    Raises:
        ValueError: see `compare`; a temperature that is not above 0.
    """
    check_positive(temperature=temperature)
    pairs = compare(embeddings, labels, sources, memory)
    logits = cosines(pairs.rows, pairs.others) / temperature
    positives = tf.cast(pairs.positive, tf.float32)
    count = tf.reduce_sum(positives, axis=1)
    of_positives = tf.reduce_sum(logits * positives, axis=1) / tf.maximum(count, 1.0)
    valid = count > 0.0
    losses = log_sum_exp(logits, pairs.positive | pairs.negative) - of_positives
    return WeightedLoss(tf.where(valid, losses, 0.0), tf.cast(valid, tf.float32))
