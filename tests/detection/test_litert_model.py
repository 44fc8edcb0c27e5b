"""Models written for LiteRT against TensorFlow's own operations."""

import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.detection import litert_engine
from facenet_tf.detection.litert_model import to_litert
from facenet_tf.detection.networks import Convolution, Dense, MaxPool, Network

RNG = np.random.default_rng(0)


def values(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def prelu(x, slope):
    return tf.maximum(x, 0) + slope * tf.minimum(x, 0)


def outputs(layers, pixels, monkeypatch):
    network = Network("pnet", None, layers)
    monkeypatch.setattr(litert_engine, "load_network", lambda name: network)
    return litert_engine.LiteRtEngine().run("pnet", pixels)


@pytest.mark.parametrize("shape", [(1, 5, 8, 3), (2, 9, 6, 3)])
def test_convolution_with_slopes_of_either_sign(monkeypatch, shape):
    pixels, kernel, bias = values(*shape), values(3, 3, 3, 5), values(5)
    slope = np.float32([-1.3, -0.2, 0, 0.4, 1.1])
    found = outputs([Convolution(kernel, bias, slope)], pixels, monkeypatch)
    expected = prelu(tf.nn.conv2d(pixels, kernel, 1, "VALID") + bias, slope)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("height", range(6, 10))
@pytest.mark.parametrize(("side", "padded"), [(2, True), (3, True), (3, False), (2, False)])
def test_maximum_at_the_edges(monkeypatch, height, side, padded):
    pixels = values(2, height, 7, 3)
    found = outputs([MaxPool(side, padded)], pixels, monkeypatch)
    expected = tf.nn.max_pool2d(pixels, side, 2, "SAME" if padded else "VALID")
    np.testing.assert_array_equal(found, expected)


def test_dense_takes_rows_first(monkeypatch):
    pixels, kernel, bias, slope = values(4, 2, 3, 5), values(30, 7), values(7), values(7)
    found = outputs([Dense(kernel, bias, slope)], pixels, monkeypatch)
    expected = prelu(pixels.reshape(4, 30) @ kernel + bias, slope)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_equal_networks_are_equal_bytes():
    network = Network("pnet", None, [MaxPool(2, True)])
    assert to_litert(network, (1, 4, 4, 3)) == to_litert(network, (1, 4, 4, 3))
