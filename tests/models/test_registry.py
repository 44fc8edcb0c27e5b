"""Every registered architecture, through the same checks."""

import gc
import inspect
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf import models
from facenet_tf.models import registry
from facenet_tf.models.ghostfacenet import NearestResize
from facenet_tf.preprocessing import Preprocessing
from tests.models import counts

# Trainable parameters as published, or derived: whence is said in the test of each architecture.
PARAMETERS = {
    "deepface": 118_923_774 - 4097 * 4030,
    "dlib_resnet": 5_614_592,
    "ghostfacenet_v1": 4_059_748,
    "ghostfacenet_v2": 6_795_720,
    "inception_resnet_v1": 23_467_824,
    "inception_resnet_v2": 54_276_192 + 1536 * 512 + 512,
    "ir18": 24_025_600,
    "ir34": 34_139_328,
    "ir50": 43_590_848,
    "ir100": 65_156_160,
    "ir_se50": 43_590_848 + 229_272,  # two convolutions and slopes in each of 24 blocks
    "mbf": 2_028_032 + 23_808 + 7_680,  # weights, norms, slopes
    "mobile_facenet": 1_003_136,
    # 2,242,688 weights, 26,240 of norms, 10,624 slopes, and the dense layer
    "mobiface": 2_242_688 + 26_240 + 10_624 + (25_088 + 1) * 512,
    "nn1": 140_006_592 + 2_560 + 2 * 8_192 + 128,  # weights, and biases of 6 + 5 layers and 3
    "nn2": 7_472_144,
    "nn3": 7_472_144,
    "nn4": 6_959_088,
    "nns1": 25_699_800,
    "nns2": 4_247_232,
    "openface_nn4": 6_959_088,
    "openface_nn4_small1": 5_579_520,
    "openface_nn4_small2": 3_733_968,
    "residual_small": 1_306_208,
    "sphereface20": 22_670_656,
    "sphereface64": 47_905_088,
    "vgg_face": 145_002_878 - 4097 * 2622,
}
UNVERIFIED = {"ir_se50", "mobiface", "nn4", "nns1", "nns2"}
# Millions of multiply-adds that the publications say, and how many digits of them.
MULTIPLY_ADDS = {
    "ghostfacenet_v1": pytest.approx(216, abs=5),
    "inception_resnet_v1": 1_418,
    "ir18": pytest.approx(2_620, abs=50),
    "ir50": pytest.approx(6_310, abs=50),
    "ir100": pytest.approx(12_100, abs=100),
    "mobile_facenet": 221,
    "nn1": pytest.approx(1_600, abs=50),
    "nn2": pytest.approx(1_600, abs=50),
    "nn4": pytest.approx(285, abs=5),
    "nns1": pytest.approx(220, abs=5),
    "nns2": pytest.approx(20, abs=5),
}
# Fraction of the features before the bottleneck that the publications drop, where they drop any.
DROPOUT = {
    **dict.fromkeys(["inception_resnet_v1", "inception_resnet_v2"], 0.2),
    **dict.fromkeys(["ir18", "ir34", "ir50", "ir100", "ir_se50"], 0.4),
    "vgg_face": 0.5,
}
# The smallest crops and layers that show what the whole network does.
SIZES = {
    "deepface": 71,
    "dlib_resnet": 103,
    "inception_resnet_v1": 80,
    "inception_resnet_v2": 80,
    "openface_nn4": 65,
    "openface_nn4_small1": 65,
    "openface_nn4_small2": 65,
}
OPTIONS = {"nn1": {"width": 64}, "vgg_face": {"width": 64}}
# What is run in the ordinary suite: one of each kind that is small; the others are slow.
QUICK = {
    "deepface",
    "nn1",
    "nns2",
    "residual_small",
    "sphereface20",
}
# Batch normalisation takes away what the bias before it adds.
BIAS_BEFORE_NORM = ("ir", "nn2", "nn3", "nn4", "nns", "openface")
# What layers without a kernel are called: by what they belong to and their kind, but for those that
# the papers name. Layers with a kernel have no such ending.
KINDS = {
    keras.layers.BatchNormalization: r".+_norm",
    models.ChannelAffine: r".+_norm",
    keras.layers.ReLU: r".+_relu",
    models.ChannelPReLU: r".+_prelu",
    models.Maxout: r".+_maxout",
    keras.layers.Activation: r".+_sigmoid",
    keras.layers.Rescaling: r".+_rescale",
    keras.layers.Multiply: r".+_scale",
    keras.layers.Add: r".+_sum",
    models.ScaledSum: r".+_sum",
    models.PaddedSum: r".+_sum",
    keras.layers.Concatenate: r".+_concat|(inception|mixed)_\d[a-z]",
    keras.layers.ZeroPadding2D: r".+_pad",
    NearestResize: r".+_resize",
    keras.layers.MaxPooling2D: r"(.+_)?pool\d?[a-z]?|m2",
    keras.layers.AveragePooling2D: r".+_pool",
    keras.layers.GlobalAveragePooling2D: r"(.+_)?pool",
    models.L2Pooling: r".+_pool",
    models.LocalResponseNormalization: r"(stem_)?response\d",
    keras.layers.Flatten: r"flatten",
    keras.layers.Dropout: r"dropout",
}
ENDINGS = r".+_(norm|p?relu|maxout|sigmoid|(re)?scale|add|sum|concat|pad|resize|pool|flatten)"
FRAME = ["pixels", "normalization", "embedding"]
SINGLE_PRECISION = ["normalization", "bottleneck", "bottleneck_norm", "embedding"]
KERAS_NAMES = (
    "conv2d_",
    "re_lu",
    "dense",
    "depthwise",
    "batch",
    "channel",
    "fused",
    "add",
    "concat",
    "max_pool",
    "average",
    "zero_pad",
    "local",
)


