import keras
import numpy as np
import pytest

from facenet_tf import models
from facenet_tf.preprocessing import Preprocessing

# Weights without biases, from Table 2 of the FaceNet paper.
WEIGHTS = {
    "stem_conv1": 9_408,
    "stem_conv2": 114_688,
    "inception_3a": 163_328,
    "inception_3b": 227_328,
    "inception_3c": 397_312,
    "inception_4a": 544_768,
    "inception_4b": 594_432,
    "inception_4c": 653_312,
    "inception_4d": 721_408,
    "inception_4e": 716_800,
    "inception_5a": 1_587_200,
    "inception_5b": 1_587_200,
    "bottleneck": 131_072,
}
SIDES = {"stem_pool1": 56, "stem_pool2": 28, "inception_3c": 14, "inception_4e": 7}
CHANNELS = {
    "inception_3a": 256,
    "inception_3b": 320,
    "inception_3c": 640,
    "inception_4a": 640,
    "inception_4e": 1024,
    "inception_5a": 1024,
    "inception_5b": 1024,
}


@pytest.fixture(scope="module")
def nn2():
    return models.build("nn2", preprocessing=Preprocessing(size=224))


def parameters(variables):
    return sum(int(np.prod(variable.shape)) for variable in variables)


def test_parameters(nn2):
    assert parameters(nn2.trainable_variables) == 7_472_144


def test_weights_of_each_block(nn2):
    counted = dict.fromkeys(WEIGHTS, 0)
    for layer in nn2.layers:
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense)):
            block = next(name for name in WEIGHTS if layer.name.startswith(name))
            counted[block] += int(np.prod(layer.kernel.shape))
    assert counted == WEIGHTS


def test_shapes_of_the_paper(nn2):
    shapes = {layer.name: tuple(layer.output.shape) for layer in nn2.layers}
    assert {name: shapes[name][1] for name in SIDES} == SIDES
    assert {name: shapes[name][3] for name in CHANNELS} == CHANNELS
    assert shapes["pool"] == (None, 1024)


def test_pooling_of_the_paper(nn2):
    l2 = {layer.name for layer in nn2.layers if isinstance(layer, models.L2Pooling)}
    assert l2 == {f"inception_{block}_pool" for block in ("3b", "4a", "4b", "4c", "4d", "5a")}
