"""FaceNet's Inception networks: Schroff et al., FaceNet, 2015, Table 2 and section 3.3.

| name | input | parameters | multiply-adds | the paper | |
|---|---|---|---|---|---|
| NN2 | 224 | 7,472,144 | 1,597 million | 7.5, 1,600 million | the table |
| NN3 | 160 | 7,472,144 | 815 million | | the table |
| NN4 | 96 | 6,959,088 | 289 million | 285 million | no 5×5 in 5a and 5b |
| NNS1 | 165 | 25,699,800 | 221 million | 26, 220 million | half as wide, seven blocks |
| NNS2 | 140×116 | 4,247,232 | 22 million | 4.3, 20 million | a quarter as wide, five |

All to 128 dimensions. Of NN4 the paper says that it "does not use 5x5 convolutions in the higher
layers"; OpenFace reads it like this too. Of NNS1 and NNS2 it says only that depth and filters are
reduced, and the two figures: so many parameters for so few multiplications must lie in a fully
connected layer, as in NN1, and the filters follow from the rest.

NN2 to NN4 average what is left of the input, so that any size will do.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial

import keras
import tensorflow as tf

from facenet_tf.models.heads import Head, bottleneck, pool
from facenet_tf.models.inception import Block, convolution, inception
from facenet_tf.models.publication import Published
from facenet_tf.models.registry import register

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
NN4_BLOCKS = (
    *BLOCKS[:-2],
    *(dataclasses.replace(block, reduce_5x5=0, conv_5x5=0) for block in BLOCKS[-2:]),
)
NNS1_BLOCKS = (
    Block("3a", 32, 48, 64, 8, 16, "max", 16),
    Block("3b", 32, 48, 64, 16, 32, "l2", 32),
    Block("3c", 0, 64, 128, 16, 32, "max", 0, strides=2),
    Block("4a", 128, 48, 96, 16, 32, "l2", 64),
    Block("4e", 0, 80, 128, 32, 64, "max", 0, strides=2),
    Block("5a", 192, 96, 192, 24, 64, "l2", 64),
    Block("5b", 192, 96, 192, 24, 64, "max", 64),
)
NNS2_BLOCKS = (
    Block("3a", 16, 24, 32, 4, 8, "max", 8),
    Block("3c", 0, 32, 64, 8, 16, "max", 0, strides=2),
    Block("4a", 64, 24, 48, 8, 16, "l2", 32),
    Block("4e", 0, 40, 64, 16, 32, "max", 0, strides=2),
    Block("5a", 96, 48, 96, 12, 32, "l2", 32),
)


def network(
    pixels: tf.Tensor,
    embedding_size: int,
    *,
    stem: tuple[int, int],
    blocks: Sequence[Block],
    hidden: int,
    head: Head = "gap",
    dropout: float = 0.0,
) -> tf.Tensor:
    """Layers from normalised pixels [B, H, W, C] to float32 [B, embedding_size].

    Args:
        pixels: normalised pixels.
        embedding_size: number of dimensions of the result.
        stem: filters of its first two convolutions, and of the third.
        blocks: rows of the table after the stem.
        hidden: units of a fully connected layer before the bottleneck; 0: there is none.
        head: what becomes of the last map, as in `heads.pool`.
        dropout: fraction of the features dropped before the bottleneck in training; the paper has
            none.

    Raises:
        ValueError: for an unknown head.
    """
    x = convolution(pixels, stem[0], 7, "stem_conv1", strides=2)
    x = keras.layers.MaxPooling2D(3, 2, padding="same", name="stem_pool1")(x)
    x = convolution(x, stem[0], 1, "stem_conv2_reduce")
    x = convolution(x, stem[1], 3, "stem_conv2")
    x = keras.layers.MaxPooling2D(3, 2, padding="same", name="stem_pool2")(x)
    for block in blocks:
        x = inception(x, block)
    x = pool(x, head)
    if hidden:
        x = keras.layers.Dense(hidden, kernel_initializer="he_normal", name="hidden")(x)
        x = keras.layers.ReLU(name="hidden_relu")(x)
    return bottleneck(x, embedding_size, dropout)


_averaged = partial(partial, network, stem=(64, 192), hidden=0)
_paper = partial(Published, "Schroff et al., FaceNet, 2015, Table 2", 2015)
_described = partial(Published, "Schroff et al., FaceNet, 2015, section 3.3", 2015, verified=False)

register("nn2", _paper(224, 7_472_144))(_averaged(blocks=BLOCKS))
register("nn3", _paper(160, 7_472_144))(_averaged(blocks=BLOCKS))
register("nn4", _described(96, 6_959_088))(_averaged(blocks=NN4_BLOCKS))
register("nns1", _described(165, 25_699_800))(
    partial(network, stem=(32, 96), blocks=NNS1_BLOCKS, hidden=1312, head="dense")
)
register("nns2", _described(140, 4_247_232, width=116))(
    partial(network, stem=(8, 32), blocks=NNS2_BLOCKS, hidden=768, head="dense")
)
