import numpy as np
import pytest

from facenet_tf import models
from facenet_tf.preprocessing import Preprocessing


def build(size=112, **options):
    return models.build("residual_small", preprocessing=Preprocessing(size=size), **options)


def parameters(model):
    return sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)


@pytest.mark.parametrize("size", [80, 96, 112])
def test_default_is_small(size):
    assert 1_000_000 < parameters(build(size)) < 1_500_000


def test_width_scales_the_parameters():
    ratio = parameters(build(width=64)) / parameters(build(width=32))
    assert 3.5 < ratio < 4


@pytest.mark.parametrize("head", ["gap", "depthwise", "flatten"])
def test_heads(head):
    model = build(80, head=head)
    features = 192 if head != "flatten" else 5 * 5 * 192
    assert model.get_layer("bottleneck").kernel.shape == (features, 128)


def test_depthwise_head_starts_as_the_average():
    model = build(80, head="depthwise")
    maps = np.random.default_rng(0).normal(size=(2, 5, 5, 192)).astype(np.float32)
    pooled = np.squeeze(model.get_layer("pool")(maps), axis=(1, 2))
    np.testing.assert_allclose(pooled, maps.mean(axis=(1, 2)), atol=1e-5)


def test_dropout_acts_in_training_only():
    model = build(80, dropout=0.5)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 80, 80, 3), dtype=np.uint8)
    np.testing.assert_array_equal(model(pixels), model(pixels))
    assert np.any(model(pixels, training=True) != model(pixels, training=True))


def test_names_follow_one_scheme():
    names = [layer.name for layer in build().layers]
    for name in ("stem_conv1", "stage1_block1_conv1", "stage2_block1_shortcut_norm", "pool"):
        assert name in names


def test_unknown_head():
    with pytest.raises(ValueError, match="head must be one of gap, depthwise"):
        build(80, head="average")