def preprocessing(name):
    return Preprocessing(size=SIZES.get(name, 48), normalization="per_image")


def small(name):
    return models.build(name, preprocessing=preprocessing(name), **OPTIONS.get(name, {}))


def pixels_for(name):
    size = SIZES.get(name, 48)
    return np.random.default_rng(0).integers(0, 256, (4, size, size, 3), dtype=np.uint8)


def marked(name):
    return pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)


EVERY = [marked(name) for name in models.names()]


@pytest.fixture(scope="module", params=models.names())
def published(request):
    """The network as published, but for its weights: they are 0."""
    with counts.zeros():
        model = models.build(
            request.param, preprocessing=models.published(request.param).preprocessing
        )
    yield model
    del model
    gc.collect()


@pytest.fixture(scope="module", params=EVERY)
def net(request):
    """A smaller one that is run, with the statistics of the pixels that it is run on.

    With those that it starts with, values grow from block to block, and rounding with them.
    """
    keras.utils.set_random_seed(1)
    model = small(request.param)
    norms = [each for each in model.layers if isinstance(each, keras.layers.BatchNormalization)]
    momenta = [layer.momentum for layer in norms]
    for layer in norms:
        layer.momentum = 0.0
    model(pixels_for(request.param), training=True)
    for layer, momentum in zip(norms, momenta, strict=True):
        layer.momentum = momentum
    return model


@pytest.fixture
def half_precision():
    keras.mixed_precision.set_global_policy("mixed_float16")
    yield
    keras.mixed_precision.set_global_policy("float32")


