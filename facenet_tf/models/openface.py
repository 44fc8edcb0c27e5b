"""OpenFace: Amos et al., OpenFace, 2016, as its definitions for Torch have the networks.

| name | blocks | parameters | multiply-adds |
|---|---|---|---|
| nn4 | those of FaceNet's NN4 | 6,959,088 | 274 million |
| nn4.small1 | without 4c and 4d | 5,579,520 | 229 million |
| nn4.small2 | without 4b too, smaller last ones | 3,733,968 | 200 million |

From 96×96 crops to 128 dimensions. They differ from FaceNet's NN4 in what Torch does by itself, and
weights trained there rely on it: what pools has no padding, takes steps as long as its window (of
two where it is the maximum), and the small map that comes out stands in the middle of zeros;
convolutions with a stride are padded evenly; L2 pooling is the root of the sum of squares, not of
their mean; channels are joined in another order; and there is local response normalisation in the
stem beside batch normalisation. Crops of 65 pixels and more will do.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial

import keras
import tensorflow as tf

from facenet_tf.models.blocks import check_side, evenly_padded
from facenet_tf.models.facenet import NN4_BLOCKS
from facenet_tf.models.heads import Head, bottleneck, pool
from facenet_tf.models.inception import Block, convolution, inception
from facenet_tf.models.layers import L2Pooling
from facenet_tf.models.local_response import LocalResponseNormalization
from facenet_tf.models.publication import Published
from facenet_tf.models.registry import register

SMALL1_BLOCKS = tuple(block for block in NN4_BLOCKS if block.name not in ("4c", "4d"))
SMALL2_BLOCKS = tuple(
    dataclasses.replace(block, conv_1x1=256, reduce_3x3=96, projection=96)
    if block.name.startswith("5")
    else block
    for block in SMALL1_BLOCKS
    if block.name != "4b"
)
SMALLEST = 65
"""Side in pixels below which nothing is left for the last pooling."""


def network(
    pixels: tf.Tensor,
    embedding_size: int,
    *,
    blocks: Sequence[Block],
    head: Head = "gap",
    dropout: float = 0.0,
) -> tf.Tensor:
    """Layers from normalised pixels [B, H, W, C] to float32 [B, embedding_size].

    Args:
        pixels: normalised pixels.
        embedding_size: number of dimensions of the result.
        blocks: rows of the table after the stem.
        head: what becomes of the last map, as in `heads.pool`.
        dropout: fraction of the features dropped before the bottleneck in training; the published
            networks have none.

    Raises:
        ValueError: for an unknown head, or a smaller picture.
    """
    check_side(pixels, SMALLEST)
    x = _convolution(pixels, 64, 7, "stem_conv1", strides=2)
    x = LocalResponseNormalization(name="stem_response1")(_halved(x, "stem_pool1"))
    x = _convolution(x, 64, 1, "stem_conv2_reduce")
    x = _convolution(x, 192, 3, "stem_conv2")
    x = _halved(LocalResponseNormalization(name="stem_response2")(x), "stem_pool2")
    for block in blocks:
        x = inception(x, block, _convolution, _pooling, order=("3x3", "5x5", "pool", "1x1"))
    x = pool(x, head)
    return bottleneck(x, embedding_size, dropout)


def _halved(x: tf.Tensor, name: str) -> tf.Tensor:
    x = evenly_padded(x, 3, name)  # no value is below 0
    return keras.layers.MaxPooling2D(3, 2, name=name)(x)


def _convolution(x: tf.Tensor, filters: int, size: int, name: str, strides: int = 1) -> tf.Tensor:
    if strides == 1:
        return convolution(x, filters, size, name)
    x = evenly_padded(x, size, name)
    return convolution(x, filters, size, name, strides, padding="valid")


def _pooling(x: tf.Tensor, block: Block, name: str) -> tf.Tensor:
    sides = [-(-side // block.strides) for side in x.shape[1:3]]
    if block.pooling == "l2":
        x = L2Pooling(3, 3, padding="valid", reduction="sum", name=f"{name}_pool")(x)
    else:
        x = keras.layers.MaxPooling2D(3, 2, name=f"{name}_pool")(x)
    if block.projection:
        x = convolution(x, block.projection, 1, f"{name}_projection")
    lacking = [side - found for side, found in zip(sides, x.shape[1:3], strict=True)]
    padding = tuple((rows // 2, rows - rows // 2) for rows in lacking)
    return keras.layers.ZeroPadding2D(padding, name=f"{name}_pool_pad")(x)


_published = partial(
    Published, "Amos et al., OpenFace, 2016, models/openface", 2016, 96, normalization="openface"
)

register("openface_nn4", _published(6_959_088, lfw=91.57))(partial(network, blocks=NN4_BLOCKS))
register("openface_nn4_small1", _published(5_579_520, lfw=92.10))(
    partial(network, blocks=SMALL1_BLOCKS)
)
register("openface_nn4_small2", _published(3_733_968, lfw=92.92))(
    partial(network, blocks=SMALL2_BLOCKS)
)
