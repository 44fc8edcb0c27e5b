"""Figures that tell a healthy batch of embeddings from a collapsing one."""

from __future__ import annotations

import tensorflow as tf

from facenet_tf.losses.batch_hard import TripletResult
from facenet_tf.losses.distances import pairwise_distances
from facenet_tf.losses.reduction import weighted_mean


def embedding_health(embeddings: tf.Tensor, result: TripletResult) -> dict[str, tf.Tensor]:
    """Health of one batch, without gradient and without leaving the compiled program.

    Args:
        embeddings: [B, D], any floating type, unit length.
        result: what `batch_hard_triplet` returned for them.

    Returns:
        float32 [] each: `active_triplets`, the fraction of valid anchors that violate the margin;
        `hardest_positive` and `hardest_negative`, mean distances over valid anchors, squared if
        the loss is; `mean_distance`, plain, over all pairs, near 1.41 when spread out and 0 on
        collapse; `effective_rank` in [1, min(B, D)], 1 on collapse.
    """
    embeddings = tf.stop_gradient(tf.cast(embeddings, tf.float32))
    health = {
        "active_triplets": weighted_mean(tf.cast(result.active, tf.float32), result.valid),
        "hardest_positive": weighted_mean(result.hardest_positive, result.valid),
        "hardest_negative": weighted_mean(result.hardest_negative, result.valid),
        "mean_distance": mean_distance(embeddings),
        "effective_rank": effective_rank(embeddings),
    }
    return {name: tf.stop_gradient(value) for name, value in health.items()}


def mean_distance(embeddings: tf.Tensor) -> tf.Tensor:
    """Mean plain distance over the pairs of different rows of [B, D], float32 []."""
    distances = pairwise_distances(embeddings)
    rows = tf.cast(tf.shape(distances)[0], tf.float32)
    return tf.reduce_sum(distances) / tf.maximum(rows * (rows - 1.0), 1.0)


def effective_rank(embeddings: tf.Tensor) -> tf.Tensor:
    """Number of directions [B, D] embeddings spread over, float32 []; 0 for all-zero rows.

    The participation ratio `(sum of s_i^2)^2 / sum of s_i^4` of the singular values `s_i`. It needs
    no decomposition: the sums are the trace and the squared norm of the Gram matrix. The rows are
    not centred, so that a batch of equal rows has rank 1.
    """
    rows = tf.cast(embeddings, tf.float32)
    gram = tf.matmul(rows, rows, transpose_b=True)
    return tf.math.divide_no_nan(tf.square(tf.linalg.trace(gram)), tf.reduce_sum(tf.square(gram)))
