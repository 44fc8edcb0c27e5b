"""Loss scaling for float16, by Keras' optimiser around the optimiser, in either version of Keras.

The slopes of the loss at the embeddings are multiplied by a power of two before they go back
through the float16 body, where they would otherwise vanish, and the gradients divided by it. When
one of them overflows, the step is left out and the power halved; after 2,000 good steps it is
doubled (Micikevicius et al. 2018, Mixed Precision Training, section 3.2). Between here and the
optimiser gradients are unscaled: their norm is the gradient's, and limits mean what they say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf


def with_loss_scaling(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """The optimiser inside the one that keeps the scale and leaves steps out."""
    home = keras.optimizers
    if not hasattr(home, "LossScaleOptimizer"):  # Keras 2
        home = keras.mixed_precision
    return home.LossScaleOptimizer(optimizer)


def scaled_backward(
    optimizer: keras.optimizers.Optimizer, backward: Callable[[tf.Tensor], list[Any]]
) -> Callable[[tf.Tensor], list[Any]]:
    """From slopes to gradients as `backward`, with the scale on the way through the body."""
    if hasattr(optimizer, "get_scaled_loss"):  # Keras 2
        return lambda slopes: list(
            optimizer.get_unscaled_gradients(backward(optimizer.get_scaled_loss(slopes)))
        )
    scale = optimizer.dynamic_scale
    return lambda slopes: [
        tf.convert_to_tensor(gradient) / scale for gradient in backward(slopes * scale)
    ]


def apply_unscaled(
    optimizer: keras.optimizers.Optimizer, gradients: list[Any], variables: list[Any]
) -> None:
    """A step by unscaled gradients: Keras 3 divides by its scale, hence they are scaled again."""
    scale = getattr(optimizer, "dynamic_scale", None)
    if scale is not None:
        gradients = [tf.convert_to_tensor(gradient) * scale for gradient in gradients]
    optimizer.apply_gradients(zip(gradients, variables))


def can_be_lowered(optimizer: keras.optimizers.Optimizer) -> tf.Tensor:
    """Whether the scale still multiplies: bool scalar.

    At 1 and below nothing is scaled up, and Keras 2 goes no lower: what overflows then, overflows
    by itself.
    """
    keras_2 = hasattr(optimizer, "loss_scale")
    scale = optimizer.loss_scale if keras_2 else optimizer.dynamic_scale
    return tf.convert_to_tensor(scale) > 1.0


def all_finite(tensors: list[Any]) -> tf.Tensor:
    """Whether no value in them is infinite or NaN: bool scalar."""
    return tf.reduce_all([tf.reduce_all(tf.math.is_finite(each)) for each in tensors])
