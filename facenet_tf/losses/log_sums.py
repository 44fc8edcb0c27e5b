"""Sums of exponentials over the pairs that count, in their logarithm, without overflow."""

from __future__ import annotations

import tensorflow as tf


def log_sum_exp(values: tf.Tensor, counted: tf.Tensor) -> tf.Tensor:
    """`ln Σ exp(values)` over those of each row that count.

    Args:
        values: float32 [B, R].
        counted: bool [B, R].

    Returns:
        float32 [B]; 0, without gradient, for a row in which none counts.
    """
    any_counted = tf.reduce_any(counted, axis=1)
    top = tf.reduce_max(tf.where(counted, values, values.dtype.min), axis=1)
    top = tf.stop_gradient(tf.where(any_counted, top, 0.0))
    # Values that do not count are replaced before the exponential too: theirs may be infinite.
    powers = tf.exp(tf.where(counted, values - top[:, None], 0.0))
    total = tf.reduce_sum(tf.where(counted, powers, 0.0), axis=1)
    return top + tf.math.log(tf.where(any_counted, total, 1.0))


def log_one_plus_sum_exp(values: tf.Tensor, counted: tf.Tensor) -> tf.Tensor:
    """`ln(1 + Σ exp(values))` over those of each row that count, float32 [B]; see `log_sum_exp`."""
    sums = tf.math.softplus(log_sum_exp(values, counted))
    return tf.where(tf.reduce_any(counted, axis=1), sums, 0.0)
