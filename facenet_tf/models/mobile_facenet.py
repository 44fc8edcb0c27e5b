"""MobileFaceNet: Chen et al., MobileFaceNets, 2018, Table 1.

From 112×112 crops to 128 dimensions with 1,003,136 parameters: 976,000 weights, 7,552 slopes of
PReLU, 19,584 of batch normalisation (the paper: 0.99 million); 221 million multiply-adds. Blocks
are the inverted residuals of Sandler et al., MobileNetV2, 2018, with PReLU in place of ReLU6. The
last map is weighted place by place in place of being averaged, since the middle of a face tells
more than its corners. Any input size will do: the last kernel is as large as what is left.

insightface's "mbf" with 2.06 million parameters is another network.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
import tensorflow as tf

from facenet_tf.models.blocks import convolution, norm
from facenet_tf.models.depthwise import DepthwiseConvolution
from facenet_tf.models.heads import Head, pool
from facenet_tf.models.prelu import ChannelPReLU
from facenet_tf.models.publication import Published
from facenet_tf.models.registry import register


@dataclass(frozen=True)
class Stage:
    """One row of the table: a chain of bottlenecks, the first of them with the stride."""

    expansion: int
    filters: int
    blocks: int
    strides: int


STAGES = (
    Stage(2, 64, 5, 2),
    Stage(4, 128, 1, 2),
    Stage(2, 128, 6, 1),
    Stage(4, 128, 1, 2),
    Stage(2, 128, 2, 1),
)


@register(
    "mobile_facenet",
    Published(
        paper="Chen et al., MobileFaceNets, 2018, Table 1",
        year=2018,
        size=112,
        parameters=1_003_136,
        lfw=99.55,
    ),
)
def mobile_facenet(
    pixels: tf.Tensor, embedding_size: int, *, head: Head = "depthwise", dropout: float = 0.0
) -> tf.Tensor:
    """Layers from normalised pixels [B, S, S, C] to float32 [B, embedding_size].

    Args:
        pixels: normalised pixels.
        embedding_size: number of dimensions of the result.
        head: what becomes of the last map, as in `heads.pool`; the paper's is "depthwise".
        dropout: fraction of the features dropped before the bottleneck in training; the paper
            has none.

    Raises:
        ValueError: for an unknown head.
    """
    x = _convolution(pixels, 64, 3, "stem_conv", strides=2)
    x = _depthwise(x, "stem_depthwise")
    for number, stage in enumerate(STAGES, start=1):
        for block in range(1, stage.blocks + 1):
            strides = stage.strides if block == 1 else 1
            x = _bottleneck(x, stage, strides, f"stage{number}_block{block}")
    x = pool(_convolution(x, 512, 1, "last_conv"), head)
    if dropout:
        x = keras.layers.Dropout(dropout, name="dropout")(x)
    x = keras.layers.Dense(embedding_size, use_bias=False, dtype="float32", name="bottleneck")(x)
    return keras.layers.BatchNormalization(
        momentum=0.9, epsilon=1e-5, dtype="float32", name="bottleneck_norm"
    )(x)


def _bottleneck(x: tf.Tensor, stage: Stage, strides: int, name: str) -> tf.Tensor:
    channels = x.shape[-1]
    y = _convolution(x, stage.expansion * channels, 1, f"{name}_expand")
    y = _depthwise(y, f"{name}_depthwise", strides)
    y = _convolution(y, stage.filters, 1, f"{name}_project", activation=False)
    if strides > 1 or channels != stage.filters:
        return y
    return keras.layers.Add(name=f"{name}_sum")([x, y])


def _convolution(
    x: tf.Tensor, filters: int, size: int, name: str, strides: int = 1, activation: bool = True
) -> tf.Tensor:
    x = convolution(x, filters, size, name, strides)
    return ChannelPReLU(name=f"{name}_prelu")(x) if activation else x


def _depthwise(x: tf.Tensor, name: str, strides: int = 1) -> tf.Tensor:
    x = norm(f"{name}_norm")(DepthwiseConvolution(3, strides, name=name)(x))
    return ChannelPReLU(name=f"{name}_prelu")(x)
