"""FaceNet NN1 against the paper's Table 1, row by row."""

import numpy as np
import pytest
import tensorflow as tf

from facenet_tf import models
from facenet_tf.models import Maxout
from facenet_tf.preprocessing import Preprocessing
from tests.models.counts import parameters, shapes, weights, zeros

WEIGHTS = {
    "conv1": 9_408,
    "conv2a": 4_096,
    "conv2": 110_592,
    "conv3a": 36_864,
    "conv3": 663_552,
    "conv4a": 147_456,
    "conv4": 884_736,
    "conv5a": 65_536,
    "conv5": 589_824,
    "conv6a": 65_536,
    "conv6": 589_824,
    "fc1": 102_760_448,
    "fc2": 33_554_432,
    "bottleneck": 524_288,
}
# The table's column "size-out".
SHAPES = {
    "conv1_relu": (110, 110, 64),
    "pool1": (55, 55, 64),
    "response1": (55, 55, 64),
    "conv2a_relu": (55, 55, 64),
    "conv2_relu": (55, 55, 192),
    "response2": (55, 55, 192),
    "pool2": (28, 28, 192),
    "conv3a_relu": (28, 28, 192),
    "conv3_relu": (28, 28, 384),
    "pool3": (14, 14, 384),
    "conv4a_relu": (14, 14, 384),
    "conv4_relu": (14, 14, 256),
    "conv5a_relu": (14, 14, 256),
    "conv5_relu": (14, 14, 256),
    "conv6a_relu": (14, 14, 256),
    "conv6_relu": (14, 14, 256),
    "pool4": (7, 7, 256),
    "fc1_maxout": (32 * 128,),
    "fc2_maxout": (32 * 128,),
    "bottleneck": (128,),
}


@pytest.fixture(scope="module")
def nn1():
    with zeros():
        return models.build("nn1", preprocessing=models.published("nn1").preprocessing)


def test_weights_of_each_layer(nn1):
    assert weights(nn1) == WEIGHTS
    assert sum(WEIGHTS.values()) == 140_006_592


def test_the_rest_are_biases(nn1):
    biases = sum(layer.bias.shape[0] for layer in nn1.layers if layer.name in WEIGHTS)
    assert parameters(nn1.trainable_variables) == 140_006_592 + biases
    assert parameters(nn1.non_trainable_variables) == 0


def test_shapes_of_the_paper(nn1):
    found = shapes(nn1)
    assert {name: found[name] for name in SHAPES} == SHAPES


def test_order_of_the_rows(nn1):
    """Response normalisation comes after the first pooling and before the second."""
    rows = [layer.name for layer in nn1.layers if layer.name in {*SHAPES, "flatten"}]
    assert rows == [*list(SHAPES)[:17], "flatten", *list(SHAPES)[17:]]


def test_options():
    crops = Preprocessing(size=64)
    net = models.build("nn1", preprocessing=crops, width=16, head="gap", dropout=0.5)
    assert weights(net)["fc1"] == 256 * 32
    assert net.layers[-3].name == "dropout"


def test_maxout_takes_the_larger_of_neighbours():
    x = np.random.default_rng(0).normal(size=(3, 12)).astype(np.float32)
    expected = x.reshape(3, 4, 3).max(axis=2)
    np.testing.assert_array_equal(Maxout(3)(x), expected)
    assert Maxout(3).compute_output_shape((None, 12)) == (None, 4)
    assert tf.function(Maxout(2), jit_compile=True)(x).shape == (3, 6)
