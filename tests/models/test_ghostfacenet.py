"""GhostFaceNets against the layers of their authors' code, written out at 1.3 times the filters."""

import functools

import keras
import numpy as np
import pytest

from facenet_tf import models
from facenet_tf.models.ghostfacenet import NearestResize, _filters
from facenet_tf.preprocessing import Preprocessing
from tests.models.counts import multiply_adds, parameters, shapes, zeros

# kernel, expansion, filters, filters between squeezing and exciting, stride
ROWS = [
    (3, 20, 20, 0, 1),
    (3, 64, 32, 0, 2),
    (3, 92, 32, 0, 1),
    (5, 92, 52, 24, 2),
    (5, 156, 52, 40, 1),
    (3, 312, 104, 0, 2),
    (3, 260, 104, 0, 1),
    (3, 240, 104, 0, 1),
    (3, 240, 104, 0, 1),
    (3, 624, 144, 156, 1),
    (3, 872, 144, 220, 1),
    (5, 872, 208, 220, 2),
    (5, 1248, 208, 0, 1),
    (5, 1248, 208, 312, 1),
    (5, 1248, 208, 0, 1),
]
LAST = {"ghostfacenet_v1": (5, 664, 208, 168, 1), "ghostfacenet_v2": (5, 1248, 208, 312, 1)}


def build(name, preprocessing=None, **options):
    with zeros():
        preprocessing = preprocessing or models.published(name).preprocessing
        return models.build(name, preprocessing=preprocessing, **options)


def expected_parameters(name, side):
    """Of weights, biases, slopes and both parameters of the norms."""
    last, channels = LAST[name], 20
    total = 27 * 20 + 3 * 20
    for number, (kernel, expansion, filters, squeezed, stride) in enumerate([*ROWS, last], 1):
        total += _ghost(channels, expansion, slopes=1) + _ghost(expansion, filters, slopes=0)
        if name == "ghostfacenet_v2" and number > 2:
            total += channels * expansion + 2 * 5 * expansion + 3 * 2 * expansion
        if stride == 2:
            total += (kernel**2 + 2) * expansion
        if squeezed:
            total += 2 * expansion * squeezed + squeezed + expansion + squeezed
        if stride == 2 or channels != filters:
            total += (kernel**2 + 2) * channels + channels * filters + 2 * filters
        channels = filters
    total += channels * last[1] + 3 * last[1]
    return total + (side**2 + 2) * last[1] + last[1] * 512 + 2 * 512


def _ghost(channels, filters, slopes):
    half = filters // 2
    return channels * half + 9 * half + 2 * (2 + slopes) * half


@functools.cache
def published(name, strides):
    return build(name, strides=strides)


@pytest.fixture(params=LAST)
def net(request):
    return published(request.param, 1)


@pytest.mark.parametrize("name", LAST)
@pytest.mark.parametrize(("strides", "side"), [(1, 7), (2, 4)])
def test_parameters(name, strides, side):
    found = parameters(published(name, strides).trainable_variables)
    assert found == expected_parameters(name, side)


def test_shapes(net):
    found = shapes(net)
    assert found["stem_conv_prelu"] == (112, 112, 20)
    side = 112
    for number, (_, expansion, filters, _, stride) in enumerate([*ROWS, LAST[net.name]], 1):
        assert found[f"block{number}_ghost1_concat"] == (side, side, expansion)
        side //= stride
        assert found[f"block{number}_sum"] == (side, side, filters)
    assert found["pool"] == (1, 1, LAST[net.name][1])


def test_which_blocks_attend(net):
    attentive = [name for name in shapes(net) if name.endswith("_attention_resize")]
    expected = range(3, 17) if net.name == "ghostfacenet_v2" else []
    assert attentive == [f"block{number}_ghost1_attention_resize" for number in expected]
    for name in attentive:
        assert shapes(net)[name] == shapes(net)[name.replace("attention_resize", "concat")]


@pytest.mark.parametrize(("strides", "millions"), [(1, 215.7), (2, 60.3)])
def test_multiply_adds_of_the_first_version(strides, millions):
    """Those in the authors' figures, which count a little more than convolutions."""
    counted = multiply_adds(published("ghostfacenet_v1", strides)) / 1e6
    assert counted == pytest.approx(millions, rel=0.02)


def test_filters_are_multiples_of_4():
    assert [_filters(each) for each in (20.8, 62.4, 93.6, 145.6, 665.6)] == [20, 64, 92, 144, 664]
    assert [_filters(each) for each in (1, 5.9, 6)] == [4, 8, 8]


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match="strides must be 1 or 2, not 3"):
        build("ghostfacenet_v1", strides=3)
    assert (
        shapes(build("ghostfacenet_v2", Preprocessing(size=33), strides=2))["block16_sum"][0] == 2
    )
    with pytest.raises(ValueError, match="more than 32 pixels, not 32"):
        build("ghostfacenet_v2", Preprocessing(size=32), strides=2)


def test_other_options():
    crops = Preprocessing(size=64, width=48)
    model = build("ghostfacenet_v1", crops, multiplier=0.5, head="gap", dropout=0.1)
    assert shapes(model)["block16_sum"] == (4, 3, 80)
    assert model.get_layer("bottleneck").kernel.shape == (256, 512)


@pytest.mark.parametrize(("few", "many"), [(3, 7), (2, 4), (1, 2), (4, 4)])
def test_each_place_comes_from_the_nearest(few, many):
    maps = np.random.default_rng(0).normal(size=(2, few, 5, 3)).astype(np.float32)
    rows = np.floor((np.arange(many) + 0.5) * few / many).astype(int)
    found = NearestResize(many, 5)(maps)
    np.testing.assert_array_equal(found, maps[:, rows])


def test_embeddings_do_not_depend_on_the_batch():
    """A layer that is meant for training data once made the norms after it take the batch."""
    keras.utils.set_random_seed(1)
    crops = Preprocessing(size=32)
    model = models.build("ghostfacenet_v2", preprocessing=crops, multiplier=0.5)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    np.testing.assert_allclose(model(pixels[:1]), model(pixels)[:1], atol=1e-5)
