"""SphereFace: Liu et al., SphereFace, 2017, Table 2.

| name | units | parameters | multiply-adds |
|---|---|---|---|
| SphereFace-20 | 1, 2, 4, 1 | 22,670,656 | 1.75 billion |
| SphereFace-64 | 3, 7, 16, 3 | 47,905,088 | 5.91 billion |

From crops of 112×96 to 512 dimensions. A stage begins with a convolution that halves the map; its
units are two convolutions whose result is added. Each convolution has a bias and PReLU, and there
is no batch normalisation; so the convolutions of the units start near 0, as the authors have them.
Their own files keep the biases of the units at 0; here they are trained, as in PyTorch.

The table gives the second stage of SphereFace-64 8 units, and with them 64 convolutions; the
network that its authors published has 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import keras
import tensorflow as tf

from facenet_tf.models.blocks import evenly_padded, prelu
from facenet_tf.models.heads import Head, bottleneck, pool
from facenet_tf.models.publication import Published
from facenet_tf.models.registry import register

FILTERS = (64, 128, 256, 512)
"""Of the four stages."""


def network(
    pixels: tf.Tensor,
    embedding_size: int,
    *,
    units: Sequence[int],
    head: Head = "dense",
    dropout: float = 0.0,
) -> tf.Tensor:
    """Layers from normalised pixels [B, H, W, C] to float32 [B, embedding_size].

    Args:
        pixels: normalised pixels.
        embedding_size: number of dimensions of the result.
        units: how many each of the four stages has.
        head: what becomes of the last map, as in `heads.pool`; the published one is "dense".
        dropout: fraction of the features dropped before the bottleneck in training; the paper has
            none.

    Raises:
        ValueError: for an unknown head.
    """
    x = pixels
    for stage, (count, filters) in enumerate(zip(units, FILTERS, strict=True), start=1):
        name = f"stage{stage}"
        x = evenly_padded(x, 3, f"{name}_conv")
        x = _convolution(x, filters, f"{name}_conv", "glorot_uniform", 2, "valid")
        for number in range(1, count + 1):
            x = _unit(x, filters, f"{name}_unit{number}")
    x = pool(x, head)
    return bottleneck(x, embedding_size, dropout)


def _unit(x: tf.Tensor, filters: int, name: str) -> tf.Tensor:
    y = x
    for number in (1, 2):
        small = keras.initializers.RandomNormal(stddev=0.01)
        y = _convolution(y, filters, f"{name}_conv{number}", small)
    return keras.layers.Add(name=f"{name}_sum")([x, y])


def _convolution(
    x: tf.Tensor,
    filters: int,
    name: str,
    initializer: str | keras.initializers.Initializer,
    strides: int = 1,
    padding: str = "same",
) -> tf.Tensor:
    x = keras.layers.Conv2D(
        filters, 3, strides, padding=padding, kernel_initializer=initializer, name=name
    )(x)
    return prelu(x, name)


_paper = partial(
    Published, "Liu et al., SphereFace, 2017, Table 2", 2017, 112, width=96, embedding_size=512
)

register("sphereface20", _paper(parameters=22_670_656))(partial(network, units=(1, 2, 4, 1)))
register("sphereface64", _paper(parameters=47_905_088, lfw=99.42))(
    partial(network, units=(3, 7, 16, 3))
)
