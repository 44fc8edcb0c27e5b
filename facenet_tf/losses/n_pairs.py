"""N-pairs: an anchor's positive against one example of every other class, in a softmax.

Sohn: Improved Deep Metric Learning with Multi-class N-pair Loss Objective, 2016, section 3.
"""

from __future__ import annotations

import tensorflow as tf

from facenet_tf.losses.log_sums import log_one_plus_sum_exp
from facenet_tf.losses.options import check_positive
from facenet_tf.losses.pairs import Memory, compare
from facenet_tf.losses.reduction import WeightedLoss
from facenet_tf.losses.registry import register


@register("n_pairs")
def n_pairs(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    *,
    scale: float = 1.0,
    l2: float = 0.0,
    sources: tf.Tensor | None = None,
    memory: Memory | None = None,
) -> WeightedLoss:
    """`ln(1 + Σ exp(a · n - a · p))`, one positive p and one negative n of each other class.

    Every row is an anchor `a`. Its positive is its first one, the other classes are represented
    by their first rows, first in the order of the batch and then of the memory. In a batch of
    all positives and then all anchors, one of each class, the anchors have Sohn's tuples.

    Args:
        embeddings: [B, D], any floating type and length.
        labels: integer [B], any values.
        scale: factor on the inner products, > 0. Sohn's embeddings have any length, and 1 is his;
            of unit vectors, whose products end at 1, a softmax needs more to tell them apart.
        l2: weight of the term `(|a|² + |p|²) / 4`, which keeps free lengths small.
        sources: see `compare`.
        memory: see `compare`.

    Returns:
        Loss of each anchor, weight 1; 0 and weight 0 without a positive or without a negative.

    Raises:
        ValueError: see `compare`; a scale that is not above 0.
    """
    check_positive(scale=scale)
    pairs = compare(embeddings, labels, sources, memory)
    valid = tf.reduce_any(pairs.positive, axis=1) & tf.reduce_any(pairs.negative, axis=1)
    positives = tf.gather(pairs.others, tf.argmax(tf.cast(pairs.positive, tf.int8), axis=1))
    to_positive = tf.reduce_sum(pairs.rows * positives, axis=1)
    to_others = tf.matmul(pairs.rows, pairs.others, transpose_b=True)
    representatives = pairs.negative & _firsts(labels, memory)
    losses = log_one_plus_sum_exp(scale * (to_others - to_positive[:, None]), representatives)
    lengths = tf.reduce_sum(tf.square(pairs.rows) + tf.square(positives), axis=1)
    losses = tf.where(valid, losses + 0.25 * l2 * lengths, 0.0)
    return WeightedLoss(losses, tf.cast(valid, tf.float32))


def _firsts(labels: tf.Tensor, memory: Memory | None) -> tf.Tensor:
    """bool [R]: which rows of the batch and the memory are the first of their class."""
    exists = tf.ones_like(labels, tf.bool)
    if memory is not None:
        labels = tf.concat([labels, tf.cast(memory.labels, labels.dtype)], axis=0)
        exists = tf.concat([exists, memory.filled], axis=0)
    first = tf.argmax(tf.cast((labels[:, None] == labels[None, :]) & exists, tf.int8), axis=1)
    return first == tf.range(tf.shape(labels, tf.int64)[0], dtype=tf.int64)
