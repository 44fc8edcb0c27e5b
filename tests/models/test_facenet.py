"""FaceNet's Inception networks against the paper's Table 2 and its figures."""

import pytest

from facenet_tf import models
from facenet_tf.models.facenet import BLOCKS, NN4_BLOCKS, NNS1_BLOCKS, NNS2_BLOCKS
from facenet_tf.preprocessing import Preprocessing
from tests.models.counts import multiply_adds, shapes, weights, weights_of_blocks, zeros

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
# Of NN4 without 5×5 convolutions in blocks 5: 1×1, reduced 3×3, projection.
WEIGHTS_OF_NN4 = {
    **WEIGHTS,
    "inception_5a": 1024 * 384 + 1024 * 192 + 9 * 192 * 384 + 1024 * 128,
    "inception_5b": 896 * 384 + 896 * 192 + 9 * 192 * 384 + 896 * 128,
    "bottleneck": 896 * 128,
}
# Rows of Table 2: side of the output, #1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, projection.
TABLE_2 = {
    "3a": (28, 64, 96, 128, 16, 32, 32),
    "3b": (28, 64, 96, 128, 32, 64, 64),
    "3c": (14, 0, 128, 256, 32, 64, 0),
    "4a": (14, 256, 96, 192, 32, 64, 128),
    "4b": (14, 224, 112, 224, 32, 64, 128),
    "4c": (14, 192, 128, 256, 32, 64, 128),
    "4d": (14, 160, 144, 288, 32, 64, 128),
    "4e": (7, 0, 160, 256, 64, 128, 0),
    "5a": (7, 384, 192, 384, 48, 128, 128),
    "5b": (7, 384, 192, 384, 48, 128, 128),
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


def published(name):
    with zeros():
        return models.build(name, preprocessing=models.published(name).preprocessing)


def rows_of_nn2():
    """Its convolutions by name, from the table: window, channels in and out, side of the output."""
    yield "stem_conv1", 7, 3, 64, 112
    yield "stem_conv2_reduce", 1, 64, 64, 56
    yield "stem_conv2", 3, 64, 192, 56
    before, channels = 28, 192
    for block, (side, single, less3, conv3, less5, conv5, projection) in TABLE_2.items():
        name = f"inception_{block}"
        if single:
            yield f"{name}_1x1", 1, channels, single, side
        yield f"{name}_3x3_reduce", 1, channels, less3, before
        yield f"{name}_3x3", 3, less3, conv3, side
        yield f"{name}_5x5_reduce", 1, channels, less5, before
        yield f"{name}_5x5", 5, less5, conv5, side
        if projection:
            yield f"{name}_projection", 1, channels, projection, side
        # A block without projection hands on what it pools.
        before, channels = side, single + conv3 + conv5 + (projection or channels)


@pytest.fixture(scope="module")
def nn2():
    return published("nn2")


class TestNN2:
    def test_weights_of_each_block(self, nn2):
        assert weights_of_blocks(nn2, WEIGHTS) == WEIGHTS

    def test_weights_of_each_layer(self, nn2):
        rows = rows_of_nn2()
        expected = {name: size * size * less * more for name, size, less, more, _ in rows}
        assert weights(nn2) == {**expected, "bottleneck": 1024 * 128}

    def test_shapes_of_each_layer(self, nn2):
        found = shapes(nn2)
        for name, _, _, filters, side in rows_of_nn2():
            for part in (name, f"{name}_norm", f"{name}_relu"):
                assert found[part] == (side, side, filters), part

    def test_shapes_of_the_paper(self, nn2):
        found = shapes(nn2)
        assert {name: found[name][0] for name in SIDES} == SIDES
        assert {name: found[name][2] for name in CHANNELS} == CHANNELS
        assert found["pool"] == (1024,)

    def test_pooling_of_the_paper(self, nn2):
        l2 = {layer.name for layer in nn2.layers if isinstance(layer, models.L2Pooling)}
        assert l2 == {f"inception_{block}_pool" for block in ("3b", "4a", "4b", "4c", "4d", "5a")}


def test_nn4_has_no_5x5_in_its_last_blocks():
    nn4 = published("nn4")
    assert weights_of_blocks(nn4, WEIGHTS_OF_NN4) == WEIGHTS_OF_NN4
    large = {name for name in weights(nn4) if name.endswith("_5x5")}
    assert large == {f"inception_{block.name}_5x5" for block in BLOCKS[:-2]}
    assert shapes(nn4)["inception_5b"] == (3, 3, 896)


@pytest.mark.parametrize(
    ("name", "parameters", "products", "blocks", "part"),
    [
        ("nns1", 26e6, 220e6, NNS1_BLOCKS, 2),
        ("nns2", 4.3e6, 20e6, NNS2_BLOCKS, 4),
    ],
)
def test_small_networks_cost_what_the_paper_says(name, parameters, products, blocks, part):
    net = published(name)
    assert sum(weights(net).values()) == pytest.approx(parameters, rel=0.02)
    assert multiply_adds(net) == pytest.approx(products, rel=0.1)
    whole = {block.name: block for block in BLOCKS}
    for block in blocks:
        fields = ["conv_1x1", "reduce_3x3", "conv_3x3", "reduce_5x5", "conv_5x5", "projection"]
        for field in fields:
            assert part * getattr(block, field) == getattr(whole[block.name], field)
        assert (block.pooling, block.strides) == (
            whole[block.name].pooling,
            whole[block.name].strides,
        )


def test_nn4_has_the_other_blocks_of_nn2():
    assert NN4_BLOCKS[:-2] == BLOCKS[:-2]


def test_head():
    with zeros():
        net = models.build(
            "nns2", preprocessing=Preprocessing(size=64), head="flatten", dropout=0.1
        )
    assert net.get_layer("hidden").kernel.shape == (2 * 2 * 256, 768)
    assert [layer.name for layer in net.layers][-3:] == ["dropout", "bottleneck", "embedding"]
