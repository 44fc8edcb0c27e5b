"""What the architectures have in common."""

from __future__ import annotations

from typing import Literal

import keras
import tensorflow as tf

from facenet_tf.models.depthwise import DepthwiseConvolution
from facenet_tf.models.layers import FusedBatchNormalization
from facenet_tf.models.prelu import ChannelPReLU

Padding = Literal["same", "even"]


def convolution(
    x: tf.Tensor, filters: int, size: int, name: str, strides: int = 1, padding: Padding = "same"
) -> tf.Tensor:
    """A convolution without bias and its norm; the activation is the architecture's.

    Args:
        x: [B, H, W, C].
        filters: channels of the result.
        size: of the kernel.
        name: of the convolution; the norm is `name_norm`.
        strides: of both directions.
        padding: with a stride, "same" has more zeros after the picture than before it, as in
            TensorFlow; "even" as many on both sides, as weights from elsewhere rely on.

    Returns:
        [B, H/strides, W/strides, filters].
    """
    if padding == "even" and strides > 1:
        x = evenly_padded(x, size, name)
        padding_of_layer = "valid"
    else:
        padding_of_layer = "same"
    layer = keras.layers.Conv2D(
        filters,
        size,
        strides,
        padding=padding_of_layer,
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )
    return norm(f"{name}_norm")(layer(x))


def evenly_padded(x: tf.Tensor, size: int, name: str) -> tf.Tensor:
    """Zeros around [B, H, W, C], half as wide as a kernel of that size, for the layer `name`."""
    return keras.layers.ZeroPadding2D(size // 2, name=f"{name}_pad")(x) if size > 1 else x


def depthwise(x: tf.Tensor, size: int | tuple[int, int], name: str, strides: int = 1) -> tf.Tensor:
    """A depthwise convolution and its norm, [B, H, W, C] to [B, H/strides, W/strides, C]."""
    return norm(f"{name}_norm")(DepthwiseConvolution(size, strides, name=name)(x))


def norm(name: str) -> keras.layers.Layer:
    """Batch normalisation that follows the last ten steps or so."""
    return FusedBatchNormalization(momentum=0.9, epsilon=1e-5, name=name)


def prelu(x: tf.Tensor, name: str) -> tf.Tensor:
    """Parametric ReLU after the layer `name`."""
    return ChannelPReLU(name=f"{name}_prelu")(x)


def squeeze_and_excite(
    x: tf.Tensor, filters: int, name: str, gate: Literal["sigmoid", "hard_sigmoid"] = "sigmoid"
) -> tf.Tensor:
    """Each channel times what two 1×1 convolutions make of the averages of all.

    Hu et al., Squeeze-and-Excitation Networks, 2018, with PReLU between the two.

    Args:
        x: [B, H, W, C].
        filters: of the first of the two.
        name: what its layers' names begin with.
        gate: "hard_sigmoid" is that of MobileNetV3, x/6 + 1/2 between 0 and 1.

    Returns:
        [B, H, W, C].
    """
    y = keras.layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_pool")(x)
    y = keras.layers.Conv2D(filters, 1, kernel_initializer="he_normal", name=f"{name}_reduce")(y)
    y = keras.layers.Conv2D(x.shape[-1], 1, name=f"{name}_expand")(prelu(y, f"{name}_reduce"))
    if gate == "sigmoid":
        y = keras.layers.Activation("sigmoid", name=f"{name}_sigmoid")(y)
    else:
        # Keras 2 and 3 mean different functions by this name.
        y = keras.layers.Rescaling(1 / 6, 0.5, name=f"{name}_rescale")(y)
        y = keras.layers.ReLU(max_value=1.0, name=f"{name}_relu")(y)
    return keras.layers.Multiply(name=f"{name}_scale")([x, y])


def check_side(pixels: tf.Tensor, smallest: int) -> None:
    """Raise `ValueError` for pictures [B, H, W, C] of a side below `smallest` pixels."""
    side = min(pixels.shape[1:3])
    if side < smallest:
        raise ValueError(f"needs crops of at least {smallest} pixels, not {side}")
