import importlib.util
import json
import math
from pathlib import Path

import keras
import numpy as np
import pytest

from facenet_tf import models
from facenet_tf.preprocessing import Preprocessing
from tests.models import facenet_pytorch_weights as theirs
from tests.models.counts import multiply_adds, parameters, shapes, weights, zeros

# Trainable parameters without scales of batch normalisation, from the filters of davidsandberg's
# code (the paper's Figures 10 to 13 and 7, with other widths for 149-pixel stems).
BLOCKS = {
    "stem": 614_896,
    "block35": 5 * 77_248,
    "mixed_6a": 1_709_056,
    "block17": 10 * 689_536,
    "mixed_7a": 3_344_256,
    "block8": 6 * 1_600_000,
    "bottleneck": 1792 * 128 + 128,
}
# Convolutions, from the paper's figures with the filters of davidsandberg's code: height and width
# of the window, channels in and out, side of the output.
STEM = {
    "stem_conv1a": (3, 3, 3, 32, 79),
    "stem_conv2a": (3, 3, 32, 32, 77),
    "stem_conv2b": (3, 3, 32, 64, 77),
    "stem_conv3b": (1, 1, 64, 80, 38),
    "stem_conv4a": (3, 3, 80, 192, 36),
    "stem_conv4b": (3, 3, 192, 256, 17),
}
BLOCK35 = {
    "a1": (1, 1, 256, 32, 17),
    "b1": (1, 1, 256, 32, 17),
    "b2": (3, 3, 32, 32, 17),
    "c1": (1, 1, 256, 32, 17),
    "c2": (3, 3, 32, 32, 17),
    "c3": (3, 3, 32, 32, 17),
    "up": (1, 1, 96, 256, 17),
}
MIXED_6A = {
    "a1": (3, 3, 256, 384, 8),
    "b1": (1, 1, 256, 192, 17),
    "b2": (3, 3, 192, 192, 17),
    "b3": (3, 3, 192, 256, 8),
}
BLOCK17 = {
    "a1": (1, 1, 896, 128, 8),
    "b1": (1, 1, 896, 128, 8),
    "b2": (1, 7, 128, 128, 8),
    "b3": (7, 1, 128, 128, 8),
    "up": (1, 1, 256, 896, 8),
}
MIXED_7A = {
    "a1": (1, 1, 896, 256, 8),
    "a2": (3, 3, 256, 384, 3),
    "b1": (1, 1, 896, 256, 8),
    "b2": (3, 3, 256, 256, 3),
    "c1": (1, 1, 896, 256, 8),
    "c2": (3, 3, 256, 256, 8),
    "c3": (3, 3, 256, 256, 3),
}
BLOCK8 = {
    "a1": (1, 1, 1792, 192, 3),
    "b1": (1, 1, 1792, 192, 3),
    "b2": (1, 3, 192, 192, 3),
    "b3": (3, 1, 192, 192, 3),
    "up": (1, 1, 384, 1792, 3),
}
ROWS = {
    **STEM,
    **{f"block35_{n}_{part}": row for n in range(1, 6) for part, row in BLOCK35.items()},
    **{f"mixed_6a_{part}": row for part, row in MIXED_6A.items()},
    **{f"block17_{n}_{part}": row for n in range(1, 11) for part, row in BLOCK17.items()},
    **{f"mixed_7a_{part}": row for part, row in MIXED_7A.items()},
    **{f"block8_{n}_{part}": row for n in range(1, 7) for part, row in BLOCK8.items()},
}
SHAPES = {
    "stem_conv1a": (79, 79, 32),
    "stem_conv2b": (77, 77, 64),
    "stem_pool3a": (38, 38, 64),
    "stem_conv4a": (36, 36, 192),
    "stem_conv4b": (17, 17, 256),
    "block35_5_relu": (17, 17, 256),
    "mixed_6a": (8, 8, 896),
    "block17_10_relu": (8, 8, 896),
    "mixed_7a": (3, 3, 1792),
    "block8_5_relu": (3, 3, 1792),
    "block8_6_sum": (3, 3, 1792),
    "pool": (1792,),
    "bottleneck_norm": (128,),
}
RECORDED = json.loads(Path(__file__, "../../data/inception_resnet_v1.json").resolve().read_text())


def build(size=160, **options):
    return models.build("inception_resnet_v1", preprocessing=Preprocessing(size=size), **options)


@pytest.fixture(scope="module")
def net():
    return build(embedding_size=128)


@pytest.fixture(scope="module")
def published():
    """With the published 512 dimensions, and facenet-pytorch's names filled in."""
    model = build()
    theirs.fill(model)
    return model


def test_parameters(net, published):
    assert parameters(net.trainable_variables) == 22_779_312
    moving = [
        each for each in net.non_trainable_variables if "norm" in getattr(each, "path", each.name)
    ]
    assert parameters(moving) == 28_832
    assert parameters(published.trainable_variables) == 23_467_824


