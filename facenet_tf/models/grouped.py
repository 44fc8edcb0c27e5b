"""Convolution in groups of channels, with gradients on a CPU."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("facenet_tf")
class GroupedConvolution(keras.layers.Layer):
    """Convolves groups of neighbouring channels by themselves: "same" padding, no bias, as many
    channels out as in.

    `keras.layers.Conv2D` with groups has no gradient on a CPU. Here each channel is convolved
    once for each channel of its group, and the group's results are added.

    Args:
        size: height and width of the kernel [size, size, channels of a group, channels].
        groups: how many; it divides the channels.

    Raises:
        ValueError: it does not.
    """

    def __init__(self, size: int, groups: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size, self.groups = size, groups

    def build(self, input_shape: Any) -> None:
        """Create the kernel."""
        channels = input_shape[-1]
        if channels % self.groups:
            raise ValueError(f"{self.groups} groups do not divide {channels} channels")
        shape = (self.size, self.size, channels // self.groups, channels)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer="he_normal")
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Convolve [B, H, W, C] to the same shape."""
        each = self.kernel.shape[2]
        kernel = tf.reshape(self.kernel, [self.size, self.size, each, self.groups, each])
        kernel = tf.reshape(tf.transpose(kernel, [0, 1, 3, 2, 4]), [self.size, self.size, -1, each])
        products = tf.nn.depthwise_conv2d(
            inputs, tf.cast(kernel, inputs.dtype), [1, 1, 1, 1], "SAME"
        )
        by_input = tf.reshape(
            products, tf.concat([tf.shape(inputs)[:3], [self.groups, each, each]], 0)
        )
        return tf.reshape(tf.reduce_sum(by_input, axis=4), tf.shape(inputs))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Config with size and groups."""
        return {**super().get_config(), "size": self.size, "groups": self.groups}
