"""dlib's face recognition network: the residual network of 29 convolutions that Davis King trained
in 2017 (dlib, examples/dnn_face_recognition_ex.cpp), after He et al., Deep Residual Learning for
Image Recognition, 2016, with fewer layers and half the filters of its ResNet-34.

From 150×150 crops in dlib's own frame to 128 dimensions with 5,614,592 parameters; 271 million
multiply-adds. Where the two sides of a sum differ in size or channels, the smaller one is filled up
with zeros at the end: a shortcut has no weights. `facenet_tf.pretrained` has the weights.
"""

from __future__ import annotations

from typing import Literal

import keras
import tensorflow as tf

from facenet_tf.models.blocks import check_side
from facenet_tf.models.blocks import norm as batch_norm
from facenet_tf.models.heads import Head, bottleneck, pool
from facenet_tf.models.layers import ChannelAffine, PaddedSum
from facenet_tf.models.publication import Published
from facenet_tf.models.registry import register

Norm = Literal["affine", "batch"]

SMALLEST = 103
"""Side in pixels below which the last block's convolution has nothing to see."""

# Filters, blocks, and whether the first block halves the side.
STAGES = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))


@register(
    "dlib_resnet",
    Published(
        paper="King, dlib's dnn_face_recognition_ex.cpp, 2017",
        year=2017,
        size=150,
        parameters=5_614_592,
        lfw=99.38,
        normalization="dlib",
        alignment="dlib",
    ),
)
def dlib_resnet(
    pixels: tf.Tensor,
    embedding_size: int,
    *,
    norm: Norm = "affine",
    head: Head = "gap",
    dropout: float = 0.0,
) -> tf.Tensor:
    """Layers from normalised pixels [B, S, S, C] to float32 [B, embedding_size].

    Args:
        pixels: normalised pixels, S at least 103.
        embedding_size: number of dimensions of the result.
        norm: what follows a convolution. "affine", a scale and an offset for each channel, is the
            network as it is used, and as its weights were published. "batch", batch normalisation,
            is what it was trained with: the one to train from the beginning.
        head: what becomes of the last map, as in `heads.pool`; the published one is "gap".
        dropout: fraction of the features dropped before the bottleneck in training; none published.

    Raises:
        ValueError: for an unknown norm or head, or a smaller picture.
    """
    if norm not in ("affine", "batch"):
        raise ValueError(f'norm must be "affine" or "batch", not {norm!r}')
    check_side(pixels, SMALLEST)
    x = _convolution(pixels, 32, 7, "stem_conv1", norm, strides=2)
    x = keras.layers.ReLU(name="stem_conv1_relu")(x)
    x = keras.layers.MaxPooling2D(3, 2, name="stem_pool1")(x)
    for stage, (filters, blocks, halves) in enumerate(STAGES, start=1):
        for block in range(1, blocks + 1):
            x = _residual(x, filters, f"stage{stage}_block{block}", norm, halves and block == 1)
    x = pool(x, head)
    return bottleneck(x, embedding_size, dropout, use_bias=False)


def _residual(x: tf.Tensor, filters: int, name: str, norm: Norm, halve: bool) -> tf.Tensor:
    y = _convolution(x, filters, 3, f"{name}_conv1", norm, strides=2 if halve else 1)
    y = keras.layers.ReLU(name=f"{name}_conv1_relu")(y)
    y = _convolution(y, filters, 3, f"{name}_conv2", norm)
    if halve:
        x = keras.layers.AveragePooling2D(2, name=f"{name}_pool")(x)
        y = PaddedSum(name=f"{name}_sum")([x, y])
    else:
        y = keras.layers.Add(name=f"{name}_sum")([x, y])
    return keras.layers.ReLU(name=f"{name}_relu")(y)


def _convolution(
    x: tf.Tensor, filters: int, size: int, name: str, norm: Norm, strides: int = 1
) -> tf.Tensor:
    """A convolution with its norm; dlib pads those without a stride only."""
    layer = keras.layers.Conv2D(
        filters,
        size,
        strides,
        padding="same" if strides == 1 else "valid",
        kernel_initializer="he_normal",
        name=name,
    )
    follow = ChannelAffine if norm == "affine" else batch_norm
    return follow(name=f"{name}_norm")(layer(x))
