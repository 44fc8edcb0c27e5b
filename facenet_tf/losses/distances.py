"""Distances whose values and gradients are finite everywhere, with and without XLA."""

from __future__ import annotations

from typing import Literal, get_args

import tensorflow as tf

Distance = Literal["plain", "squared", "cosine"]
"""Euclidean, its square, or one minus the cosine of the angle (half the square on unit vectors)."""


def check_distance(distance: str) -> None:
    """Raise ValueError for a distance that is none of `Distance`."""
    if distance not in get_args(Distance):
        raise ValueError(f"distance {distance!r}: choose one of {', '.join(get_args(Distance))}")


def safe_sqrt(values: tf.Tensor) -> tf.Tensor:
    """Square root of non-negative values with gradient 0, not infinity, at 0.

    The inner `where` keeps the untaken branch finite: XLA multiplies its gradient by zero, and
    zero times infinity is NaN. A NaN that comes in goes out.
    """
    zero = values <= 0.0
    root = tf.sqrt(tf.where(zero, tf.ones_like(values), values))
    return tf.where(zero, tf.zeros_like(values), root)


def unit_rows(rows: tf.Tensor) -> tf.Tensor:
    """Rows [B, D] at length 1, float32; a row of zeros stays zero and gets no gradient."""
    rows = tf.cast(rows, tf.float32)
    length = safe_sqrt(tf.reduce_sum(tf.square(rows), axis=-1, keepdims=True))
    zero = length <= 0.0
    inverse = 1.0 / tf.where(zero, tf.ones_like(length), length)
    return rows * tf.where(zero, tf.zeros_like(length), inverse)


def pairwise_distances(
    embeddings: tf.Tensor, distance: Distance = "plain", others: tf.Tensor | None = None
) -> tf.Tensor:
    """Distances of all rows of `embeddings` to all rows of `others`, or to each other.

    Computed from the Gram matrix of the centred rows in [B, R] memory. Centring leaves Euclidean
    distances as they are and makes the rounding error relative to the spread of the batch, so that
    a collapsing batch is still resolved. Two nearly equal rows in a widely spread batch are not:
    use `paired_distances` where that matters.

    Args:
        embeddings: [B, D], any floating type.
        distance: see `Distance`.
        others: [R, D]; None: `embeddings` themselves.

    Returns:
        float32 [B, R], never negative; without `others` symmetric up to rounding and exactly 0 on
        the diagonal. The gradient at distance 0 is 0.

    Raises:
        ValueError: an unknown distance.
    """
    rows, columns = centred(embeddings, embeddings if others is None else others, distance)
    squared = gram_distances(rows, columns)
    if others is None:
        squared = tf.linalg.set_diag(squared, tf.zeros_like(squared[0]))
    return _from_squared(squared, distance)


def centred(
    embeddings: tf.Tensor, others: tf.Tensor, distance: Distance
) -> tuple[tf.Tensor, tf.Tensor]:
    """Both as the points whose Euclidean distances count, float32, less the mean of the first."""
    check_distance(distance)
    prepare = unit_rows if distance == "cosine" else _as_float32
    rows = prepare(embeddings)
    columns = rows if others is embeddings else prepare(others)
    centre = tf.stop_gradient(tf.reduce_mean(rows, axis=0, keepdims=True))
    return rows - centre, columns - centre


def gram_distances(rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
    """Squared Euclidean distances [B, R] of `centred` points [B, D] and [R, D], never negative."""
    norms = (tf.reduce_sum(tf.square(rows), axis=1), tf.reduce_sum(tf.square(columns), axis=1))
    gram = tf.matmul(rows, columns, transpose_b=True)
    return tf.maximum(norms[0][:, None] - 2.0 * gram + norms[1][None, :], 0.0)


def cosines(rows: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """Cosines of all rows [B, D] with all others [R, D], float32 [B, R]; 0 for a row of zeros."""
    return tf.matmul(unit_rows(rows), unit_rows(others), transpose_b=True)


def paired_distances(left: tf.Tensor, right: tf.Tensor, distance: Distance = "plain") -> tf.Tensor:
    """Distance of each row of `left` to the same row of `right`.

    Args:
        left: [B, D], any floating type.
        right: [B, D].
        distance: see `Distance`.

    Returns:
        float32 [B], accurate to float32 for near-duplicates. The gradient at distance 0 is 0.

    Raises:
        ValueError: an unknown distance.
    """
    check_distance(distance)
    prepare = unit_rows if distance == "cosine" else _as_float32
    difference = prepare(left) - prepare(right)
    return _from_squared(tf.reduce_sum(tf.square(difference), axis=1), distance)


def _as_float32(rows: tf.Tensor) -> tf.Tensor:
    return tf.cast(rows, tf.float32)


def _from_squared(squared: tf.Tensor, distance: Distance) -> tf.Tensor:
    if distance == "plain":
        return safe_sqrt(squared)
    return squared if distance == "squared" else 0.5 * squared
