"""Inception-ResNet-v1: Szegedy et al., Inception-v4, Inception-ResNet and the Impact of Residual
Connections on Learning, 2016, as FaceNet projects have it.

The paper gives the blocks; the network with their sizes in common use for faces is davidsandberg's
facenet (TensorFlow 1), from which that of facenet-pytorch was converted: five 35-blocks, ten
17-blocks and five 8-blocks, residuals scaled by 0.17, 0.10 and 0.20, a last 8-block without
activation, and batch normalisation without scales. From 160×160 crops to 512 dimensions (first
128) with 23,467,824 parameters (22,779,312); 1.42 billion multiply-adds. facenet-pytorch's has
scales as well: 14,800 more.

Smaller crops down to 75 pixels will do; the blocks bear the names of the sides at 299 pixels.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from facenet_tf.models.heads import Head, pool
from facenet_tf.models.layers import FusedBatchNormalization, ScaledSum
from facenet_tf.models.publication import Published
from facenet_tf.models.registry import register

SMALLEST = 75
"""Side in pixels below which nothing is left for the last reduction."""


@register(
    "inception_resnet_v1",
    Published(
        paper="Szegedy et al., Inception-v4, 2016, Figures 7 and 10 to 14; davidsandberg's facenet",
        year=2016,
        size=160,
        parameters=23_467_824,
        embedding_size=512,
        lfw=99.65,
    ),
)
def inception_resnet_v1(
    pixels: tf.Tensor, embedding_size: int, *, head: Head = "gap", dropout: float = 0.0
) -> tf.Tensor:
    """Layers from normalised pixels [B, S, S, C] to float32 [B, embedding_size].

    Args:
        pixels: normalised pixels, S at least 75.
        embedding_size: number of dimensions of the result.
        head: what becomes of the last map, as in `heads.pool`; the published one is "gap".
        dropout: fraction of the features dropped before the bottleneck in training (0.2 in
            davidsandberg's code, 0.6 in facenet-pytorch).

    Raises:
        ValueError: for an unknown head, or a smaller picture.
    """
    if pixels.shape[1] < SMALLEST:
        raise ValueError(
            f"inception_resnet_v1 needs crops of at least {SMALLEST} pixels, not {pixels.shape[1]}"
        )
    x = _stem(pixels)
    for number in range(1, 6):
        x = _block35(x, f"block35_{number}")
    x = _reduction_a(x)
    for number in range(1, 11):
        x = _block17(x, f"block17_{number}")
    x = _reduction_b(x)
    for number in range(1, 6):
        x = _block8(x, f"block8_{number}")
    x = pool(_block8(x, "block8_6", scale=1.0, activation=False), head)
    if dropout:
        x = keras.layers.Dropout(dropout, name="dropout")(x)
    x = keras.layers.Dense(embedding_size, use_bias=False, dtype="float32", name="bottleneck")(x)
    return keras.layers.BatchNormalization(
        momentum=0.995, epsilon=1e-3, scale=False, dtype="float32", name="bottleneck_norm"
    )(x)


def _stem(x: tf.Tensor) -> tf.Tensor:
    x = _convolution(x, 32, 3, "stem_conv1a", 2, "valid")
    x = _convolution(x, 32, 3, "stem_conv2a", padding="valid")
    x = _convolution(x, 64, 3, "stem_conv2b")
    x = keras.layers.MaxPooling2D(3, 2, name="stem_pool3a")(x)
    x = _convolution(x, 80, 1, "stem_conv3b")
    x = _convolution(x, 192, 3, "stem_conv4a", padding="valid")
    return _convolution(x, 256, 3, "stem_conv4b", 2, "valid")


def _block35(x: tf.Tensor, name: str) -> tf.Tensor:
    a = _convolution(x, 32, 1, f"{name}_a1")
    b = _chain(x, f"{name}_b", [(32, 1), (32, 3)])
    c = _chain(x, f"{name}_c", [(32, 1), (32, 3), (32, 3)])
    return _residual(x, [a, b, c], name, scale=0.17)


def _block17(x: tf.Tensor, name: str) -> tf.Tensor:
    a = _convolution(x, 128, 1, f"{name}_a1")
    b = _chain(x, f"{name}_b", [(128, 1), (128, (1, 7)), (128, (7, 1))])
    return _residual(x, [a, b], name, scale=0.10)


def _block8(x: tf.Tensor, name: str, scale: float = 0.20, activation: bool = True) -> tf.Tensor:
    a = _convolution(x, 192, 1, f"{name}_a1")
    b = _chain(x, f"{name}_b", [(192, 1), (192, (1, 3)), (192, (3, 1))])
    return _residual(x, [a, b], name, scale, activation)


def _reduction_a(x: tf.Tensor) -> tf.Tensor:
    a = _convolution(x, 384, 3, "mixed_6a_a1", 2, "valid")
    b = _chain(x, "mixed_6a_b", [(192, 1), (192, 3)])
    b = _convolution(b, 256, 3, "mixed_6a_b3", 2, "valid")
    return _reduced(x, [a, b], "mixed_6a")


def _reduction_b(x: tf.Tensor) -> tf.Tensor:
    a = _convolution(x, 256, 1, "mixed_7a_a1")
    a = _convolution(a, 384, 3, "mixed_7a_a2", 2, "valid")
    b = _convolution(x, 256, 1, "mixed_7a_b1")
    b = _convolution(b, 256, 3, "mixed_7a_b2", 2, "valid")
    c = _chain(x, "mixed_7a_c", [(256, 1), (256, 3)])
    c = _convolution(c, 256, 3, "mixed_7a_c3", 2, "valid")
    return _reduced(x, [a, b, c], "mixed_7a")


def _reduced(x: tf.Tensor, branches: list[tf.Tensor], name: str) -> tf.Tensor:
    pooled = keras.layers.MaxPooling2D(3, 2, name=f"{name}_pool")(x)
    return keras.layers.Concatenate(name=name)([*branches, pooled])


def _residual(
    x: tf.Tensor, branches: list[tf.Tensor], name: str, scale: float, activation: bool = True
) -> tf.Tensor:
    joined = keras.layers.Concatenate(name=f"{name}_concat")(branches)
    change = keras.layers.Conv2D(x.shape[-1], 1, name=f"{name}_up")(joined)
    x = ScaledSum(scale, name=f"{name}_sum")([x, change])
    return keras.layers.ReLU(name=f"{name}_relu")(x) if activation else x


def _chain(
    x: tf.Tensor, name: str, convolutions: list[tuple[int, int | tuple[int, int]]]
) -> tf.Tensor:
    for number, (filters, size) in enumerate(convolutions, start=1):
        x = _convolution(x, filters, size, f"{name}{number}")
    return x


def _convolution(
    x: tf.Tensor,
    filters: int,
    size: int | tuple[int, int],
    name: str,
    strides: int = 1,
    padding: str = "same",
) -> tf.Tensor:
    x = keras.layers.Conv2D(filters, size, strides, padding=padding, use_bias=False, name=name)(x)
    x = FusedBatchNormalization(scale=False, momentum=0.995, epsilon=1e-3, name=f"{name}_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)
