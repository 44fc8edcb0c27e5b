import numpy as np
import pytest

from facenet_tf import models
from facenet_tf.preprocessing import Preprocessing
from tests.models.counts import (
    multiply_adds,
    parameters,
    shapes,
    weights,
    weights_of_blocks,
    zeros,
)

# Weights of convolutions and the dense layer, from Table 1 of the paper: per layer of a block
# times blocks. Expansion t, channels c and blocks n are those of the table.
BLOCKS = {
    # stage: (expand, depthwise, project) of the first block, of each later one, number of blocks
    "stage1": ((64 * 128, 9 * 128, 128 * 64), (64 * 128, 9 * 128, 128 * 64), 5),
    "stage2": ((64 * 256, 9 * 256, 256 * 128), None, 1),
    "stage3": ((128 * 256, 9 * 256, 256 * 128), (128 * 256, 9 * 256, 256 * 128), 6),
    "stage4": ((128 * 512, 9 * 512, 512 * 128), None, 1),
    "stage5": ((128 * 256, 9 * 256, 256 * 128), (128 * 256, 9 * 256, 256 * 128), 2),
}
OTHERS = {
    "stem_conv": 27 * 64,
    "stem_depthwise": 9 * 64,
    "last_conv": 128 * 512,
    "pool": 49 * 512,
    "bottleneck": 512 * 128,
}
# The input column of the table, read as outputs of the row before.
SHAPES = {
    "stem_conv_prelu": (56, 56, 64),
    "stem_depthwise_prelu": (56, 56, 64),
    "stage1_block5_sum": (28, 28, 64),
    "stage2_block1_project_norm": (14, 14, 128),
    "stage3_block6_sum": (14, 14, 128),
    "stage4_block1_project_norm": (7, 7, 128),
    "stage5_block2_sum": (7, 7, 128),
    "last_conv_prelu": (7, 7, 512),
    "pool_norm": (1, 1, 512),
    "bottleneck_norm": (128,),
}


def build(size=112, **options):
    return models.build("mobile_facenet", preprocessing=Preprocessing(size=size), **options)


@pytest.fixture(scope="module")
def net():
    return build()


def test_parameters(net):
    counted = weights(net)
    assert sum(counted.values()) == 976_000
    assert parameters(net.trainable_variables) == 1_003_136
    slopes = [layer for layer in net.layers if layer.name.endswith("_prelu")]
    assert sum(parameters(layer.trainable_variables) for layer in slopes) == 7_552
    norms = [layer for layer in net.layers if layer.name.endswith("_norm")]
    assert sum(parameters(layer.trainable_variables) for layer in norms) == 19_584


def test_weights_of_each_layer(net):
    expected = dict(OTHERS)
    for stage, (first, later, blocks) in BLOCKS.items():
        for block in range(1, blocks + 1):
            for part, count in zip(
                ("expand", "depthwise", "project"), first if block == 1 else later, strict=True
            ):
                expected[f"{stage}_block{block}_{part}"] = count
    assert weights(net) == expected


def test_shapes_of_the_paper(net):
    found = shapes(net)
    assert {name: found[name] for name in SHAPES} == SHAPES


def test_shortcuts_are_where_the_shape_stays(net):
    sums = {layer.name for layer in net.layers if layer.name.endswith("_sum")}
    blocks = [("stage1", range(2, 6)), ("stage3", range(1, 7)), ("stage5", range(1, 3))]
    assert sums == {f"{stage}_block{block}_sum" for stage, numbers in blocks for block in numbers}


def test_projections_are_linear(net):
    """The paper's linear bottlenecks, and its linear last two layers."""
    active = {layer.name.removesuffix("_prelu") for layer in net.layers if "_prelu" in layer.name}
    linear = set(weights(net)) - active
    projections = {name for name in weights(net) if name.endswith("_project")}
    assert linear == projections | {"pool", "bottleneck"}


def test_multiply_adds(net):
    """The paper says 221 million."""
    assert round(multiply_adds(net) / 1e6) == 221


@pytest.mark.parametrize(("head", "features"), [("gap", 512), ("flatten", 3 * 3 * 512)])
def test_heads(head, features):
    assert build(48, head=head).get_layer("bottleneck").kernel.shape == (features, 128)


def test_dropout_acts_in_training_only():
    model = build(48, dropout=0.5)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 3), dtype=np.uint8)
    np.testing.assert_array_equal(model(pixels), model(pixels))
    assert np.any(model(pixels, training=True) != model(pixels, training=True))


class TestMobiFace:
    """The paper's description: halved early, by blocks that expand by 2 or, later, by 4."""

    @pytest.fixture(scope="class")
    def mobiface(self):
        with zeros():
            return models.build("mobiface", preprocessing=Preprocessing())

    def test_weights(self, mobiface):
        """Of a block that expands a channels to b and projects them to c: (a + 9 + c) · b."""
        blocks = {
            "stage1": (64 + 9 + 64) * 128,
            "stage2": 2 * (64 + 9 + 64) * 128,
            "stage3": (64 + 9 + 128) * 256,
            "stage4": 3 * (128 + 9 + 128) * 256,
            "stage5": (128 + 9 + 256) * 512,
            "stage6": 6 * (256 + 9 + 256) * 512,
        }
        others = {"stem_conv": 27 * 64, "stem_depthwise": 9 * 64, "last_conv": 256 * 512}
        expected = {**others, **blocks, "bottleneck": 7 * 7 * 512 * 512}
        assert weights_of_blocks(mobiface, expected) == expected

    def test_shapes(self, mobiface):
        found = shapes(mobiface)
        assert found["stage2_block2_sum"] == (28, 28, 64)
        assert found["stage4_block3_sum"] == (14, 14, 128)
        assert found["stage6_block6_sum"] == (7, 7, 256)
        assert found["flatten"] == (25_088,)
        assert "stage1_block1_sum" not in found

    def test_without_its_last_layer_it_is_as_large_as_the_paper_says(self, mobiface):
        bottleneck = mobiface.get_layer("bottleneck").trainable_variables
        rest = parameters(mobiface.trainable_variables) - parameters(bottleneck)
        assert rest == 2_279_552
        assert 4 * rest / 1e6 == pytest.approx(9.3, rel=0.02)

    def test_bottleneck_has_no_norm(self, mobiface):
        assert [layer.name for layer in mobiface.layers][-2:] == ["bottleneck", "embedding"]
