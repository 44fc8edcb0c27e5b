"""Limits to a step's gradients."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from facenet_tf.training.descent import ClipBy


def clipped(gradients: list[Any], norm: tf.Tensor, limit: float, by: ClipBy) -> list[Any]:
    """The gradients within the limit.

    Args:
        gradients: a tensor for each variable.
        norm: of all of them together, float32 scalar.
        limit: of ``by``: the norm of all, the norm of each variable's, or the size of each value;
            0 for none.
        by: as in `Descent`.
    """
    if limit == 0:
        return gradients
    if by == "all":
        return list(tf.clip_by_global_norm(gradients, limit, norm)[0])
    if by == "variable":
        return [tf.clip_by_norm(gradient, limit) for gradient in gradients]
    return [_within(gradient, limit) for gradient in gradients]


def _within(gradient: Any, limit: float) -> tf.Tensor:
    """Infinity becomes NaN, as it does by the norms: it must not pass for a value at the limit,
    or a step that overflowed would be taken."""
    gradient = tf.convert_to_tensor(gradient)
    finite = tf.math.is_finite(gradient)
    return tf.where(finite, tf.clip_by_value(gradient, -limit, limit), math.nan)
