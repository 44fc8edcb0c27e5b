"""Parametric ReLU with a gradient in one pass.

Composed of single operations, of which each reads and writes the whole tensor, its gradient is
what a network of depthwise convolutions spends most of its train step with. XLA makes one loop of
those without a sum. The sum over places it would take channel by channel, with strides that no
cache likes; so it is taken in two parts: neighbours in a row are added in the same loop, and the
few rows that are left by a product with ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

LONGEST = 16
"""Most neighbours that are added in the loop: each is a term of the compiled expression."""


def rectify(x: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    """`max(x, 0) + alpha · min(x, 0)` of [B, H, W, C] and slopes [C], of one floating type."""
    return tf.nn.relu(x) + alpha * tf.minimum(x, 0)


@tf.custom_gradient
def rectify_in_training(
    x: tf.Tensor, alpha: tf.Tensor
) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]]:
    """The same as `rectify`, compiled, with a gradient that reads each tensor once."""

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        by_input, sums = _gradients(x, alpha, upstream)
        ones = tf.ones([1, tf.shape(sums)[0]])
        return by_input, tf.cast(tf.matmul(ones, sums)[0], alpha.dtype)

    return _rectify(x, alpha), gradient


@tf.function(jit_compile=True)
def _rectify(x: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    return tf.where(x > 0, x, alpha * x)


@tf.function(jit_compile=True)
def _gradients(x: tf.Tensor, alpha: tf.Tensor, upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Gradient by the input, and float32 sums over neighbours [N, C] of that by the slopes."""
    by_input = tf.where(x > 0, upstream, alpha * upstream)
    width, channels = x.shape[-2:]
    length = max(length for length in range(1, LONGEST + 1) if width % length == 0)
    rows = [tf.reshape(each, [-1, length, channels]) for each in (x, upstream)]
    terms = [
        tf.cast(tf.minimum(rows[0][:, place], 0), tf.float32)
        * tf.cast(rows[1][:, place], tf.float32)
        for place in range(length)
    ]
    return by_input, tf.add_n(terms)


@keras.saving.register_keras_serializable("facenet_tf")
class ChannelPReLU(keras.layers.Layer):
    """ReLU with a learned slope per channel: He et al., Delving Deep into Rectifiers, 2015.

    `max(x, 0) + alpha · min(x, 0)`; slopes start at 0.25, as in the paper.
    """

    def build(self, input_shape: Any) -> None:
        """Create the slopes [C]."""
        start = keras.initializers.Constant(0.25)
        self.alpha = self.add_weight(name="alpha", shape=(input_shape[-1],), initializer=start)
        super().build(input_shape)

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Rectify [B, H, W, C]; outside training by plain operations, which exports know."""
        alpha = tf.cast(self.alpha, inputs.dtype)
        return (rectify_in_training if training else rectify)(inputs, alpha)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of the input."""
        return input_shape
