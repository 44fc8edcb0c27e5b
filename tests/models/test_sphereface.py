"""SphereFace's networks against the files that its authors published."""

import numpy as np
import pytest

from facenet_tf import models
from facenet_tf.preprocessing import Preprocessing
from tests.models.counts import multiply_adds, parameters, shapes, weights, zeros

UNITS = {"sphereface20": (1, 2, 4, 1), "sphereface64": (3, 7, 16, 3)}
FILTERS = (64, 128, 256, 512)


def build(name, preprocessing=None, **options):
    with zeros():
        preprocessing = preprocessing or models.published(name).preprocessing
        return models.build(name, preprocessing=preprocessing, **options)


@pytest.fixture(scope="module", params=UNITS)
def net(request):
    return build(request.param)


def test_weights_of_each_layer(net):
    expected, width = {"bottleneck": 7 * 6 * 512 * 512}, 3
    for stage, (units, filters) in enumerate(zip(UNITS[net.name], FILTERS), start=1):
        expected[f"stage{stage}_conv"] = 9 * width * filters
        for unit in range(1, units + 1):
            for conv in (1, 2):
                expected[f"stage{stage}_unit{unit}_conv{conv}"] = 9 * filters * filters
        width = filters
    assert weights(net) == expected


def test_every_convolution_has_a_bias_and_slopes_and_there_is_no_norm(net):
    channels = {name: shape[-1] for name, shape in shapes(net).items() if name in weights(net)}
    del channels["bottleneck"]
    slopes = [layer for layer in net.layers if layer.name.endswith("_prelu")]
    assert {layer.name.removesuffix("_prelu"): layer.alpha.shape[0] for layer in slopes} == channels
    biases = parameters(net.trainable_variables) - sum(weights(net).values())
    assert biases == 2 * sum(channels.values()) + 512
    assert not [layer for layer in net.layers if "norm" in layer.name[1:] and layer.weights]


def test_shapes(net):
    found, units = shapes(net), UNITS[net.name]
    assert found["pixels"] == (112, 96, 3)
    sides = [(56, 48), (28, 24), (14, 12), (7, 6)]
    for stage, (count, side, filters) in enumerate(zip(units, sides, FILTERS), start=1):
        assert found[f"stage{stage}_unit{count}_sum"] == (*side, filters)
    assert found["flatten"] == (7 * 6 * 512,)


def test_number_of_convolutions():
    """The published file of 64 layers has 62, in spite of its name."""
    found = {name: len(weights(build(name))) - 1 for name in UNITS}
    assert found == {"sphereface20": 20, "sphereface64": 62}


def test_multiply_adds():
    """Weights times places: 2,688, 672, 168 and 42 of the four stages."""
    stages = [1_728 + 2 * 36_864, 73_728 + 4 * 147_456, 294_912 + 8 * 589_824, 3 * 2_359_296]
    stages[3] += 1_179_648 - 2_359_296
    expected = np.dot(stages, [2_688, 672, 168, 42]) + 21_504 * 512
    assert multiply_adds(build("sphereface20")) == expected


def test_units_start_near_the_identity():
    model = models.build("sphereface20", preprocessing=Preprocessing(size=32))
    kernel = model.get_layer("stage3_unit1_conv2").get_weights()[0]
    assert np.std(kernel) == pytest.approx(0.01, rel=0.02)


@pytest.mark.parametrize(
    ("head", "features"), [("gap", 512), ("depthwise", 512), ("flatten", 4 * 3 * 512)]
)
def test_heads_and_other_crops(head, features):
    model = build("sphereface20", Preprocessing(size=64, width=48), head=head, dropout=0.4)
    assert model.get_layer("bottleneck").kernel.shape == (features, 512)
