"""Euclidean distances whose values and gradients are finite everywhere, with and without XLA."""

from __future__ import annotations

import tensorflow as tf


def safe_sqrt(values: tf.Tensor) -> tf.Tensor:
    """Square root of non-negative values with gradient 0, not infinity, at 0.

    The inner `where` keeps the untaken branch finite: XLA multiplies its gradient by zero, and
    zero times infinity is NaN. A NaN that comes in goes out.
    """
    zero = values <= 0.0
    root = tf.sqrt(tf.where(zero, tf.ones_like(values), values))
    return tf.where(zero, tf.zeros_like(values), root)


def pairwise_distances(embeddings: tf.Tensor, squared: bool = False) -> tf.Tensor:
    """Euclidean distances between all rows of `embeddings`.

    Computed from the Gram matrix of the centred rows in [B, B] memory. Centring leaves distances
    as they are and makes the rounding error relative to the spread of the batch, so that a
    collapsing batch is still resolved. Two nearly equal rows in a widely spread batch are not:
    use `paired_distances` where that matters.

    Args:
        embeddings: [B, D], any floating type.
        squared: return squared distances.

    Returns:
        float32 [B, B], symmetric up to rounding, never negative, exactly 0 on the diagonal. The
        gradient at distance 0 is 0.
    """
    rows = tf.cast(embeddings, tf.float32)
    rows -= tf.reduce_mean(rows, axis=0, keepdims=True)
    gram = tf.matmul(rows, rows, transpose_b=True)
    norms = tf.linalg.diag_part(gram)
    distances = tf.maximum(norms[:, None] - 2.0 * gram + norms[None, :], 0.0)
    distances = tf.linalg.set_diag(distances, tf.zeros_like(norms))
    return distances if squared else safe_sqrt(distances)


def paired_distances(left: tf.Tensor, right: tf.Tensor, squared: bool = False) -> tf.Tensor:
    """Euclidean distance of each row of `left` to the same row of `right`.

    Args:
        left: [B, D], any floating type.
        right: [B, D].
        squared: return squared distances.

    Returns:
        float32 [B], accurate to float32 for near-duplicates. The gradient at distance 0 is 0.
    """
    difference = tf.cast(left, tf.float32) - tf.cast(right, tf.float32)
    distances = tf.reduce_sum(tf.square(difference), axis=1)
    return distances if squared else safe_sqrt(distances)
