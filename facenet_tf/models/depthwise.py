"""Depthwise convolution: TensorFlow's, but for one gradient.

In a graph on an x86 processor TensorFlow hands depthwise convolutions to oneDNN, whose kernels for
float32 take about as long as it takes to read and write the tensors once: there is nothing to gain.
But in bfloat16 and with a stride, its gradient by the input takes six times as long as in
float32. There it is taken in float32. `benchmarks/depthwise.py` measures both.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


def depthwise_convolution(
    x: tf.Tensor, kernel: tf.Tensor, strides: int = 1, padding: str = "same"
) -> tf.Tensor:
    """Convolve each channel with its own kernel, with a gradient that is fast on a CPU too.

    Which gradient it has is settled when a graph is traced, by type, stride and the devices there
    are.

    Args:
        x: floating [B, H, W, C].
        kernel: [height, width, C, 1], of the same type.
        strides: of both directions.
        padding: "same" or "valid", as TensorFlow pads.

    Returns:
        [B, H', W', C] of the same type.
    """
    half = x.dtype in (tf.bfloat16, tf.float16)
    if half and strides > 1 and not tf.config.list_physical_devices("GPU"):
        return _convolve_half(x, kernel, strides, padding)
    return _convolve(x, kernel, strides, padding)


def _convolve(x: tf.Tensor, kernel: tf.Tensor, strides: int, padding: str) -> tf.Tensor:
    return tf.nn.depthwise_conv2d(x, kernel, [1, strides, strides, 1], padding.upper())


def _convolve_half(x: tf.Tensor, kernel: tf.Tensor, strides: int, padding: str) -> tf.Tensor:
    options = {"strides": [1, strides, strides, 1], "padding": padding.upper()}

    @tf.custom_gradient
    def convolve(x: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, Any]:
        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            by_input = tf.raw_ops.DepthwiseConv2dNativeBackpropInput(
                input_sizes=tf.shape(x),
                filter=tf.cast(kernel, tf.float32),
                out_backprop=tf.cast(upstream, tf.float32),
                **options,
            )
            by_kernel = tf.raw_ops.DepthwiseConv2dNativeBackpropFilter(
                input=x, filter_sizes=tf.shape(kernel), out_backprop=upstream, **options
            )
            return tf.cast(by_input, x.dtype), by_kernel

        return _convolve(x, kernel, strides, padding), gradient

    return convolve(x, kernel)


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
