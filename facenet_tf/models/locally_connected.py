"""Local connection: a convolution whose kernel differs from place to place.

Keras 3 has no such layer. Here all windows are laid side by side and multiplied, place by place,
with the kernels of the places: one batched product of matrices, which XLA compiles too. Windows are
cut by shifted slices, whose gradient is a sum of padded ones; that of
`tf.image.extract_patches` XLA does not know.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


def windows(x: tf.Tensor, size: int, strides: int = 1) -> tf.Tensor:
    """All windows that lie within a map.

    Args:
        x: [B, H, W, C], with H and W known and at least `size`.
        size: side of the window.
        strides: of both directions.

    Returns:
        [B, (H - size) // strides + 1, (W - size) // strides + 1, size · size · C]: row by row of a
        window, column by column, channel by channel.
    """
    height, width, channels = x.shape[1:]
    rows, columns = _places(height, size, strides), _places(width, size, strides)
    reach = [(places - 1) * strides + 1 for places in (rows, columns)]
    x = tf.stack([x[:, :, at : at + reach[1] : strides] for at in range(size)], axis=3)
    x = tf.stack([x[:, at : at + reach[0] : strides] for at in range(size)], axis=3)
    return tf.reshape(x, [-1, rows, columns, size * size * channels])


def _places(side: int, size: int, strides: int) -> int:
    return (side - size) // strides + 1


@keras.saving.register_keras_serializable("facenet_tf")
class LocallyConnected(keras.layers.Layer):
    """Multiplies each window of [B, H, W, C] with a kernel of its own, without padding.

    The kernel is [rows, columns, size · size · C, filters], the bias [rows, columns, filters].
    Kernels start normal with the deviation of He et al. 2015, √(2 / (size · size · C)).

    Args:
        filters: channels of the output.
        size: side of a window.
        strides: of both directions.

    Raises:
        ValueError: for a map that is smaller than a window.
    """

    def __init__(self, filters: int, size: int, strides: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters, self.size, self.strides = filters, size, strides

    def build(self, input_shape: Any) -> None:
        """Create kernel and bias for the places of a map [B, H, W, C]."""
        if min(input_shape[1:3]) < self.size:
            raise ValueError(f"{self.name}: no window of {self.size} in {tuple(input_shape[1:3])}")
        places = self.compute_output_shape(input_shape)[1:3]
        values = self.size**2 * input_shape[3]
        normal = keras.initializers.RandomNormal(stddev=(2 / values) ** 0.5)
        shape = (*places, values, self.filters)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=normal)
        self.bias = self.add_weight(name="bias", shape=(*places, self.filters), initializer="zeros")
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Connect [B, H, W, C] to [B, rows, columns, filters] of the same type."""
        kernel, bias = (tf.cast(each, inputs.dtype) for each in (self.kernel, self.bias))
        pieces = windows(inputs, self.size, self.strides)
        return tf.einsum("brcv,rcvf->brcf", pieces, kernel) + bias

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Shape of the output, with or without a batch size."""
        batch, *sides, _ = input_shape
        places = [_places(side, self.size, self.strides) for side in sides]
        return (batch, *places, self.filters)

    def get_config(self) -> dict[str, Any]:
        """Config with filters, size and strides."""
        own = {"filters": self.filters, "size": self.size, "strides": self.strides}
        return {**super().get_config(), **own}
