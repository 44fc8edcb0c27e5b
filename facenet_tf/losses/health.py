"""Figures that tell a healthy batch of embeddings from a collapsing one."""

from __future__ import annotations

import tensorflow as tf

from facenet_tf.losses.batch_hard import TripletResult
from facenet_tf.losses.distances import centred, gram_distances, safe_sqrt
from facenet_tf.losses.reduction import weighted_mean
from facenet_tf.losses.tiles import in_tiles


def embedding_health(
    embeddings: tf.Tensor, result: TripletResult, tile: int = 0
) -> dict[str, tf.Tensor]:
    """Health of one batch, without gradient and without leaving the compiled program.

    Args:
        embeddings: [B, D], any floating type, unit length.
        result: what `batch_hard_triplet` returned for them.
        tile: rows of the matrix of distances at a time; 0: all of them.

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
        "mean_distance": mean_distance(embeddings, tile),
        "effective_rank": effective_rank(embeddings),
    }
    return {name: tf.stop_gradient(value) for name, value in health.items()}


def mean_distance(embeddings: tf.Tensor, tile: int = 0) -> tf.Tensor:
    """Mean plain distance over the pairs of different rows of [B, D], float32 [], in memory of
    B² or, with `tile` rows at a time, of B · tile."""
    points, _ = centred(embeddings, embeddings, "plain")
    size = tf.shape(points)[0]

    def to_all(rows: tf.Tensor) -> tf.Tensor:
        distances = safe_sqrt(gram_distances(tf.gather(points, rows), points))
        itself = rows[:, None] == tf.range(size)[None, :]
        return tf.reduce_sum(tf.where(itself, 0.0, distances), axis=1)

    rows = tf.cast(size, tf.float32)
    total = tf.reduce_sum(in_tiles(to_all, size, tile, tf.float32))
    return total / tf.maximum(rows * (rows - 1.0), 1.0)


def effective_rank(embeddings: tf.Tensor) -> tf.Tensor:
    """Number of directions [B, D] embeddings spread over, float32 []; 0 for all-zero rows.

    The participation ratio `(sum of s_i^2)^2 / sum of s_i^4` of the singular values `s_i`. It needs
    no decomposition: the sums are the trace and the squared norm of the Gram matrix, that of the
    rows or of the columns, whichever are fewer. The rows are not centred, so that a batch of equal
    rows has rank 1.
    """
    rows = tf.cast(embeddings, tf.float32)
    count, length = rows.shape
    of_rows = count is not None and count < length
    gram = tf.matmul(rows, rows, transpose_a=not of_rows, transpose_b=of_rows)
    return tf.math.divide_no_nan(tf.square(tf.linalg.trace(gram)), tf.reduce_sum(tf.square(gram)))
