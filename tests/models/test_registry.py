"""Every registered architecture, through the same checks."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf import models
from facenet_tf.preprocessing import Preprocessing

PREPROCESSING = Preprocessing(size=48, normalization="per_image")
PIXELS = np.random.default_rng(0).integers(0, 256, (4, 48, 48, 3), dtype=np.uint8)
POLICIES = ["mixed_float16", "mixed_bfloat16"]
every_model = pytest.mark.parametrize("name", models.names())


@pytest.fixture(scope="module")
def built():
    """A model of each name, built once."""
    keras.utils.set_random_seed(1)
    return {name: models.build(name, preprocessing=PREPROCESSING) for name in models.names()}


@pytest.fixture
def policy(request):
    keras.mixed_precision.set_global_policy(request.param)
    yield request.param
    keras.mixed_precision.set_global_policy("float32")


def test_names():
    assert models.names() == ["nn2", "residual_small"]


@every_model
def test_embeddings_are_unit_float32(built, name):
    embeddings = built[name](PIXELS)
    assert embeddings.shape == (4, 128)
    assert embeddings.dtype == tf.float32
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-5)
    assert len(np.unique(np.round(embeddings, 4), axis=0)) == 4


@every_model
def test_uint8_and_float_pixels_are_the_same(built, name):
    reference = built[name](PIXELS)
    np.testing.assert_allclose(built[name](PIXELS.astype(np.float32)), reference, atol=1e-6)
    batches = tf.data.Dataset.from_tensor_slices(PIXELS).batch(2)
    np.testing.assert_allclose(built[name].predict(batches, verbose=0), reference, atol=1e-5)


@every_model
def test_gradient_reaches_every_variable(built, name):
    model = built[name]
    weights = tf.random.stateless_normal([4, 128], [1, 2])
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(weights * model(PIXELS, training=True))
    variables = model.trainable_variables
    for variable, gradient in zip(variables, tape.gradient(total, variables), strict=True):
        path = getattr(variable, "path", variable.name)
        assert gradient is not None, path
        assert np.all(np.isfinite(gradient)), path
        # Batch normalisation takes away what the bias before it adds.
        if not (name == "nn2" and path.split("/")[-1].startswith("bias")):
            assert np.any(gradient != 0), path


@every_model
def test_saves_and_loads_in_safe_mode(built, name, tmp_path):
    built[name].save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded(PIXELS), built[name](PIXELS))
    assert models.preprocessing_of(loaded) == PREPROCESSING
    assert loaded.name == name


@every_model
def test_jit_gives_the_same(built, name):
    compiled = tf.function(built[name], jit_compile=True)(tf.constant(PIXELS))
    np.testing.assert_allclose(compiled, built[name](PIXELS), atol=1e-4)


@every_model
@pytest.mark.parametrize("policy", POLICIES, indirect=True)
def test_head_is_float32_under_mixed_precision(name, policy):
    model = models.build(name, preprocessing=PREPROCESSING)
    half = policy.removeprefix("mixed_")
    for layer in model.layers:
        expected = "float32" if layer.name in ("bottleneck", "embedding", "normalization") else half
        if layer.name != "pixels":
            assert layer.compute_dtype == expected, layer.name
    assert all(tf.as_dtype(variable.dtype) == tf.float32 for variable in model.trainable_variables)
    embeddings = model(PIXELS, training=True)
    assert embeddings.dtype == tf.float32
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-5)


@every_model
def test_layers(built, name):
    layers = built[name].layers
    assert not any(isinstance(layer, keras.layers.Lambda) for layer in layers)
    assert isinstance(layers[1], models.PixelNormalization)
    assert [layer.name for layer in layers[-2:]] == ["bottleneck", "embedding"]
    assert len({layer.name for layer in layers}) == len(layers)
    default = [
        layer.name for layer in layers if layer.name.startswith(("conv2d", "re_lu", "dense"))
    ]
    assert not default


@every_model
def test_options_of_build(name):
    preprocessing = Preprocessing(size=80, color="grey")
    model = models.build(name, preprocessing=preprocessing, embedding_size=32)
    assert model.input_shape == (None, 80, 80, 1)
    assert model.output_shape == (None, 32)


def test_unknown_name():
    with pytest.raises(ValueError, match="no architecture 'nn9'; there are nn2, residual_small"):
        models.build("nn9", preprocessing=PREPROCESSING)


def test_name_is_taken():
    with pytest.raises(ValueError, match="'nn2' is registered twice"):
        models.register("nn2")(lambda pixels, embedding_size: pixels)


def test_preprocessing_of_a_foreign_model():
    pixels = keras.Input((8,))
    model = keras.Model(pixels, keras.layers.Dense(2)(pixels))
    with pytest.raises(ValueError, match="no PixelNormalization layer"):
        models.preprocessing_of(model)
