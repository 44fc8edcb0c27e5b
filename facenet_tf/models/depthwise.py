"""Depthwise convolution, with the gradient that is fastest on a CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf


def depthwise_convolution(
    x: tf.Tensor, kernel: tf.Tensor, strides: int = 1, padding: str = "same"
) -> tf.Tensor:
    """Convolve each channel with its own kernel: `tf.nn.depthwise_conv2d` with another gradient."""
    return tf.nn.depthwise_conv2d(x, kernel, [1, strides, strides, 1], padding.upper())


@keras.saving.register_keras_serializable("facenet_tf")
class DepthwiseConvolution(keras.layers.Layer):
    """Convolves each channel of [B, H, W, C] with its own kernel, without a bias.

    Args:
        size: height and width of the kernel; one number for both.
        strides: of both directions.
        padding: "same" or "valid", as TensorFlow pads.
        initializer: of the kernel [height, width, C, 1]; None: normal with the deviation of He et
            al. 2015, √(2 / places of the kernel), since an output sums over its own channel only.

    Raises:
        ValueError: for an unknown padding.
    """

    def __init__(
        self,
        size: int | tuple[int, int],
        strides: int = 1,
        padding: str = "same",
        initializer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if padding not in ("same", "valid"):
            raise ValueError(f'padding must be "same" or "valid", not {padding!r}')
        self.size = (size, size) if isinstance(size, int) else tuple(size)
        self.strides, self.padding = strides, padding
        he = keras.initializers.RandomNormal(stddev=(2 / (self.size[0] * self.size[1])) ** 0.5)
        self.initializer = keras.initializers.get(initializer or he)

    def build(self, input_shape: Any) -> None:
        """Create the kernel [height, width, C, 1]."""
        self.kernel = self.add_weight(
            name="kernel", shape=(*self.size, input_shape[-1], 1), initializer=self.initializer
        )
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Convolve [B, H, W, C] to [B, H', W', C] of the same type."""
        kernel = tf.cast(self.kernel, inputs.dtype)
        return depthwise_convolution(inputs, kernel, self.strides, self.padding)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Shape of the output, with or without a batch size."""
        batch, *sides, channels = input_shape
        lost = [0, 0] if self.padding == "same" else [size - 1 for size in self.size]
        places = [-(-(side - less) // self.strides) for side, less in zip(sides, lost)]
        return (batch, *places, channels)

    def get_config(self) -> dict[str, Any]:
        """Config with size, strides, padding and initializer."""
        return {
            **super().get_config(),
            "size": self.size,
            "strides": self.strides,
            "padding": self.padding,
            "initializer": keras.initializers.serialize(self.initializer),
        }
