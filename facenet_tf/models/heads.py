"""What becomes of the last map, down to the embedding: the ends that the architectures share."""

from __future__ import annotations

from typing import Any, Literal, get_args

import keras
import tensorflow as tf

from facenet_tf.models.blocks import norm
from facenet_tf.models.depthwise import DepthwiseConvolution

Head = Literal["gap", "depthwise", "flatten", "dense"]


def pool(x: tf.Tensor, head: Head) -> tf.Tensor:
    """Layers from a map [B, H, W, C] to features [B, F].

    Args:
        x: the last map.
        head: "gap" averages it over places, for faces that are not aligned. "depthwise" takes a
            learned weighted sum of each channel, which starts as the average (the global depthwise
            convolution of Chen et al., MobileFaceNets, 2018). "flatten" gives all of it to the
            bottleneck (Deng et al., ArcFace, 2019), which then has most of the parameters; "dense"
            does so without the batch normalisation before it, as older networks do.

    Raises:
        ValueError: for an unknown head.
    """
    if head == "gap":
        return keras.layers.GlobalAveragePooling2D(name="pool")(x)
    if head == "depthwise":
        height, width = x.shape[1:3]
        weights = keras.initializers.Constant(1.0 / (height * width))
        convolution = DepthwiseConvolution(
            (height, width), padding="valid", initializer=weights, name="pool"
        )
        return keras.layers.Flatten(name="flatten")(norm("pool_norm")(convolution(x)))
    if head == "flatten":
        return keras.layers.Flatten(name="flatten")(norm("flatten_norm")(x))
    if head == "dense":
        return keras.layers.Flatten(name="flatten")(x)
    raise ValueError(f"head must be one of {', '.join(get_args(Head))}, not {head!r}")


def bottleneck(
    x: tf.Tensor, embedding_size: int, dropout: float, *, normed: bool = False, **dense: Any
) -> tf.Tensor:
    """The dense layer from features [B, F] to float32 [B, embedding_size].

    Args:
        x: features.
        embedding_size: number of dimensions of the result.
        dropout: fraction of the features dropped before it in training; 0: no such layer.
        normed: whether a batch normalisation follows.
        **dense: what the dense layer takes besides.
    """
    if dropout:
        x = keras.layers.Dropout(dropout, name="dropout")(x)
    x = keras.layers.Dense(embedding_size, dtype="float32", name="bottleneck", **dense)(x)
    if normed:
        x = keras.layers.BatchNormalization(
            momentum=0.9, epsilon=1e-5, dtype="float32", name="bottleneck_norm"
        )(x)
    return x
