"""A small residual network for training from scratch on a CPU.

From 112×112 crops to 128 dimensions with 1,306,208 parameters; 264 million multiply-adds. It was
made for this project; no paper has it.

Its shape follows from what a processor does well: wide 3x3 convolutions on small maps run at a high
rate (in bfloat16 at a higher one, where the processor multiplies matrices), while
element-wise layers on large maps wait for memory. Hence a stem that quarters the side of the
picture at once, and one convolution width per halving of the rest. The residual block is that of
He et al., Deep Residual Learning for Image Recognition, 2016; the shortcut that changes size
averages before it projects, as in He et al., Bag of Tricks, 2019.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from facenet_tf.models.blocks import convolution
from facenet_tf.models.heads import Head, bottleneck, pool
from facenet_tf.models.publication import Published
from facenet_tf.models.registry import register


@register(
    "residual_small",
    Published(paper="none: made for this project", year=2026, size=112, parameters=1_306_208),
)
def residual_small(
    pixels: tf.Tensor,
    embedding_size: int,
    *,
    width: int = 32,
    head: Head = "depthwise",
    dropout: float = 0.0,
) -> tf.Tensor:
    """Layers from normalised pixels [B, H, W, C] to float32 [B, embedding_size].

    Args:
        pixels: normalised pixels.
        embedding_size: number of dimensions of the result.
        width: filters of the first convolution; the three stages have 2, 4 and 6 times as many.
        head: what becomes of the last map, as in `heads.pool`.
        dropout: fraction of the features dropped before the bottleneck in training.

    Raises:
        ValueError: for an unknown head.
    """
    x = _convolution(pixels, width, 3, "stem_conv1", strides=2)
    x = _convolution(x, 2 * width, 3, "stem_conv2", strides=2)
    for stage, (filters, blocks) in enumerate([(2, 2), (4, 2), (6, 1)], start=1):
        for block in range(1, blocks + 1):
            shrink = block == 1 and stage > 1
            x = _residual(x, filters * width, shrink, f"stage{stage}_block{block}")
    x = pool(x, head)
    return bottleneck(x, embedding_size, dropout)


def _residual(x: tf.Tensor, filters: int, shrink: bool, name: str) -> tf.Tensor:
    y = _convolution(x, filters, 3, f"{name}_conv1", strides=2 if shrink else 1)
    y = _convolution(y, filters, 3, f"{name}_conv2", activation=False)
    if shrink:
        x = keras.layers.AveragePooling2D(2, padding="same", name=f"{name}_pool")(x)
        x = _convolution(x, filters, 1, f"{name}_shortcut", activation=False)
    x = keras.layers.Add(name=f"{name}_sum")([x, y])
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def _convolution(
    x: tf.Tensor, filters: int, size: int, name: str, strides: int = 1, activation: bool = True
) -> tf.Tensor:
    x = convolution(x, filters, size, name, strides)
    return keras.layers.ReLU(name=f"{name}_relu")(x) if activation else x
