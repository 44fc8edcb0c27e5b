"""From the losses of single examples to one number."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import tensorflow as tf


class Weighted(Protocol):
    """Losses of examples that do not all count the same."""

    @property
    def loss(self) -> tf.Tensor:
        """float32 [B]; 0 where the weight is 0."""

    @property
    def weight(self) -> tf.Tensor:
        """float32 [B]: how many tuples the loss is the mean of; 0 for an example without any."""


class WeightedLoss(NamedTuple):
    """Loss of each anchor, float32 [B], and the number of tuples it is the mean of, float32 [B]."""

    loss: tf.Tensor
    weight: tf.Tensor


def mean_loss(result: tf.Tensor | Weighted) -> tf.Tensor:
    """What a batch is trained on, float32 []: the mean over examples, or over the tuples that
    count; 0 when there are none."""
    if isinstance(result, tf.Tensor):
        return tf.reduce_mean(result)
    return weighted_mean(result.loss, result.weight)


def weighted_mean(values: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Mean of `values` [B] under `weights` (float32, or bool: which of them count), float32 [];
    0 when all weights are."""
    weights = tf.cast(weights, tf.float32)
    return tf.math.divide_no_nan(tf.reduce_sum(values * weights), tf.reduce_sum(weights))
