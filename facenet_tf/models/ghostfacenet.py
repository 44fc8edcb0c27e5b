"""GhostFaceNets: Alansari et al., GhostFaceNets, 2023.

| name | strides of the stem | parameters | multiply-adds |
|---|---|---|---|
| GhostFaceNetV1 | 1 | 4,059,748 | 212 million |
| | 2 | 4,037,836 | 59 million |
| GhostFaceNetV2 | 1 | 6,795,720 | 267 million |
| | 2 | 6,754,536 | 75 million |

From 112×112 crops to 512 dimensions, at 1.3 times the filters of the table below. They are GhostNet
(Han et al., GhostNet, 2020, Table 1) and GhostNetV2 (Tang et al., GhostNetV2, 2022) with PReLU in
place of ReLU, and with MobileFaceNet's end. A ghost module computes half of its channels by a 1×1
convolution and the other half from those by a depthwise one; in the second version the first module
of a block is multiplied by an attention that looks along rows and columns of the halved map.

Layers and their filters are those of the authors' code, where the last block of the first version
is narrower than GhostNet's; the 215.7 and 60.3 million operations that they report are not of
convolutions alone. The paper calls the networks V1-1.3-1 and so on: version, multiple, strides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from facenet_tf.models.blocks import convolution, depthwise, prelu, squeeze_and_excite
from facenet_tf.models.heads import Head, bottleneck, pool
from facenet_tf.models.publication import Published
from facenet_tf.models.registry import register


@dataclass(frozen=True)
class Block:
    """One row of the table, before the multiple of the filters."""

    kernel: int
    expansion: int
    filters: int
    excited: bool = False
    strides: int = 1


BLOCKS = (
    Block(3, 16, 16),
    Block(3, 48, 24, strides=2),
    Block(3, 72, 24),
    Block(5, 72, 40, excited=True, strides=2),
    Block(5, 120, 40, excited=True),
    Block(3, 240, 80, strides=2),
    Block(3, 200, 80),
    Block(3, 184, 80),
    Block(3, 184, 80),
    Block(3, 480, 112, excited=True),
    Block(3, 672, 112, excited=True),
    Block(5, 672, 160, excited=True, strides=2),
    Block(5, 960, 160),
    Block(5, 960, 160, excited=True),
    Block(5, 960, 160),
)
"""All but the last, which the versions have of their own; it is excited too."""
WITHOUT_ATTENTION = 2
"""First blocks that are the same in both versions."""


@keras.saving.register_keras_serializable("facenet_tf")
class NearestResize(keras.layers.Layer):
    """Each place of [B, H, W, C] from the nearest one of the input.

    Keras' own layer makes the batch normalisation after it take the batch for training.
    """

    def __init__(self, height: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.height, self.width = height, width

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """[B, h, w, C] to [B, H, W, C] of the same type."""
        return tf.image.resize(inputs, [self.height, self.width], "nearest")

    def get_config(self) -> dict[str, Any]:
        """Config with both sides."""
        return {**super().get_config(), "height": self.height, "width": self.width}


def network(
    pixels: tf.Tensor,
    embedding_size: int,
    *,
    last: int,
    attention: bool,
    multiplier: float = 1.3,
    strides: int = 1,
    head: Head = "depthwise",
    dropout: float = 0.0,
) -> tf.Tensor:
    """Layers from normalised pixels [B, H, W, C] to float32 [B, embedding_size].

    Args:
        pixels: normalised pixels; in the second version H and W are more than 16 times the strides.
        embedding_size: number of dimensions of the result.
        last: expansion of the last block, and filters of the convolution after it.
        attention: whether blocks from the third on have that of the second version.
        multiplier: of all filters.
        strides: of the first convolution, 1 or 2.
        head: what becomes of the last map, as in `heads.pool`; the published one is "depthwise".
        dropout: fraction of the features dropped before the bottleneck in training; the paper has
            none.

    Raises:
        ValueError: for an unknown head, other strides, or a smaller picture.
    """
    if strides not in (1, 2):
        raise ValueError(f"strides must be 1 or 2, not {strides!r}")
    if attention and min(pixels.shape[1:3]) <= 16 * strides:
        side = min(pixels.shape[1:3])
        raise ValueError(f"needs crops of more than {16 * strides} pixels, not {side}")
    x = convolution(pixels, _filters(16 * multiplier), 3, "stem_conv", strides)
    x = prelu(x, "stem_conv")
    blocks = (*BLOCKS, Block(5, last, 160, excited=True))
    for number, block in enumerate(blocks, start=1):
        attentive = attention and number > WITHOUT_ATTENTION
        x = _block(x, block, multiplier, attentive, f"block{number}")
    x = prelu(convolution(x, _filters(last * multiplier), 1, "last_conv"), "last_conv")
    x = pool(x, head)
    return bottleneck(x, embedding_size, dropout, normed=True, use_bias=False)


def _block(x: tf.Tensor, block: Block, multiplier: float, attentive: bool, name: str) -> tf.Tensor:
    expansion, filters = (_filters(n * multiplier) for n in (block.expansion, block.filters))
    y = _ghost(x, expansion, f"{name}_ghost1", active=True)
    if attentive:
        weights = _attention(x, expansion, f"{name}_ghost1_attention")
        y = keras.layers.Multiply(name=f"{name}_ghost1_scale")([y, weights])
    if block.strides > 1:
        y = depthwise(y, block.kernel, f"{name}_depthwise", block.strides)
    if block.excited:
        y = squeeze_and_excite(y, _filters(expansion / 4), f"{name}_excite", "hard_sigmoid")
    y = _ghost(y, filters, f"{name}_ghost2", active=False)
    if block.strides > 1 or x.shape[-1] != filters:
        x = depthwise(x, block.kernel, f"{name}_shortcut_depthwise", block.strides)
        x = convolution(x, filters, 1, f"{name}_shortcut_conv")
    return keras.layers.Add(name=f"{name}_sum")([x, y])


def _ghost(x: tf.Tensor, filters: int, name: str, active: bool) -> tf.Tensor:
    x = convolution(x, filters // 2, 1, f"{name}_conv")
    x = prelu(x, f"{name}_conv") if active else x
    y = depthwise(x, 3, f"{name}_cheap")
    y = prelu(y, f"{name}_cheap") if active else y
    return keras.layers.Concatenate(name=f"{name}_concat")([x, y])


def _attention(x: tf.Tensor, filters: int, name: str) -> tf.Tensor:
    """The decoupled fully connected attention of GhostNetV2, section 4.1: weights in 0…1."""
    y = keras.layers.AveragePooling2D(2, name=f"{name}_pool")(x)
    y = convolution(y, filters, 1, f"{name}_conv")
    y = depthwise(y, (1, 5), f"{name}_across")
    y = depthwise(y, (5, 1), f"{name}_down")
    y = keras.layers.Activation("sigmoid", name=f"{name}_sigmoid")(y)
    height, width = x.shape[1:3]
    return NearestResize(height, width, name=f"{name}_resize")(y)


def _filters(wanted: float) -> int:
    """The multiple of 4 that is nearest, and not below nine tenths of what is wanted."""
    nearest = max(4, math.floor(wanted + 2) // 4 * 4)
    return nearest + 4 if nearest < 0.9 * wanted else nearest


_paper = partial(
    Published,
    "Alansari et al., GhostFaceNets, 2023; the authors' code",
    2023,
    112,
    embedding_size=512,
)

register("ghostfacenet_v1", _paper(parameters=4_059_748, lfw=99.77))(
    partial(network, last=512, attention=False)
)
register("ghostfacenet_v2", _paper(parameters=6_795_720))(
    partial(network, last=960, attention=True)
)
