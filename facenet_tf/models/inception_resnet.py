"""Inception-ResNet: Szegedy et al., Inception-v4, Inception-ResNet and the Impact of Residual
Connections on Learning, 2016, as FaceNet projects have it.

| name | blocks | parameters | multiply-adds |
|---|---|---|---|
| Inception-ResNet-v1 | 5, 10, 5 and 1 | 23,467,824 | 1.42 billion |
| Inception-ResNet-v2 | 10, 20, 9 and 1 | 55,063,136 | 2.88 billion |

From 160×160 crops to 512 dimensions. The paper gives the blocks (Figures 10 to 19); the networks
with their sizes in common use are those of TF-slim, which davidsandberg's facenet took over, from
which facenet-pytorch converted its own. Residuals are scaled by 0.17, 0.10 and 0.20, the last
8-block has neither scale nor activation, and batch normalisation has no scales. facenet-pytorch's
v1 has them: 14,800 more.

Smaller crops down to 75 pixels will do; the blocks bear the names of the sides at 299 pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import keras
import tensorflow as tf

from facenet_tf.models.blocks import check_side
from facenet_tf.models.heads import Head, bottleneck, pool
from facenet_tf.models.layers import FusedBatchNormalization, ScaledSum
from facenet_tf.models.publication import Published
from facenet_tf.models.registry import register

SMALLEST = 75
"""Side in pixels below which nothing is left for the last reduction."""
MOMENTUM = 0.9
"""Of batch norms, as in facenet-pytorch. With davidsandberg's 0.995 a third of the statistics is
still what they began with after 200 steps, and validation measures that."""


@dataclass(frozen=True)
class Version:
    """How many blocks there are of each kind, and the filters in which the two versions differ."""

    blocks35: int
    blocks17: int
    blocks8: int
    block35: tuple[int, int]
    """Last two convolutions of the third branch."""
    reduction_a: tuple[int, int, int]
    """Second branch."""
    block17: tuple[int, int, int, int]
    """The first branch, then the second."""
    reduction_b: tuple[int, int, int]
    """Last convolution of the second branch, last two of the third."""
    block8: tuple[int, int]
    """Last two convolutions of the second branch."""


V1 = Version(5, 10, 5, (32, 32), (192, 192, 256), (128, 128, 128, 128), (256, 256, 256), (192, 192))
V2 = Version(
    10, 20, 9, (48, 64), (256, 256, 384), (192, 128, 160, 192), (288, 288, 320), (224, 256)
)


def network(
    pixels: tf.Tensor,
    embedding_size: int,
    *,
    version: Version,
    head: Head = "gap",
    dropout: float = 0.2,
) -> tf.Tensor:
    """Layers from normalised pixels [B, H, W, C] to float32 [B, embedding_size].

    Args:
        pixels: normalised pixels, H and W at least 75.
        embedding_size: number of dimensions of the result.
        version: what there is of each kind of block.
        head: what becomes of the last map, as in `heads.pool`; the published one is "gap".
        dropout: fraction of the features dropped before the bottleneck in training; 0.2 is that of
            the paper's Figure 15 and of davidsandberg's code, facenet-pytorch has 0.6.

    Raises:
        ValueError: for an unknown head, or a smaller picture.
    """
    check_side(pixels, SMALLEST)
    x = _stem(pixels, version)
    for number in range(1, version.blocks35 + 1):
        x = _block35(x, version, f"block35_{number}")
    x = _reduction_a(x, version)
    for number in range(1, version.blocks17 + 1):
        x = _block17(x, version, f"block17_{number}")
    x = _reduction_b(x, version)
    for number in range(1, version.blocks8 + 1):
        x = _block8(x, version, f"block8_{number}")
    x = _block8(x, version, f"block8_{version.blocks8 + 1}", scale=1.0, activation=False)
    if version == V2:
        x = _convolution(x, 1536, 1, "conv_7b")
    x = pool(x, head)
    x = bottleneck(x, embedding_size, dropout, use_bias=False)
    return keras.layers.BatchNormalization(
        momentum=MOMENTUM, epsilon=1e-3, scale=False, dtype="float32", name="bottleneck_norm"
    )(x)


def _stem(x: tf.Tensor, version: Version) -> tf.Tensor:
    x = _convolution(x, 32, 3, "stem_conv1a", 2, "valid")
    x = _convolution(x, 32, 3, "stem_conv2a", padding="valid")
    x = _convolution(x, 64, 3, "stem_conv2b")
    x = keras.layers.MaxPooling2D(3, 2, name="stem_pool3a")(x)
    x = _convolution(x, 80, 1, "stem_conv3b")
    x = _convolution(x, 192, 3, "stem_conv4a", padding="valid")
    if version == V1:
        return _convolution(x, 256, 3, "stem_conv4b", 2, "valid")
    return _mixed_5b(keras.layers.MaxPooling2D(3, 2, name="stem_pool5a")(x))


def _mixed_5b(x: tf.Tensor) -> tf.Tensor:
    a = _convolution(x, 96, 1, "mixed_5b_a1")
    b = _chain(x, "mixed_5b_b", [(48, 1), (64, 5)])
    c = _chain(x, "mixed_5b_c", [(64, 1), (96, 3), (96, 3)])
    d = keras.layers.AveragePooling2D(3, 1, padding="same", name="mixed_5b_pool")(x)
    d = _convolution(d, 64, 1, "mixed_5b_d1")
    return keras.layers.Concatenate(name="mixed_5b")([a, b, c, d])


def _block35(x: tf.Tensor, version: Version, name: str) -> tf.Tensor:
    second, third = version.block35
    a = _convolution(x, 32, 1, f"{name}_a1")
    b = _chain(x, f"{name}_b", [(32, 1), (32, 3)])
    c = _chain(x, f"{name}_c", [(32, 1), (second, 3), (third, 3)])
    return _residual(x, [a, b, c], name, scale=0.17)


def _block17(x: tf.Tensor, version: Version, name: str) -> tf.Tensor:
    only, first, second, third = version.block17
    a = _convolution(x, only, 1, f"{name}_a1")
    b = _chain(x, f"{name}_b", [(first, 1), (second, (1, 7)), (third, (7, 1))])
    return _residual(x, [a, b], name, scale=0.10)


def _block8(
    x: tf.Tensor, version: Version, name: str, scale: float = 0.20, activation: bool = True
) -> tf.Tensor:
    second, third = version.block8
    a = _convolution(x, 192, 1, f"{name}_a1")
    b = _chain(x, f"{name}_b", [(192, 1), (second, (1, 3)), (third, (3, 1))])
    return _residual(x, [a, b], name, scale, activation)


def _reduction_a(x: tf.Tensor, version: Version) -> tf.Tensor:
    first, second, third = version.reduction_a
    a = _convolution(x, 384, 3, "mixed_6a_a1", 2, "valid")
    b = _chain(x, "mixed_6a_b", [(first, 1), (second, 3)])
    b = _convolution(b, third, 3, "mixed_6a_b3", 2, "valid")
    return _reduced(x, [a, b], "mixed_6a")


def _reduction_b(x: tf.Tensor, version: Version) -> tf.Tensor:
    b2, c2, c3 = version.reduction_b
    a = _convolution(x, 256, 1, "mixed_7a_a1")
    a = _convolution(a, 384, 3, "mixed_7a_a2", 2, "valid")
    b = _convolution(x, 256, 1, "mixed_7a_b1")
    b = _convolution(b, b2, 3, "mixed_7a_b2", 2, "valid")
    c = _chain(x, "mixed_7a_c", [(256, 1), (c2, 3)])
    c = _convolution(c, c3, 3, "mixed_7a_c3", 2, "valid")
    return _reduced(x, [a, b, c], "mixed_7a")


def _reduced(x: tf.Tensor, branches: list[tf.Tensor], name: str) -> tf.Tensor:
    pooled = keras.layers.MaxPooling2D(3, 2, name=f"{name}_pool")(x)
    return keras.layers.Concatenate(name=name)([*branches, pooled])


def _residual(
    x: tf.Tensor, branches: list[tf.Tensor], name: str, scale: float, activation: bool = True
) -> tf.Tensor:
    joined = keras.layers.Concatenate(name=f"{name}_concat")(branches)
    change = keras.layers.Conv2D(x.shape[-1], 1, name=f"{name}_up")(joined)
    x = ScaledSum(scale, name=f"{name}_sum")([x, change])
    return keras.layers.ReLU(name=f"{name}_relu")(x) if activation else x


def _chain(
    x: tf.Tensor, name: str, convolutions: list[tuple[int, int | tuple[int, int]]]
) -> tf.Tensor:
    for number, (filters, size) in enumerate(convolutions, start=1):
        x = _convolution(x, filters, size, f"{name}{number}")
    return x


def _convolution(
    x: tf.Tensor,
    filters: int,
    size: int | tuple[int, int],
    name: str,
    strides: int = 1,
    padding: str = "same",
) -> tf.Tensor:
    x = keras.layers.Conv2D(filters, size, strides, padding=padding, use_bias=False, name=name)(x)
    x = FusedBatchNormalization(scale=False, momentum=MOMENTUM, epsilon=1e-3, name=f"{name}_norm")(
        x
    )
    return keras.layers.ReLU(name=f"{name}_relu")(x)


_paper = partial(
    Published,
    "Szegedy et al., Inception-v4, 2016, Figures 10 to 19; davidsandberg's facenet",
    2016,
    160,
    embedding_size=512,
)

register("inception_resnet_v1", _paper(parameters=23_467_824, lfw=99.65))(
    partial(network, version=V1)
)
register("inception_resnet_v2", _paper(parameters=55_063_136))(partial(network, version=V2))
