"""What the architectures that are trained from scratch here have in common."""

from __future__ import annotations

import keras
import tensorflow as tf

from facenet_tf.models.layers import FusedBatchNormalization


def convolution(x: tf.Tensor, filters: int, size: int, name: str, strides: int = 1) -> tf.Tensor:
    """A convolution without bias and its norm, [B, H, W, C] to [B, H/strides, W/strides, filters];
    the activation is the architecture's."""
    layer = keras.layers.Conv2D(
        filters,
        size,
        strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )
    return norm(f"{name}_norm")(layer(x))


def norm(name: str) -> keras.layers.Layer:
    """Batch normalisation that follows the last ten steps or so."""
    return FusedBatchNormalization(momentum=0.9, epsilon=1e-5, name=name)
