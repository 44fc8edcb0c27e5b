"""Every registered architecture, through the same checks."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf import models
from facenet_tf.preprocessing import Preprocessing

SMALLEST = {"dlib_resnet": 103, "inception_resnet_v1": 80}
SIZES = {name: SMALLEST.get(name, 48) for name in models.names()}
SINGLE_PRECISION = ["normalization", "bottleneck", "bottleneck_norm", "embedding"]
POLICIES = ["mixed_float16", "mixed_bfloat16"]
EMBEDDINGS = {"inception_resnet_v1": 512}
KERAS_NAMES = (
    "conv2d",
    "re_lu",
    "dense",
    "depthwise",
    "batch",
    "channel",
    "fused",
    "add",
    "concat",
)
every_model = pytest.mark.parametrize("name", models.names())


def preprocessing(name):
    return Preprocessing(size=SIZES[name], normalization="per_image")


def pixels_for(name):
    shape = (4, SIZES[name], SIZES[name], 3)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture(scope="module")
def built():
    """A model of each name, built once."""
    keras.utils.set_random_seed(1)
    return {name: models.build(name, preprocessing=preprocessing(name)) for name in models.names()}


@pytest.fixture
def policy(request):
    keras.mixed_precision.set_global_policy(request.param)
    yield request.param
    keras.mixed_precision.set_global_policy("float32")


def test_names():
    assert models.names() == [
        "dlib_resnet",
        "inception_resnet_v1",
        "mobile_facenet",
        "nn2",
        "residual_small",
    ]


@every_model
def test_embeddings_are_unit_float32(built, name):
    embeddings = built[name](pixels_for(name))
    assert embeddings.shape == (4, EMBEDDINGS.get(name, 128))
    assert embeddings.dtype == tf.float32
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-5)
    assert len(np.unique(np.round(embeddings, 4), axis=0)) == 4


@every_model
def test_uint8_and_float_pixels_are_the_same(built, name):
    reference = built[name](pixels_for(name))
    pixels = pixels_for(name)
    np.testing.assert_allclose(built[name](pixels.astype(np.float32)), reference, atol=1e-6)
    batches = tf.data.Dataset.from_tensor_slices(pixels).batch(2)
    np.testing.assert_allclose(built[name].predict(batches, verbose=0), reference, atol=1e-5)


@every_model
def test_gradient_reaches_every_variable(built, name):
    model = built[name]
    pixels = pixels_for(name)
    weights = tf.random.stateless_normal(model(pixels).shape, [1, 2])
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(weights * model(pixels, training=True))
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
    np.testing.assert_array_equal(loaded(pixels_for(name)), built[name](pixels_for(name)))
    assert models.preprocessing_of(loaded) == preprocessing(name)
    assert loaded.name == name


@every_model
def test_jit_gives_the_same(built, name):
    compiled = tf.function(built[name], jit_compile=True)(tf.constant(pixels_for(name)))
    np.testing.assert_allclose(compiled, built[name](pixels_for(name)), atol=1e-4)


@every_model
@pytest.mark.parametrize("policy", POLICIES, indirect=True)
def test_head_is_float32_under_mixed_precision(name, policy):
    model = models.build(name, preprocessing=preprocessing(name))
    half = policy.removeprefix("mixed_")
    for layer in model.layers:
        expected = "float32" if layer.name in SINGLE_PRECISION else half
        if layer.name != "pixels":
            assert layer.compute_dtype == expected, layer.name
    assert all(tf.as_dtype(variable.dtype) == tf.float32 for variable in model.trainable_variables)
    embeddings = model(pixels_for(name), training=True)
    assert embeddings.dtype == tf.float32
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-5)


@every_model
def test_layers(built, name):
    layers = built[name].layers
    assert not any(isinstance(layer, keras.layers.Lambda) for layer in layers)
    assert isinstance(layers[1], models.PixelNormalization)
    names = [layer.name for layer in layers]
    assert names[-2:] in (["bottleneck", "embedding"], ["bottleneck_norm", "embedding"])
    assert "bottleneck" in names[-3:]
    assert len({layer.name for layer in layers}) == len(layers)
    default = [layer.name for layer in layers if layer.name.startswith(KERAS_NAMES)]
    assert not default


@every_model
def test_options_of_build(name):
    grey = Preprocessing(size=80, color="grey")
    model = models.build(name, preprocessing=grey, embedding_size=32)
    assert model.input_shape == (None, 80, 80, 1)
    assert model.output_shape == (None, 32)


def test_unknown_name():
    with pytest.raises(ValueError, match="no architecture 'nn9'; there are dlib_resnet, "):
        models.build("nn9", preprocessing=Preprocessing())


def test_name_is_taken():
    with pytest.raises(ValueError, match="'nn2' is registered twice"):
        models.register("nn2", models.published("nn2"))(lambda pixels, embedding_size: pixels)


def test_published():
    net = models.published("nn2")
    assert (net.parameters, net.embedding_size, net.verified) == (7_472_144, 128, True)
    assert net.preprocessing == Preprocessing(size=224)
    with pytest.raises(ValueError, match="no architecture 'nn9'"):
        models.published("nn9")


def test_preprocessing_of_a_foreign_model():
    pixels = keras.Input((8,))
    model = keras.Model(pixels, keras.layers.Dense(2)(pixels))
    with pytest.raises(ValueError, match="no PixelNormalization layer"):
        models.preprocessing_of(model)
