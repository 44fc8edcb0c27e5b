import numpy as np
import pytest

from facenet_tf import models
from facenet_tf.preprocessing import Preprocessing
from tests.models.counts import multiply_adds, parameters, shapes, weights

# Filters of dlib's levels from the input on, each with its blocks, as examples/
# dnn_face_recognition_ex.cpp nests them: alevel4 … alevel0, those of `ares_down` first.
LEVELS = [(32, [32] * 3), (64, [32] + [64] * 3), (128, [64] + [128] * 2), (256, [128] + [256] * 2)]
LEVELS.append((256, [256]))


def convolutions():
    """Weights without biases by name, from the input channels of each block."""
    expected = {"stem_conv1": 7 * 7 * 3 * 32}
    for stage, (filters, inputs) in enumerate(LEVELS, start=1):
        for block, channels in enumerate(inputs, start=1):
            expected[f"stage{stage}_block{block}_conv1"] = 9 * channels * filters
            expected[f"stage{stage}_block{block}_conv2"] = 9 * filters * filters
    return expected


def build(size=150, **options):
    return models.build("dlib_resnet", preprocessing=Preprocessing("dlib", size), **options)


@pytest.fixture(scope="module")
def net():
    return build()


def test_parameters(net):
    assert parameters(net.trainable_variables) == 5_614_592
    assert not net.non_trainable_variables


def test_weights_of_each_layer(net):
    expected = {**convolutions(), "bottleneck": 256 * 128}
    assert len(expected) == 29 + 1
    assert weights(net) == expected
    for name in convolutions():
        filters = net.get_layer(name).filters
        assert parameters(net.get_layer(f"{name}_norm").trainable_variables) == 2 * filters


def test_shapes(net):
    found = shapes(net)
    assert {name: found[name] for name in found if name.startswith("stem_pool")} == {
        "stem_pool1": (35, 35, 32)
    }
    ends = {f"stage{stage}_block{len(inputs)}_relu" for stage, (_, inputs) in enumerate(LEVELS, 1)}
    assert {name: found[name] for name in ends} == {
        "stage1_block3_relu": (35, 35, 32),
        "stage2_block4_relu": (17, 17, 64),
        "stage3_block3_relu": (8, 8, 128),
        "stage4_block3_relu": (4, 4, 256),
        "stage5_block1_relu": (2, 2, 256),
    }


def test_the_smaller_side_is_filled_up_with_zeros(net):
    """From 8×8 a convolution of stride 2 leaves 3×3, the pool of the shortcut 4×4."""
    found = shapes(net)
    assert found["stage4_block1_conv2_norm"] == (3, 3, 256)
    assert found["stage4_block1_pool"] == (4, 4, 128)
    assert found["stage4_block1_sum"] == (4, 4, 256)


def test_multiply_adds(net):
    assert round(multiply_adds(net) / 1e6) == 271


def test_batch_norms_instead():
    net = build(103, norm="batch", embedding_size=32)
    assert parameters(net.trainable_variables) == 5_614_592 - 256 * (128 - 32)
    assert isinstance(net.get_layer("stem_conv1_norm"), models.FusedBatchNormalization)


def test_what_it_refuses():
    with pytest.raises(ValueError, match="at least 103 pixels, not 102"):
        build(102)
    with pytest.raises(ValueError, match=r"norm must be .*, not 'none'"):
        build(norm="none")


def test_published_crop():
    expected = Preprocessing("dlib", 150, normalization="dlib")
    assert models.published("dlib_resnet").preprocessing == expected
    pixels = np.zeros((1, 150, 150, 3), np.uint8)
    assert np.isfinite(models.build("dlib_resnet", preprocessing=expected)(pixels)).all()