def test_parameters_of_each_block(net):
    counted = dict.fromkeys(BLOCKS, 0)
    for layer in net.layers:
        if layer.trainable_variables:
            block = next(name for name in BLOCKS if layer.name.startswith(name))
            counted[block] += parameters(layer.trainable_variables)
    assert counted == BLOCKS


def test_weights_of_each_layer(net):
    expected = {name: math.prod(row[:4]) for name, row in ROWS.items()}
    assert weights(net) == {**expected, "bottleneck": 1792 * 128}
    for name, (height, width, *_) in ROWS.items():
        assert net.get_layer(name).kernel_size == (height, width), name


def test_shapes_of_each_layer(net):
    found = shapes(net)
    for name, (*_, filters, side) in ROWS.items():
        follow = [] if name.endswith("_up") else [f"{name}_norm", f"{name}_relu"]
        for part in (name, *follow):
            assert found[part] == (side, side, filters), part


def test_shapes_of_the_paper(net):
    found = shapes(net)
    assert {name: found[name] for name in SHAPES} == SHAPES


def test_multiply_adds(published):
    assert round(multiply_adds(published) / 1e6) == 1418


def test_residuals_are_scaled(net):
    scales = {layer.name: layer.scale for layer in net.layers if layer.name.endswith("_sum")}
    expected = {f"block35_{number}_sum": 0.17 for number in range(1, 6)}
    expected |= {f"block17_{number}_sum": 0.10 for number in range(1, 11)}
    expected |= {f"block8_{number}_sum": 0.20 for number in range(1, 6)} | {"block8_6_sum": 1.0}
    assert scales == expected


def test_the_last_block_is_linear(net):
    assert "block8_5_relu" in shapes(net)
    assert "block8_6_relu" not in shapes(net)


def test_equals_facenet_pytorch_as_recorded(published):
    """Numbers that came out of facenet-pytorch 2.6.0 for the same weights and pictures."""
    embeddings = published(theirs.pictures()).numpy()
    np.testing.assert_allclose(embeddings[:, :: theirs.EVERY], RECORDED["embeddings"], atol=1e-5)


def test_equals_facenet_pytorch_where_it_is_installed(published):
    pytest.importorskip("torch")
    if not importlib.util.find_spec("facenet_pytorch"):
        pytest.skip("facenet-pytorch is not installed")
    expected = theirs.embeddings()
    np.testing.assert_allclose(published(theirs.pictures()), expected, atol=1e-4)
    np.testing.assert_allclose(RECORDED["embeddings"], expected[:, :: theirs.EVERY], atol=1e-5)


def test_head():
    kernel = build(107, head="flatten", embedding_size=32).get_layer("bottleneck").kernel
    assert kernel.shape == (2 * 2 * 1792, 32)


def test_the_smallest_picture_and_dropout():
    model = build(75, dropout=0.2)
    assert shapes(model)["mixed_7a"] == (1, 1, 1792)
    names = [layer.name for layer in model.layers]
    assert names[-4:] == ["dropout", "bottleneck", "bottleneck_norm", "embedding"]
    with pytest.raises(ValueError, match="at least 75 pixels, not 74"):
        build(74)


class TestSecondVersion:
    """Against the network of `keras.applications`, which was converted from TF-slim's."""

    SHAPES = {
        "stem_conv4a": (71, 71, 192),
        "stem_pool5a": (35, 35, 192),
        "mixed_5b": (35, 35, 320),
        "block35_10_relu": (35, 35, 320),
        "mixed_6a": (17, 17, 1088),
        "block17_20_relu": (17, 17, 1088),
        "mixed_7a": (8, 8, 2080),
        "block8_9_relu": (8, 8, 2080),
        "block8_10_sum": (8, 8, 2080),
        "conv_7b_relu": (8, 8, 1536),
    }

    def test_shapes_of_the_paper(self):
        with zeros():
            second = models.build("inception_resnet_v2", preprocessing=Preprocessing(size=299))
        found = shapes(second)
        assert {name: found[name] for name in self.SHAPES} == self.SHAPES
        scales = {layer.scale for layer in second.layers if layer.name.startswith("block17_")
                  and layer.name.endswith("_sum")}  # fmt: skip
        assert scales == {0.10}

    def test_parameters_of_each_layer(self):
        """In the order of the graph both have the same shapes, but for those in one place."""
        with zeros():
            ours = models.build("inception_resnet_v2", preprocessing=Preprocessing(size=75))
            theirs = keras.applications.InceptionResNetV2(
                include_top=False, weights=None, input_shape=(75, 75, 3)
            )
        assert parameters(theirs.trainable_variables) == 54_276_192
        head = [layer for layer in ours.layers if layer.name.startswith("bottleneck")]
        of_head = sum(parameters(layer.trainable_variables) for layer in head)
        assert of_head == 1536 * 512 + 512
        assert parameters(ours.trainable_variables) - of_head == 54_276_192
        kernels = [
            sorted(tuple(variable.shape) for variable in model.trainable_variables)
            for model in (ours, theirs)
        ]
        for layer in head:
            for variable in layer.trainable_variables:
                kernels[0].remove(tuple(variable.shape))
        assert kernels[0] == kernels[1]
