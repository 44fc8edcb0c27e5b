"""Local response normalisation: Krizhevsky et al., ImageNet Classification, 2012, section 3.3."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("facenet_tf")
class LocalResponseNormalization(keras.layers.Layer):
    """Divides each value by `(bias + alpha / size · Σ squares) ** beta`.

    The sum goes over `size` neighbouring channels at the same place, or as many as there are. It is
    taken in float32, where squares of float16 activations cannot overflow.

    Args:
        size: odd number of channels.
        alpha, beta, bias: of the formula, by default those of Caffe and Torch.

    Raises:
        ValueError: for an even size.
    """

    def __init__(
        self,
        size: int = 5,
        alpha: float = 1e-4,
        beta: float = 0.75,
        bias: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if size % 2 == 0:
            raise ValueError(f"size must be odd, not {size}")
        self.size, self.alpha, self.beta, self.bias = size, alpha, beta, bias

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Normalise [B, H, W, C] to the same shape and type."""
        outputs = tf.nn.local_response_normalization(
            tf.cast(inputs, tf.float32),
            depth_radius=self.size // 2,
            bias=self.bias,
            alpha=self.alpha / self.size,
            beta=self.beta,
        )
        return tf.cast(outputs, inputs.dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Config with the numbers of the formula."""
        numbers = {name: getattr(self, name) for name in ("size", "alpha", "beta", "bias")}
        return {**super().get_config(), **numbers}
