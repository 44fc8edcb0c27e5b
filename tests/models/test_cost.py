"""Multiply-adds against sums by hand."""

import keras
import pytest
import tensorflow as tf

from facenet_tf.models import DepthwiseConvolution, LocallyConnected, multiply_adds

layers = keras.layers


@tf.function(jit_compile=True)
def product(x):
    return tf.matmul(x, x, transpose_b=True)


class Hidden(layers.Layer):
    """A product in a function of its own."""

    def call(self, inputs):
        return product(inputs)


def count(shape, *chain):
    inputs = x = keras.Input(shape)
    for layer in chain:
        x = layer(x)
    return multiply_adds(keras.Model(inputs, x))


@pytest.mark.parametrize(
    ("shape", "layer", "expected"),
    [
        # places · window · channels in · channels out
        ((8, 6, 3), layers.Conv2D(5, 3, padding="same"), 8 * 6 * 9 * 3 * 5),
        ((8, 6, 3), layers.Conv2D(5, (3, 2), strides=2), 3 * 3 * 6 * 3 * 5),
        # each of 2 groups has half of the channels in
        ((8, 6, 4), layers.Conv2D(6, 3, groups=2, padding="same"), 8 * 6 * 9 * 2 * 6),
        # places · window · channels
        ((8, 6, 3), DepthwiseConvolution(3, 2), 4 * 3 * 9 * 3),
        ((8, 6, 3), layers.DepthwiseConv2D(3, depth_multiplier=2), 6 * 4 * 9 * 3 * 2),
        # depthwise, then pointwise
        ((8, 6, 3), layers.SeparableConv2D(5, 3, padding="same"), 8 * 6 * (9 * 3 + 3 * 5)),
        # every weight once
        ((8, 6, 3), LocallyConnected(5, 3), 6 * 4 * 9 * 3 * 5),
        ((7,), layers.Dense(5), 7 * 5),
        ((4, 7), layers.Dense(5), 4 * 7 * 5),
        ((8, 6, 3), layers.BatchNormalization(), 0),
        ((8, 6, 3), layers.AveragePooling2D(2), 0),
    ],
)
def test_layers(shape, layer, expected):
    assert count(shape, layer) == expected


def test_a_layer_that_is_used_twice_counts_twice():
    layer = layers.Dense(7)
    assert count((7,), layer, layer) == 2 * 49


def test_a_model_within_a_model_counts():
    inputs = keras.Input((7,))
    inner = keras.Model(inputs, layers.Dense(5)(inputs))
    assert count((7,), inner, layers.Dense(2)) == 35 + 10


def test_what_a_compiled_function_does_counts():
    assert count((5, 7), Hidden()) == 5 * 5 * 7
