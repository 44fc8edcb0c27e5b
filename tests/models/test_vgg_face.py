"""VGG-Face against Table 3 of Parkhi et al. 2015."""

import pytest

from facenet_tf import models
from facenet_tf.preprocessing import Preprocessing
from tests.models.counts import parameters, shapes, weights, zeros

# Filters of all 3×3 convolutions, by block.
FILTERS = [(64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)]
SHAPES = {
    "conv1_2_relu": (224, 224, 64),
    "pool1": (112, 112, 64),
    "pool2": (56, 56, 128),
    "pool3": (28, 28, 256),
    "pool4": (14, 14, 512),
    "pool5": (7, 7, 512),
    "fc6_relu": (4096,),
    "bottleneck": (4096,),
}


@pytest.fixture(scope="module")
def net():
    with zeros():
        return models.build("vgg_face", preprocessing=models.published("vgg_face").preprocessing)


def test_weights_of_each_layer(net):
    expected, channels = {}, 3
    for block, filters in enumerate(FILTERS, start=1):
        for number, count in enumerate(filters, start=1):
            expected[f"conv{block}_{number}"] = 9 * channels * count
            channels = count
    expected |= {"fc6": 7 * 7 * 512 * 4096, "bottleneck": 4096 * 4096}
    assert weights(net) == expected


def test_parameters_with_the_classifier_of_the_paper(net):
    classifier = (4096 + 1) * 2622
    assert parameters(net.trainable_variables) + classifier == 145_002_878


def test_shapes_of_the_paper(net):
    found = shapes(net)
    assert {name: found[name] for name in SHAPES} == SHAPES


def test_the_smallest_picture():
    options = {"width": 16, "head": "gap", "dropout": 0.5}
    with zeros():
        net = models.build("vgg_face", preprocessing=Preprocessing(size=32), **options)
    assert shapes(net)["pool5"] == (1, 1, 512)
    assert weights(net)["fc6"] == 512 * 16
    assert net.layers[-3].name == "dropout"
    with pytest.raises(ValueError, match="at least 32 pixels, not 31"):
        models.build("vgg_face", preprocessing=Preprocessing(size=31))
