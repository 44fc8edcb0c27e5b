"""Networks of `keras.applications` as backbones."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf import models
from facenet_tf.preprocessing import Preprocessing
from tests.models.counts import parameters, shapes, zeros

SMALL = ["MobileNetV2", "MobileNetV3Small"]
LARGE = [
    "ConvNeXtTiny",
    "DenseNet121",
    "EfficientNetB0",
    "EfficientNetV2B0",
    "InceptionResNetV2",
    "InceptionV3",
    "MobileNet",
    "NASNetMobile",
    "ResNet50V2",
    "VGG16",
    "Xception",
]
every_network = pytest.mark.parametrize(
    "name", [*SMALL, *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE)]
)
SIZE = 75


def crops(size=SIZE, **options):
    return Preprocessing(size=size, **options)


def pixels(width=SIZE, pictures=3):
    random = np.random.default_rng(0)
    return random.integers(0, 256, (pictures, SIZE, width, 3), dtype=np.uint8)


def with_statistics(name):
    """A fresh network whose norms know such pictures: with means of 0 and variances of 1 some would
    let nothing through, and with those of a few maps of one pixel some would magnify rounding."""
    keras.utils.set_random_seed(1)
    model = models.build(f"keras:{name}", preprocessing=crops())
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert all(layer.momentum == 0.9 for layer in norms)
    for layer in norms:
        layer.momentum = 0.0
    model(pixels(pictures=32), training=True)
    return model


@every_network
class TestEveryNetwork:
    def test_is_the_network_without_its_top(self, name):
        with zeros():
            model = models.build(f"keras:{name}", preprocessing=crops(), embedding_size=32)
            theirs = getattr(keras.applications, name)(
                include_top=False, weights=None, input_shape=(SIZE, SIZE, 3)
            )
        features = theirs.output_shape[-1]
        head = features * 32 + 32
        assert (
            parameters(model.trainable_variables) == parameters(theirs.trainable_variables) + head
        )
        names = [layer.name for layer in model.layers]
        assert names[:2] == ["pixels", "normalization"]
        assert names[-3:] == ["pool", "bottleneck", "embedding"]
        assert len(set(names)) == len(names)
        assert not any(isinstance(layer, keras.layers.Lambda) for layer in model.layers)
        assert models.name_of(model) == f"keras:{name}"

    def test_runs_saves_and_loads_in_safe_mode(self, name, tmp_path):
        model = with_statistics(name)
        embeddings = model(pixels())
        assert embeddings.shape == (3, 128) and embeddings.dtype == tf.float32
        np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-5)
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
        np.testing.assert_array_equal(loaded(pixels()), embeddings)
        assert models.preprocessing_of(loaded) == crops()


@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=pytest.mark.slow) for each in SMALL + LARGE]
)
def test_jit_gives_the_same(name):
    model = with_statistics(name)
    compiled = tf.function(model, jit_compile=True)(tf.constant(pixels()))
    np.testing.assert_allclose(compiled, model(pixels()), atol=1e-3)


def test_gradient_reaches_every_variable():
    model = models.build("keras:MobileNetV2", preprocessing=crops())
    weights = tf.random.stateless_normal([3, 128], [1, 2])
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(weights * model(pixels(), training=True))
    for gradient in tape.gradient(total, model.trainable_variables):
        assert np.all(np.isfinite(gradient)) and np.any(gradient != 0)


@pytest.mark.parametrize("name", ["EfficientNetB0", "EfficientNetV2B0", "MobileNetV3Small"])
def test_pixels_are_normalised_once(name):
    """Whatever a network does to raw pixels, its first convolution sees ours."""
    model = models.build(f"keras:{name}", preprocessing=crops())
    first = next(layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    seen = keras.Model(model.input, first.input)(pixels()).numpy()
    seen = seen[:, :SIZE, :SIZE] if seen.shape[1] == SIZE else seen[:, 1:-1, 1:-1]
    ours = (pixels().astype(np.float32) - 127.5) / 128
    np.testing.assert_allclose(
        seen[:, 2:-2, 2:-2], ours[:, 2:-2, 2:-2][:, : seen.shape[1]], atol=1e-5
    )


def test_options_and_crops_that_are_not_square():
    with zeros():
        model = models.build(
            "keras:MobileNetV2",
            preprocessing=crops(112, width=96, color="grey"),
            embedding_size=16,
            head="depthwise",
            dropout=0.3,
        )
    assert model.input_shape == (None, 112, 96, 1)
    assert shapes(model)["out_relu"] == (4, 3, 1280)
    names = [layer.name for layer in model.layers]
    assert names[-6:] == ["pool", "pool_norm", "flatten", "dropout", "bottleneck", "embedding"]


def test_head_is_float32_under_mixed_precision():
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        with zeros():
            model = models.build("keras:MobileNetV2", preprocessing=crops())
    finally:
        keras.mixed_precision.set_global_policy("float32")
    single = {layer.name for layer in model.layers if layer.compute_dtype == "float32"}
    assert single >= {"normalization", "bottleneck", "embedding"}
    assert model.get_layer("Conv1").compute_dtype == "float16"


@pytest.mark.parametrize("name", ["ResNet49", "preprocess_input", "resnet50", "", "mobilenet_v2"])
def test_unknown_network(name):
    with pytest.raises(
        ValueError, match=f"keras.applications has no '{name}'; it has ConvNeXtBase"
    ):
        models.build(f"keras:{name}", preprocessing=crops())


def test_crops_that_the_network_cannot_take():
    with pytest.raises(
        ValueError, match=r"^keras:Xception cannot take crops \[48, 48, 3\]: [^\n]+$"
    ):
        models.build("keras:Xception", preprocessing=crops(48))
