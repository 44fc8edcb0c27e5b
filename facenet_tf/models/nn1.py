"""FaceNet NN1: Schroff et al., FaceNet, 2015, Table 1.

The network of Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, 2013, with
1×1 convolutions in between. From 220×220 crops to 128 dimensions with 140,025,664 parameters:
140,006,592 weights (the paper: 140 million), of which 136 million lie in the two fully connected
layers, and 19,072 biases; 1.6 billion multiply-adds. There is no batch normalisation in it.

Maxout (Goodfellow et al., Maxout Networks, 2013) takes the larger of two units each.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from facenet_tf.models.heads import Head, bottleneck, pool
from facenet_tf.models.local_response import LocalResponseNormalization
from facenet_tf.models.publication import Published
from facenet_tf.models.registry import register


@keras.saving.register_keras_serializable("facenet_tf")
class Maxout(keras.layers.Layer):
    """The largest of each `pieces` neighbouring features."""

    def __init__(self, pieces: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pieces = pieces

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """[B, F] to [B, F / pieces] of the same type."""
        features = inputs.shape[-1] // self.pieces
        return tf.reduce_max(tf.reshape(inputs, [-1, features, self.pieces]), axis=-1)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, int]:
        """Shape of the output, with or without a batch size."""
        batch, features = input_shape
        return batch, features // self.pieces

    def get_config(self) -> dict[str, Any]:
        """Config with the number of pieces."""
        return {**super().get_config(), "pieces": self.pieces}


@register(
    "nn1", Published("Schroff et al., FaceNet, 2015, Table 1", 2015, 220, parameters=140_025_664)
)
def nn1(
    pixels: tf.Tensor,
    embedding_size: int,
    *,
    width: int = 4096,
    head: Head = "dense",
    dropout: float = 0.0,
) -> tf.Tensor:
    """Layers from normalised pixels [B, H, W, C] to float32 [B, embedding_size].

    Args:
        pixels: normalised pixels.
        embedding_size: number of dimensions of the result.
        width: features of each of the two fully connected layers, after maxout.
        head: what becomes of the last map, as in `heads.pool`; the published one is "dense".
        dropout: fraction of the features dropped before the bottleneck in training; the paper has
            none.

    Raises:
        ValueError: for an unknown head.
    """
    x = _pool(_convolution(pixels, 64, 7, "conv1", strides=2), "pool1")
    x = LocalResponseNormalization(name="response1")(x)
    x = _convolution(_convolution(x, 64, 1, "conv2a"), 192, 3, "conv2")
    x = _pool(LocalResponseNormalization(name="response2")(x), "pool2")
    x = _pool(_convolution(_convolution(x, 192, 1, "conv3a"), 384, 3, "conv3"), "pool3")
    x = _convolution(_convolution(x, 384, 1, "conv4a"), 256, 3, "conv4")
    x = _convolution(_convolution(x, 256, 1, "conv5a"), 256, 3, "conv5")
    x = _pool(_convolution(_convolution(x, 256, 1, "conv6a"), 256, 3, "conv6"), "pool4")
    x = pool(x, head)
    for name in ("fc1", "fc2"):
        x = keras.layers.Dense(2 * width, kernel_initializer="he_normal", name=name)(x)
        x = Maxout(2, name=f"{name}_maxout")(x)
    return bottleneck(x, embedding_size, dropout)


def _convolution(x: tf.Tensor, filters: int, size: int, name: str, strides: int = 1) -> tf.Tensor:
    x = keras.layers.Conv2D(
        filters, size, strides, padding="same", kernel_initializer="he_normal", name=name
    )(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def _pool(x: tf.Tensor, name: str) -> tf.Tensor:
    return keras.layers.MaxPooling2D(3, 2, padding="same", name=name)(x)
