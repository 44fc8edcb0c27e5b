"""DeepFace against the paper's Figure 2."""

import pytest

from facenet_tf import models
from facenet_tf.models import deepface
from facenet_tf.preprocessing import Preprocessing
from tests.models.counts import parameters, shapes, weights, zeros

# window · window · channels in · filters, times places where it is connected locally
WEIGHTS = {
    "c1": 11 * 11 * 3 * 32,
    "c3": 9 * 9 * 32 * 16,
    "l4": 55 * 55 * 9 * 9 * 16 * 16,
    "l5": 25 * 25 * 7 * 7 * 16 * 16,
    "l6": 21 * 21 * 5 * 5 * 16 * 16,
    "bottleneck": 21 * 21 * 16 * 4096,
}
SHAPES = {
    "c1_relu": (142, 142, 32),
    "m2": (71, 71, 32),
    "c3_relu": (63, 63, 16),
    "l4_relu": (55, 55, 16),
    "l5_relu": (25, 25, 16),
    "l6_relu": (21, 21, 16),
    "flatten": (7056,),
    "bottleneck": (4096,),
}


@pytest.fixture(scope="module")
def net():
    with zeros():
        return models.build("deepface", preprocessing=models.published("deepface").preprocessing)


def test_weights_of_each_layer(net):
    assert weights(net) == WEIGHTS


def test_most_of_them_are_local():
    local = sum(WEIGHTS[name] for name in ("l4", "l5", "l6"))
    assert f"{local / 1e6:.0f} million of them in" in deepface.__doc__


def test_parameters_with_the_classifier_of_the_paper(net):
    classifier = (4096 + 1) * 4030
    assert parameters(net.trainable_variables) + classifier == 118_923_774


def test_shapes_of_the_paper(net):
    found = shapes(net)
    assert {name: found[name] for name in SHAPES} == SHAPES


def test_the_smallest_picture():
    net = models.build("deepface", preprocessing=Preprocessing(size=71), head="gap", dropout=0.5)
    assert shapes(net)["l6"] == (1, 1, 16)
    assert net.layers[-3].name == "dropout"
    with pytest.raises(ValueError, match="at least 71 pixels, not 70"):
        models.build("deepface", preprocessing=Preprocessing(size=70))