class TestPublished:
    def test_parameters(self, published):
        expected = PARAMETERS[published.name]
        assert counts.parameters(published.trainable_variables) == expected
        assert models.published(published.name).parameters == expected

    def test_what_was_not_verified_is_marked(self, published):
        assert models.published(published.name).verified == (published.name not in UNVERIFIED)

    def test_input_and_embedding(self, published):
        publication = models.published(published.name)
        width = publication.width or publication.size
        assert published.input_shape == (None, publication.size, width, 3)
        assert published.output_shape == (None, publication.embedding_size)

    def test_dropout(self, published):
        rates = [layer.rate for layer in published.layers if layer.name == "dropout"]
        assert rates == ([DROPOUT[published.name]] if published.name in DROPOUT else [])
        assert models.options_of(published.name)["dropout"] == sum(rates)

    def test_docstring_says_what_it_is(self, published):
        publication = models.published(published.name)
        said = inspect.getmodule(registry.function_of(published.name)).__doc__
        for figure in (publication.parameters, publication.embedding_size, publication.size):
            assert re.search(rf"\b{figure:,}\b|\b{figure}\b", said), figure
        assert "multiply-adds" in said
        author, said = publication.paper.split()[0].strip(","), " ".join(said.split())
        if author == "none:":
            assert "no paper" in said
            return
        places = re.findall(r"(?:Table|Figures?|section) [\d.]*\d", publication.paper)
        for named in (author, str(publication.year), *places):
            assert named in said, named

    @pytest.mark.parametrize("published", EVERY, indirect=True)
    def test_multiply_adds(self, published):
        counted = models.multiply_adds(published)
        assert counted == counts.multiply_adds(published)
        if published.name in MULTIPLY_ADDS:
            assert round(counted / 1e6) == MULTIPLY_ADDS[published.name]

    def test_layers(self, published):
        layers = published.layers
        assert not any(isinstance(layer, keras.layers.Lambda) for layer in layers)
        assert isinstance(layers[1], models.PixelNormalization)
        names = [layer.name for layer in layers]
        assert names[:2] == ["pixels", "normalization"]
        assert names[-2:] in (["bottleneck", "embedding"], ["bottleneck_norm", "embedding"])
        assert "bottleneck" in names[-3:]
        assert len(set(names)) == len(names)
        assert not [name for name in names if name.startswith(KERAS_NAMES)]
        assert names == [name.lower() for name in names]

    def test_names_follow_one_scheme(self, published):
        names = [layer.name for layer in published.layers]
        for layer in published.layers:
            if layer.name in FRAME:
                continue
            if isinstance(layer, counts.WEIGHTED):
                assert not re.fullmatch(ENDINGS, layer.name), layer.name
                continue
            (pattern,) = (each for kind, each in KINDS.items() if isinstance(layer, kind))
            assert re.fullmatch(pattern, layer.name), layer.name
            if re.fullmatch(ENDINGS, layer.name):
                owner = layer.name.rsplit("_", 1)[0]
                others = [name for name in names if name != layer.name]
                assert any(name.startswith(owner) for name in others), layer.name


class TestRun:
    def test_embeddings_are_unit_float32(self, net):
        embeddings = net(pixels_for(net.name))
        assert embeddings.shape == (4, models.published(net.name).embedding_size)
        assert embeddings.dtype == tf.float32
        np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-5)
        assert len(np.unique(np.round(embeddings, 4), axis=0)) == 4

    def test_uint8_and_float_pixels_are_the_same(self, net):
        pixels = pixels_for(net.name)
        reference = net(pixels)
        np.testing.assert_allclose(net(pixels.astype(np.float32)), reference, atol=1e-6)
        batches = tf.data.Dataset.from_tensor_slices(pixels).batch(2)
        np.testing.assert_allclose(net.predict(batches, verbose=0), reference, atol=1e-4)

    def test_gradient_reaches_every_variable(self, net):
        pixels = pixels_for(net.name)
        weights = tf.random.stateless_normal(net(pixels).shape, [1, 2])
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(weights * net(pixels, training=True))
        variables = net.trainable_variables
        for variable, gradient in zip(variables, tape.gradient(total, variables), strict=True):
            path = getattr(variable, "path", variable.name)
            assert gradient is not None, path
            assert np.all(np.isfinite(gradient)), path
            lost = net.name.startswith(BIAS_BEFORE_NORM) and path.split("/")[-1].startswith("bias")
            assert lost or np.any(gradient != 0), path

    def test_saves_and_loads_in_safe_mode(self, net, tmp_path):
        net.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
        pixels = pixels_for(net.name)
        np.testing.assert_array_equal(loaded(pixels), net(pixels))
        assert models.preprocessing_of(loaded) == preprocessing(net.name)
        assert loaded.name == net.name == models.name_of(loaded)

    def test_jit_gives_the_same(self, net):
        pixels = pixels_for(net.name)
        compiled = tf.function(net, jit_compile=True)(tf.constant(pixels))
        np.testing.assert_allclose(compiled, net(pixels), atol=1e-4)


