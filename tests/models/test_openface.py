"""OpenFace's networks against their definitions for Torch (models/openface/*.def.lua)."""

import numpy as np
import pytest

from facenet_tf import models
from facenet_tf.preprocessing import Preprocessing
from tests.models.counts import parameters, shapes, weights, weights_of_blocks, zeros
from tests.models.test_facenet import WEIGHTS_OF_NN4

# outputSize, reduceSize and inputSize of 5a and 5b in nn4.small2.
SMALL2 = {
    "inception_5a": 1024 * 256 + 1024 * 96 + 9 * 96 * 384 + 1024 * 96,
    "inception_5b": 736 * 256 + 736 * 96 + 9 * 96 * 384 + 736 * 96,
    "bottleneck": 736 * 128,
}
LEFT_OUT = {"openface_nn4": "", "openface_nn4_small1": "cd", "openface_nn4_small2": "bcd"}
# Zeros above and left, below and right of the pooled map. By block: the side of the whole map, and
# of the pooled one, whose windows of 3 take steps of 2 for the maximum and of 3 else.
PADDING = {
    "3a": (3, 4),  # 12, (12 - 3) // 2 + 1 = 5
    "3b": (4, 4),  # 12, 12 // 3 = 4
    "3c": (0, 1),  # 6, 5
    "4a": (2, 2),  # 6, 2
    "4e": (0, 1),  # 3, 2
    "5a": (1, 1),  # 3, 1
    "5b": (1, 1),  # 3, 1
}


def published(name):
    with zeros():
        return models.build(name, preprocessing=models.published(name).preprocessing)


@pytest.fixture(scope="module")
def small2():
    return published("openface_nn4_small2")


@pytest.mark.parametrize("name", LEFT_OUT)
def test_weights_of_each_block(name):
    gone = {f"inception_4{letter}" for letter in LEFT_OUT[name]}
    expected = {block: n for block, n in WEIGHTS_OF_NN4.items() if block not in gone}
    if name.endswith("small2"):
        expected |= SMALL2
    assert weights_of_blocks(published(name), expected) == expected


def test_every_convolution_has_a_bias_and_a_norm(small2):
    """Their count, 3,733,968, is of weights, and of a bias, a scale and an offset per channel."""
    counted = weights(small2)
    channels = sum(small2.get_layer(name).kernel.shape[-1] for name in counted) - 128
    assert sum(counted.values()) + 3 * channels + 128 == 3_733_968
    assert parameters(small2.non_trainable_variables) == 2 * channels


def test_shapes(small2):
    found = shapes(small2)
    assert found["stem_pool1"] == (24, 24, 64)
    assert found["stem_pool2"] == (12, 12, 192)
    sides = {block: found[f"inception_{block}"] for block in PADDING}
    assert sides == {
        "3a": (12, 12, 256),
        "3b": (12, 12, 320),
        "3c": (6, 6, 640),
        "4a": (6, 6, 640),
        "4e": (3, 3, 1024),
        "5a": (3, 3, 736),
        "5b": (3, 3, 736),
    }


def test_pooled_maps_stand_in_the_middle(small2):
    found = {block: small2.get_layer(f"inception_{block}_pool_pad").padding for block in PADDING}
    assert found == {block: (sides, sides) for block, sides in PADDING.items()}


def test_order_of_the_branches(small2):
    """3×3, 5×5, pooling, 1×1."""
    assert [x.shape[-1] for x in small2.get_layer("inception_4a").input] == [192, 64, 128, 256]


def test_strided_convolutions_are_padded_evenly(small2):
    """A kernel that is 1 in its middle alone takes every second pixel, beginning with the first."""
    convolution, padding = (small2.get_layer(f"stem_conv1{part}") for part in ("", "_pad"))
    x = np.random.default_rng(0).normal(size=(1, 96, 96, 3)).astype(np.float32)
    kernel = np.zeros(convolution.kernel.shape, np.float32)
    kernel[3, 3, 0, 0] = 1
    before = convolution.get_weights()
    convolution.set_weights([kernel, np.zeros(64, np.float32)])
    found = convolution(padding(x))
    convolution.set_weights(before)
    np.testing.assert_array_equal(found[0, :, :, 0], x[0, ::2, ::2, 0])


def test_response_is_normalised_after_and_before_the_poolings(small2):
    names = [layer.name for layer in small2.layers]
    assert names.index("stem_pool1") + 1 == names.index("stem_response1")
    assert names.index("stem_response2") + 2 == names.index("stem_pool2")


def test_the_smallest_picture():
    name, options = "openface_nn4_small2", {"head": "flatten", "dropout": 0.5}
    with zeros():
        net = models.build(name, preprocessing=Preprocessing(size=65), **options)
    assert shapes(net)["flatten"] == (3 * 3 * 736,)
    assert net.layers[-3].name == "dropout"
    with pytest.raises(ValueError, match="at least 65 pixels, not 64"):
        models.build(name, preprocessing=Preprocessing(size=64))
