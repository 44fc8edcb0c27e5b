"""InsightFace's mbf: what its code has in each layer."""

import pytest

from facenet_tf import models
from facenet_tf.preprocessing import Preprocessing
from tests.models import counts

# From arcface_torch's ConvBlock, DepthWise and LinearBlock: inputs × filters × places.
BLOCKS = {
    "stem_conv": 3 * 128 * 9,
    "stem_grouped": 2 * 128 * 9,
    "stage1_block1": 128 * 128 + 128 * 9 + 128 * 128,
    "stage1": 4 * (128 * 128 + 128 * 9 + 128 * 128),
    "stage2_block1": 128 * 256 + 256 * 9 + 256 * 256,
    "stage2": 6 * (256 * 256 + 256 * 9 + 256 * 256),
    "stage3_block1": 256 * 512 + 512 * 9 + 512 * 256,
    "stage3": 2 * (256 * 256 + 256 * 9 + 256 * 256),
    "last_conv": 256 * 512,
    "pool": 512 * 49,
    "bottleneck": 512 * 512,
}
SHAPES = {
    "stem_conv": (56, 56, 128),
    "stem_grouped": (56, 56, 128),
    "stage1_block5_sum": (28, 28, 128),
    "stage2_block7_sum": (14, 14, 256),
    "stage3_block3_sum": (7, 7, 256),
    "last_conv": (7, 7, 512),
    "pool": (1, 1, 512),
}


@pytest.fixture(scope="module")
def net():
    with counts.zeros():
        return models.build("mbf", preprocessing=Preprocessing(size=112))


def test_weights_of_each_block(net):
    assert counts.weights_of_blocks(net, BLOCKS) == BLOCKS
    assert sum(BLOCKS.values()) == 2_028_032


def test_shapes(net):
    found = counts.shapes(net)
    assert {name: found[name] for name in SHAPES} == SHAPES


def test_multiply_adds(net):
    """Of weights, times the places of their outputs."""
    assert round(models.multiply_adds(net) / 1e6) == 438


def test_only_blocks_that_keep_the_shape_add_their_input(net):
    sums = [layer.name for layer in net.layers if layer.name.endswith("_sum")]
    expected = {1: range(2, 6), 2: range(2, 8), 3: range(2, 4)}
    assert sums == [
        f"stage{stage}_block{block}_sum" for stage, blocks in expected.items() for block in blocks
    ]