# What a head puts between the last map and what follows.
HEADS = {
    "gap": ["pool"],
    "depthwise": ["pool", "pool_norm", "flatten"],
    "flatten": ["flatten_norm", "flatten"],
    "dense": ["flatten"],
}
NAMES_AND_HEADS = [
    *((name, head) for name in sorted(QUICK) for head in HEADS),
    *(
        pytest.param(name, head, marks=pytest.mark.slow)
        for name in models.names()
        if name not in QUICK
        for head in ("gap", "depthwise")
    ),
]


@pytest.mark.parametrize(("name", "head"), NAMES_AND_HEADS)
def test_options_and_half_precision(name, head, half_precision):
    """Any size, colour and head, and the last layers in float32 all the same."""
    size = max(SIZES.get(name, 48), 80)
    with counts.zeros():
        model = models.build(
            name,
            preprocessing=Preprocessing(size=size, width=size + 3, color="grey"),
            embedding_size=32,
            head=head,
            dropout=0.5,
            **OPTIONS.get(name, {}),
        )
    assert model.input_shape == (None, size, size + 3, 1)
    assert model.output_shape == (None, 32)
    assert model.get_layer("dropout").rate == 0.5
    names = [layer.name for layer in model.layers]
    assert [name for name in names if name.split("_")[0] in ("pool", "flatten")] == HEADS[head]
    for layer in model.layers[1:]:
        single = layer.name in SINGLE_PRECISION
        assert layer.compute_dtype == ("float32" if single else "float16"), layer.name
    assert all(tf.as_dtype(variable.dtype) == tf.float32 for variable in model.trainable_variables)
    pixels = np.zeros((1, size, size + 3, 1), np.uint8)
    assert model(pixels).dtype == tf.float32


def test_names():
    assert models.names() == sorted(PARAMETERS)


def test_unknown_name():
    with pytest.raises(ValueError, match="no architecture 'nn9'; there are deepface, "):
        models.build("nn9", preprocessing=Preprocessing())
    with pytest.raises(ValueError, match="no architecture 'nn9'; there are deepface, "):
        models.published("nn9")


def test_options_are_arguments_with_a_default():
    expected = {"multiplier": 1.3, "strides": 1, "head": "depthwise", "dropout": 0.0}
    assert models.options_of("ghostfacenet_v2") == expected
    assert models.options_of("nns1") == {"head": "dense", "dropout": 0.0}
    assert models.options_of("keras:MobileNet") == {"head": "gap", "dropout": 0.0}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"widht": 8}, "residual_small has no option 'widht'; it has dropout, head, width"),
        ({"width": 8.5}, "width must be a whole number, not 8.5"),
        ({"dropout": "half"}, "dropout must be a number, not 'half'"),
        ({"head": None}, "head must be a word, not None"),
    ],
)
def test_options_that_there_are_not(options, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        models.build("residual_small", preprocessing=Preprocessing(), **options)


def test_name_is_taken():
    with pytest.raises(ValueError, match="'nn2' is registered twice"):
        models.register("nn2", models.published("nn2"))(lambda pixels, embedding_size: pixels)


def test_crops_of_the_publication():
    assert models.published("nn2").preprocessing == Preprocessing(size=224)
    assert models.published("openface_nn4").preprocessing.normalization == "openface"


def test_preprocessing_of_a_foreign_model():
    pixels = keras.Input((8,))
    model = keras.Model(pixels, keras.layers.Dense(2)(pixels))
    with pytest.raises(ValueError, match="no PixelNormalization layer"):
        models.preprocessing_of(model)
