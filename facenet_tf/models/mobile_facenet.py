"""MobileFaceNet and MobiFace, of inverted residuals.

| name | paper | parameters | multiply-adds |
|---|---|---|---|
| MobileFaceNet | Chen et al., MobileFaceNets, 2018, Table 1 | 1,003,136 | 221 million |
| MobiFace | Duong et al., MobiFace, 2019, section 3 | 15,125,120 | 245 million |

Both take 112×112 crops, MobileFaceNet to 128 dimensions, MobiFace to 512. Blocks are the inverted
residuals of Sandler et al., MobileNetV2, 2018, with PReLU in place of ReLU6. Any input size will
do.

MobileFaceNet has 976,000 weights, 7,552 slopes of PReLU and 19,584 of batch normalisation (the
paper: 0.99 million). It weights the last map place by place in place of averaging it, since the
middle of a face tells more than its corners. insightface's "mbf" with 2.06 million parameters is
another network.

MobiFace halves the map earlier and then goes deeper, and ends in a fully connected layer, which has
most of the parameters. It is built after the paper's description without its code: what it says of
the size of its model (9.3 MB) is not met with any of the heads here. Without the fully connected
layer it has 2,279,552 parameters, 9.1 MB, so that its authors most likely leave that layer out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import tensorflow as tf

from facenet_tf.models.blocks import convolution, depthwise, prelu
from facenet_tf.models.heads import Head, bottleneck, pool
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
MOBIFACE_STAGES = (
    Stage(2, 64, 1, 2),
    Stage(2, 64, 2, 1),
    Stage(4, 128, 1, 2),
    Stage(2, 128, 3, 1),
    Stage(4, 256, 1, 2),
    Stage(2, 256, 6, 1),
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
    """Layers from normalised pixels [B, H, W, C] to float32 [B, embedding_size].

    Args:
        pixels: normalised pixels.
        embedding_size: number of dimensions of the result.
        head: what becomes of the last map, as in `heads.pool`; the paper's is "depthwise".
        dropout: fraction of the features dropped before the bottleneck in training; the paper
            has none.

    Raises:
        ValueError: for an unknown head.
    """
    x = _features(pixels, STAGES, head)
    return bottleneck(x, embedding_size, dropout, normed=True, use_bias=False)


@register(
    "mobiface",
    Published(
        paper="Duong et al., MobiFace, 2019, section 3",
        year=2019,
        size=112,
        parameters=15_125_120,
        embedding_size=512,
        verified=False,
        lfw=99.73,
    ),
)
def mobiface(
    pixels: tf.Tensor, embedding_size: int, *, head: Head = "dense", dropout: float = 0.0
) -> tf.Tensor:
    """Layers from normalised pixels [B, H, W, C] to float32 [B, embedding_size].

    Args:
        pixels: normalised pixels.
        embedding_size: number of dimensions of the result.
        head: what becomes of the last map, as in `heads.pool`; the paper's is "dense".
        dropout: fraction of the features dropped before the bottleneck in training; the paper
            has none.

    Raises:
        ValueError: for an unknown head.
    """
    x = _features(pixels, MOBIFACE_STAGES, head)
    return bottleneck(x, embedding_size, dropout)


def _features(x: tf.Tensor, stages: Sequence[Stage], head: Head) -> tf.Tensor:
    x = prelu(convolution(x, 64, 3, "stem_conv", strides=2), "stem_conv")
    x = prelu(depthwise(x, 3, "stem_depthwise"), "stem_depthwise")
    for number, stage in enumerate(stages, start=1):
        for block in range(1, stage.blocks + 1):
            strides = stage.strides if block == 1 else 1
            x = _bottleneck(x, stage, strides, f"stage{number}_block{block}")
    return pool(prelu(convolution(x, 512, 1, "last_conv"), "last_conv"), head)


def _bottleneck(x: tf.Tensor, stage: Stage, strides: int, name: str) -> tf.Tensor:
    channels, expand = x.shape[-1], f"{name}_expand"
    y = prelu(convolution(x, stage.expansion * channels, 1, expand), expand)
    y = prelu(depthwise(y, 3, f"{name}_depthwise", strides), f"{name}_depthwise")
    y = convolution(y, stage.filters, 1, f"{name}_project")
    if strides > 1 or channels != stage.filters:
        return y
    return keras.layers.Add(name=f"{name}_sum")([x, y])
