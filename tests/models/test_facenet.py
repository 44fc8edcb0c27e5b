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


@pytest.fixture(scope="module")
def nn2():
    return published("nn2")


class TestNN2:
    def test_weights_of_each_block(self, nn2):
        assert weights_of_blocks(nn2, WEIGHTS) == WEIGHTS

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
