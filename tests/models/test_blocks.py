"""The shared pieces, against the same in plain NumPy."""

import keras
import numpy as np
import pytest

from facenet_tf.models import blocks


def model_of(make, shape):
    pixels = keras.Input(shape)
    return keras.Model(pixels, make(pixels))


@pytest.mark.parametrize(("padding", "first"), [("even", 0), ("same", 1)])
def test_where_a_convolution_with_a_stride_begins(padding, first):
    """PyTorch and Caffe pad 1 on all sides: the first of the windows is about the first pixel."""
    model = model_of(lambda x: blocks.convolution(x, 1, 3, "conv", 2, padding), (8, 8, 1))
    assert model.output_shape == (None, 4, 4, 1)
    middle = np.zeros((3, 3, 1, 1), np.float32)
    middle[1, 1] = 1
    model.get_layer("conv").set_weights([middle])
    picture = np.arange(64, dtype=np.float32).reshape(1, 8, 8, 1)
    found = model.predict(picture, verbose=0) * np.sqrt(1 + 1e-5)
    np.testing.assert_allclose(found, picture[:, first::2, first::2], rtol=1e-5)


def test_kernels_of_one_pixel_need_no_padding():
    model = model_of(lambda x: blocks.convolution(x, 2, 1, "conv", 2, "even"), (8, 6, 1))
    assert model.output_shape == (None, 4, 3, 2)
    assert "conv_pad" not in [layer.name for layer in model.layers]


@pytest.mark.parametrize("gate", ["sigmoid", "hard_sigmoid"])
def test_squeeze_and_excite(gate):
    keras.utils.set_random_seed(2)
    model = model_of(lambda x: blocks.squeeze_and_excite(x, 3, "excite", gate), (4, 5, 6))
    maps = np.random.default_rng(0).normal(0, 9, (7, 4, 5, 6)).astype(np.float32)
    weights = {
        name: model.get_layer(f"excite_{name}").get_weights() for name in ("reduce", "expand")
    }
    squeezed = maps.mean((1, 2)) @ weights["reduce"][0][0, 0] + weights["reduce"][1]
    squeezed = np.where(squeezed > 0, squeezed, 0.25 * squeezed)
    excited = squeezed @ weights["expand"][0][0, 0] + weights["expand"][1]
    factors = {
        "sigmoid": 1 / (1 + np.exp(-excited)),
        "hard_sigmoid": np.clip(excited / 6 + 0.5, 0, 1),
    }[gate]
    assert gate == "sigmoid" or {0.0, 1.0} & set(factors.ravel())  # both ends are seen
    found = model.predict(maps, verbose=0)
    np.testing.assert_allclose(found, maps * factors[:, None, None], rtol=1e-4, atol=1e-5)
