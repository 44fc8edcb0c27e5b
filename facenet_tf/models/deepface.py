"""DeepFace: Taigman et al., DeepFace: Closing the Gap to Human-Level Performance, 2014, Figure 2.

From 152×152 crops to the 4096 features of its layer F7 with 102,412,864 parameters (118,923,774
with the paper's classifier of 4,030 people), 73 million of them in layers that are connected
locally: an aligned face has other statistics at each place. 501 million multiply-adds. The paper's
crops are turned to the front by a model in three dimensions.

The paper's 97.35 % on LFW are of three such networks with a learned combination; one alone has
97.00 % (Table 3).

F7 ends in ReLU, so that no value of an embedding is negative. The paper drops features of F7
itself, before its classifier, and says no rate; nothing is dropped before F7.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from facenet_tf.models.blocks import check_side
from facenet_tf.models.heads import Head, bottleneck, pool
from facenet_tf.models.locally_connected import LocallyConnected
from facenet_tf.models.publication import Published
from facenet_tf.models.registry import register

SMALLEST = 71
"""Side in pixels below which nothing is left for the last local connection."""


@register(
    "deepface",
    Published(
        paper="Taigman et al., DeepFace, 2014, Figure 2",
        year=2014,
        size=152,
        parameters=102_412_864,
        embedding_size=4096,
        lfw=97.35,
    ),
)
def deepface(
    pixels: tf.Tensor, embedding_size: int, *, head: Head = "dense", dropout: float = 0.0
) -> tf.Tensor:
    """Layers from normalised pixels [B, H, W, C] to float32 [B, embedding_size].

    Args:
        pixels: normalised pixels, H and W at least 71.
        embedding_size: number of dimensions of the result.
        head: what becomes of the last map, as in `heads.pool`; the published one is "dense".
        dropout: fraction of the features dropped before the bottleneck in training; the paper has
            none there.

    Raises:
        ValueError: for an unknown head, or a smaller picture.
    """
    check_side(pixels, SMALLEST)
    x = _convolution(pixels, 32, 11, "c1")
    x = keras.layers.MaxPooling2D(3, 2, padding="same", name="m2")(x)
    x = _convolution(x, 16, 9, "c3")
    x = _local(x, 16, 9, "l4")
    x = _local(x, 16, 7, "l5", strides=2)
    x = _local(x, 16, 5, "l6")
    x = pool(x, head)
    return bottleneck(x, embedding_size, dropout, activation="relu", kernel_initializer="he_normal")


def _convolution(x: tf.Tensor, filters: int, size: int, name: str) -> tf.Tensor:
    x = keras.layers.Conv2D(filters, size, kernel_initializer="he_normal", name=name)(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def _local(x: tf.Tensor, filters: int, size: int, name: str, strides: int = 1) -> tf.Tensor:
    x = LocallyConnected(filters, size, strides, name=name)(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)
