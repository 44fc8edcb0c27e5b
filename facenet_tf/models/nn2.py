"""FaceNet NN2: the Inception network of Schroff et al., FaceNet, 2015, Table 2.

Blocks follow Szegedy et al., Going Deeper with Convolutions, 2014, with L2 pooling where the
table says so. Every convolution has a bias and is followed by batch normalisation, which takes the
place of the table's local response normalisation; so counted the network has the 7.5 million
parameters of the paper: 7,472,144. The last average pool covers whatever is left of the input, so
that any input size will do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import keras
import tensorflow as tf

from facenet_tf.models.layers import FusedBatchNormalization, L2Pooling
from facenet_tf.models.publication import Published
from facenet_tf.models.registry import register


@dataclass(frozen=True)
class Block:
    """One row of the table: numbers of filters, 0 where there is no such branch."""

    name: str
    conv_1x1: int
    reduce_3x3: int
    conv_3x3: int
    reduce_5x5: int
    conv_5x5: int
    pooling: Literal["max", "l2"]
    projection: int
    strides: int = 1


BLOCKS = (
    Block("3a", 64, 96, 128, 16, 32, "max", 32),
    Block("3b", 64, 96, 128, 32, 64, "l2", 64),
    Block("3c", 0, 128, 256, 32, 64, "max", 0, strides=2),
    Block("4a", 256, 96, 192, 32, 64, "l2", 128),
    Block("4b", 224, 112, 224, 32, 64, "l2", 128),
    Block("4c", 192, 128, 256, 32, 64, "l2", 128),
    Block("4d", 160, 144, 288, 32, 64, "l2", 128),
    Block("4e", 0, 160, 256, 64, 128, "max", 0, strides=2),
    Block("5a", 384, 192, 384, 48, 128, "l2", 128),
    Block("5b", 384, 192, 384, 48, 128, "max", 128),
)


@register(
    "nn2",
    Published(
        paper="Schroff et al., FaceNet, 2015, Table 2", year=2015, size=224, parameters=7_472_144
    ),
)
def nn2(pixels: tf.Tensor, embedding_size: int) -> tf.Tensor:
    """Layers of NN2 from normalised pixels [B, S, S, C] to float32 [B, embedding_size]."""
    x = _convolution(pixels, 64, 7, "stem_conv1", strides=2)
    x = keras.layers.MaxPooling2D(3, 2, padding="same", name="stem_pool1")(x)
    x = _convolution(x, 64, 1, "stem_conv2_reduce")
    x = _convolution(x, 192, 3, "stem_conv2")
    x = keras.layers.MaxPooling2D(3, 2, padding="same", name="stem_pool2")(x)
    for block in BLOCKS:
        x = _inception(x, block)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.layers.Dense(embedding_size, dtype="float32", name="bottleneck")(x)


def _inception(x: tf.Tensor, block: Block) -> tf.Tensor:
    name = f"inception_{block.name}"
    branches = []
    if block.conv_1x1:
        branches.append(_convolution(x, block.conv_1x1, 1, f"{name}_1x1"))
    y = _convolution(x, block.reduce_3x3, 1, f"{name}_3x3_reduce")
    branches.append(_convolution(y, block.conv_3x3, 3, f"{name}_3x3", block.strides))
    y = _convolution(x, block.reduce_5x5, 1, f"{name}_5x5_reduce")
    branches.append(_convolution(y, block.conv_5x5, 5, f"{name}_5x5", block.strides))
    branches.append(_pooling(x, block, name))
    return keras.layers.Concatenate(name=name)(branches)


def _pooling(x: tf.Tensor, block: Block, name: str) -> tf.Tensor:
    if block.pooling == "l2":
        x = L2Pooling(3, block.strides, name=f"{name}_pool")(x)
    else:
        x = keras.layers.MaxPooling2D(3, block.strides, padding="same", name=f"{name}_pool")(x)
    return _convolution(x, block.projection, 1, f"{name}_projection") if block.projection else x


def _convolution(x: tf.Tensor, filters: int, size: int, name: str, strides: int = 1) -> tf.Tensor:
    x = keras.layers.Conv2D(filters, size, strides, padding="same", name=name)(x)
    x = FusedBatchNormalization(epsilon=1e-5, momentum=0.9, name=f"{name}_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)
