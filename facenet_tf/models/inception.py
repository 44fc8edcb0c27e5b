"""Inception blocks: Szegedy et al., Going Deeper with Convolutions, 2014, as FaceNet has them.

Schroff et al., FaceNet, 2015, Table 2 has a row for each: filters of the 1×1, 3×3 and 5×5
convolutions, of the 1×1 convolutions that reduce what goes into them, and the kind of pooling with
its projection. Every convolution has a bias and is followed by batch normalisation, which takes the
place of the table's local response normalisation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import keras
import tensorflow as tf

from facenet_tf.models.layers import FusedBatchNormalization, L2Pooling


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


def convolution(
    x: tf.Tensor, filters: int, size: int, name: str, strides: int = 1, padding: str = "same"
) -> tf.Tensor:
    """A convolution with its norm and ReLU: [B, H, W, C] to [B, H/strides, W/strides, filters]."""
    x = keras.layers.Conv2D(filters, size, strides, padding=padding, name=name)(x)
    x = FusedBatchNormalization(epsilon=1e-5, momentum=0.9, name=f"{name}_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def pooling(x: tf.Tensor, block: Block, name: str) -> tf.Tensor:
    """The branch that pools: [B, H, W, C] to [B, H/strides, W/strides, projection or C]."""
    if block.pooling == "l2":
        x = L2Pooling(3, block.strides, name=f"{name}_pool")(x)
    else:
        x = keras.layers.MaxPooling2D(3, block.strides, padding="same", name=f"{name}_pool")(x)
    return convolution(x, block.projection, 1, f"{name}_projection") if block.projection else x


def inception(
    x: tf.Tensor,
    block: Block,
    convolution: Callable[..., Any] = convolution,
    pooling: Callable[[tf.Tensor, Block, str], tf.Tensor] = pooling,
    order: Sequence[str] = ("1x1", "3x3", "5x5", "pool"),
) -> tf.Tensor:
    """A block of up to four branches, joined by channel.

    Args:
        x: [B, H, W, C].
        block: the row of the table.
        convolution, pooling: what branches are made of, in place of those above.
        order: of the branches in the channels; that of the table unless said.

    Returns:
        [B, H/strides, W/strides, channels of all branches].
    """
    name = f"inception_{block.name}"
    branches = {}
    if block.conv_1x1:
        branches["1x1"] = convolution(x, block.conv_1x1, 1, f"{name}_1x1")
    y = convolution(x, block.reduce_3x3, 1, f"{name}_3x3_reduce")
    branches["3x3"] = convolution(y, block.conv_3x3, 3, f"{name}_3x3", block.strides)
    if block.conv_5x5:
        y = convolution(x, block.reduce_5x5, 1, f"{name}_5x5_reduce")
        branches["5x5"] = convolution(y, block.conv_5x5, 5, f"{name}_5x5", block.strides)
    branches["pool"] = pooling(x, block, name)
    joined = [branches[branch] for branch in order if branch in branches]
    return keras.layers.Concatenate(name=name)(joined)
