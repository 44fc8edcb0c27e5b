"""VGG-Face: Parkhi et al., Deep Face Recognition, 2015, Table 3, network A.

The network of Simonyan and Zisserman, Very Deep Convolutional Networks, 2014, with 16 layers. From
224×224 crops to the 4096 features of its layer fc7 with 134,260,544 parameters (145,002,878 with
the classifier of 2,622 people), of which 120 million lie in fc6 and fc7; 15.5 billion
multiply-adds.

fc7 ends in ReLU, so that no value of an embedding is negative. The paper's 98.95 % on LFW are of a
linear projection of it to 1024 dimensions, learned with triplets.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from facenet_tf.models.blocks import check_side
from facenet_tf.models.heads import Head, bottleneck, pool
from facenet_tf.models.publication import Published
from facenet_tf.models.registry import register

SMALLEST = 32
"""Side in pixels below which nothing is left after five poolings."""
BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
"""Convolutions and their filters."""


@register(
    "vgg_face",
    Published(
        paper="Parkhi et al., Deep Face Recognition, 2015, Table 3",
        year=2015,
        size=224,
        parameters=134_260_544,
        embedding_size=4096,
        lfw=98.95,
        normalization="vgg_face",
    ),
)
def vgg_face(
    pixels: tf.Tensor,
    embedding_size: int,
    *,
    width: int = 4096,
    head: Head = "dense",
    dropout: float = 0.5,
) -> tf.Tensor:
    """Layers from normalised pixels [B, H, W, C] to float32 [B, embedding_size].

    Args:
        pixels: normalised pixels, H and W at least 32.
        embedding_size: number of dimensions of the result.
        width: units of fc6.
        head: what becomes of the last map, as in `heads.pool`; the published one is "dense".
        dropout: fraction of the features dropped before the bottleneck in training; 0.5 is the
            paper's.

    Raises:
        ValueError: for an unknown head, or a smaller picture.
    """
    check_side(pixels, SMALLEST)
    x = pixels
    for stage, (count, filters) in enumerate(BLOCKS, start=1):
        for number in range(1, count + 1):
            name = f"conv{stage}_{number}"
            x = keras.layers.Conv2D(
                filters, 3, padding="same", kernel_initializer="he_normal", name=name
            )(x)
            x = keras.layers.ReLU(name=f"{name}_relu")(x)
        x = keras.layers.MaxPooling2D(2, name=f"pool{stage}")(x)
    x = keras.layers.Dense(width, kernel_initializer="he_normal", name="fc6")(pool(x, head))
    x = keras.layers.ReLU(name="fc6_relu")(x)
    return bottleneck(x, embedding_size, dropout, activation="relu", kernel_initializer="he_normal")
