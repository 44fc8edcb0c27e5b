"""InsightFace's "mbf": MobileFaceNet (Chen et al., 2018) with twice the channels and fewer blocks,
as its arcface_torch has it (Guo et al., 2021, backbones/mobilefacenet.py, `get_mbf`).

From 112×112 crops to 512 dimensions with 2,059,520 parameters: 2,028,032 weights, 7,680 slopes of
PReLU, 23,808 of batch normalisation; 438 million multiply-adds. Convolutions with a stride are
padded evenly, as in PyTorch. The paper's own network is `mobile_facenet`.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from facenet_tf.models.blocks import convolution, evenly_padded, norm, prelu
from facenet_tf.models.depthwise import DepthwiseConvolution
from facenet_tf.models.grouped import GroupedConvolution
from facenet_tf.models.heads import Head, bottleneck, pool
from facenet_tf.models.publication import Published
from facenet_tf.models.registry import register

# Of each stage: channels between the convolutions of its first block, which has stride 2; channels
# after it and in the blocks that follow; how many follow, to which their input is added.
STAGES = ((128, 128, 4), (256, 256, 6), (512, 256, 2))


@register(
    "mbf",
    Published(
        paper="Guo et al., InsightFace, arcface_torch/backbones/mobilefacenet.py",
        year=2021,
        size=112,
        parameters=2_059_520,
        embedding_size=512,
        normalization="insightface",
    ),
)
def mbf(
    pixels: tf.Tensor, embedding_size: int, *, head: Head = "depthwise", dropout: float = 0.0
) -> tf.Tensor:
    """Layers from normalised pixels [B, H, W, C] to float32 [B, embedding_size].

    Args:
        pixels: normalised pixels.
        embedding_size: number of dimensions of the result.
        head: what becomes of the last map, as in `heads.pool`; the published one is "depthwise".
        dropout: fraction of the features dropped before the bottleneck in training; the published
            network has none.

    Raises:
        ValueError: for an unknown head.
    """
    x = _activated(pixels, 128, 3, "stem_conv", strides=2)
    x = GroupedConvolution(3, groups=64, name="stem_grouped")(x)
    x = prelu(norm("stem_grouped_norm")(x), "stem_grouped")
    for stage, (between, filters, blocks) in enumerate(STAGES, start=1):
        x = _bottleneck(x, between, filters, f"stage{stage}_block1", strides=2)
        for block in range(2, blocks + 2):
            name = f"stage{stage}_block{block}"
            y = _bottleneck(x, filters, filters, name)
            x = keras.layers.Add(name=f"{name}_sum")([x, y])
    x = pool(_activated(x, 512, 1, "last_conv"), head)
    return bottleneck(x, embedding_size, dropout, normed=True, use_bias=False)


def _bottleneck(x: tf.Tensor, between: int, filters: int, name: str, strides: int = 1) -> tf.Tensor:
    y = _activated(x, between, 1, f"{name}_expand")
    if strides > 1:
        y = evenly_padded(y, 3, f"{name}_depthwise")
    padding = "same" if strides == 1 else "valid"
    y = DepthwiseConvolution(3, strides, padding, name=f"{name}_depthwise")(y)
    y = prelu(norm(f"{name}_depthwise_norm")(y), f"{name}_depthwise")
    return convolution(y, filters, 1, f"{name}_project")


def _activated(x: tf.Tensor, filters: int, size: int, name: str, strides: int = 1) -> tf.Tensor:
    return prelu(convolution(x, filters, size, name, strides, padding="even"), name)
