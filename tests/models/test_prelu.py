import keras
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.models import ChannelPReLU

RANDOM = np.random.default_rng(0)
JIT = pytest.mark.parametrize("jit", [False, True], ids=["graph", "jit"])
SHAPES = pytest.mark.parametrize(
    "shape", [(3, 8, 8, 4), (2, 5, 28, 3), (2, 1, 1, 6), (1, 3, 17, 2)]
)


def run(layer, x, weights, training, jit):
    """Outputs, and gradients of their weighted sum by the input and the slopes."""

    @tf.function(jit_compile=jit)
    def compute(x, weights):
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = layer(x, training=training)
            total = tf.reduce_sum(outputs * weights)
        return [outputs, *tape.gradient(total, [x, *layer.trainable_variables])]

    return [np.asarray(each, np.float64) for each in compute(x, weights)]


def twin(x, alpha, weights):
    negative = x < 0
    slope = np.where(negative, alpha, 1.0)
    return x * slope, weights * slope, np.sum(np.where(negative, x, 0) * weights, axis=(0, 1, 2))


def data(shape, dtype=tf.float32):
    """Inputs without zeros, where a rectifier has no slope, and weights of the outputs."""
    return (tf.cast(RANDOM.normal(size=shape), dtype) for _ in range(2))


def layer_for(shape, **options):
    layer = ChannelPReLU(**options)
    layer.build(shape)
    layer.set_weights([RANDOM.uniform(-0.5, 1.5, shape[-1])])
    return layer


@JIT
@SHAPES
@pytest.mark.parametrize("training", [False, True])
def test_value_and_gradients(shape, training, jit):
    layer = layer_for(shape)
    x, weights = data(shape)
    found = run(layer, x, weights, training, jit)
    expected = twin(*(np.asarray(each, np.float64) for each in (x, layer.alpha, weights)))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


@JIT
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_sums_are_float32_in_mixed_precision(dtype, jit):
    """Sixteen thousand ones: a sum in bfloat16 stops at 256, one in float16 at 2,048."""
    layer = ChannelPReLU(dtype=f"mixed_{dtype}")
    x = -tf.ones([4, 64, 64, 2], dtype)
    outputs, _, by_slope = run(layer, x, tf.ones_like(x), True, jit)
    np.testing.assert_array_equal(outputs, -0.25)
    np.testing.assert_allclose(by_slope, -16384, rtol=2**-8)


def test_slopes_start_at_a_quarter_and_are_not_decayed():
    layer = ChannelPReLU()
    layer.build((None, 4, 4, 3))
    np.testing.assert_array_equal(layer.alpha, [0.25] * 3)
    (variable,) = layer.trainable_variables
    assert getattr(variable, "path", variable.name).split("/")[-1].split(":")[0] == "alpha"


def test_nan_is_not_hidden():
    x = np.array([1.0, -1.0, np.nan], np.float32).reshape(1, 1, 3, 1)
    for training in (False, True):
        values = ChannelPReLU()(x, training=training)
        np.testing.assert_array_equal(np.isnan(values).ravel(), [False, False, True])


def test_saves_and_loads_in_safe_mode(tmp_path):
    inputs = keras.Input((4, 4, 3))
    model = keras.Model(inputs, ChannelPReLU(name="prelu")(inputs))
    model.set_weights([np.array([0.1, 0.2, 0.3])])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    x = RANDOM.normal(size=(2, 4, 4, 3)).astype(np.float32)
    np.testing.assert_array_equal(loaded(x), model(x))
