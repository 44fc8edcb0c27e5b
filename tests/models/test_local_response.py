import keras
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.models import LocalResponseNormalization


def twin(x, size, alpha, beta, bias):
    """The formula, channel by channel."""
    outputs = np.zeros_like(x)
    for channel in range(x.shape[-1]):
        neighbours = x[..., max(0, channel - size // 2) : channel + size // 2 + 1]
        squares = np.sum(np.square(neighbours), axis=-1)
        outputs[..., channel] = x[..., channel] / (bias + alpha / size * squares) ** beta
    return outputs


@pytest.mark.parametrize("jit", [False, True], ids=["graph", "jit"])
@pytest.mark.parametrize("numbers", [(5, 1e-4, 0.75, 1.0), (3, 0.5, 0.5, 2.0)], ids=str)
def test_equals_the_formula(numbers, jit):
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 8)) * 30
    layer = LocalResponseNormalization(*numbers)
    found = tf.function(layer, jit_compile=jit)(tf.constant(x, tf.float32))
    np.testing.assert_allclose(found, twin(x, *numbers), rtol=1e-5)


def test_gradient_equals_differences():
    x = tf.constant(np.random.default_rng(0).normal(size=(1, 1, 1, 6)), tf.float32)
    layer = LocalResponseNormalization(3, 0.5, 0.75, 1.0)
    theoretical, numerical = tf.test.compute_gradient(layer, [x])
    np.testing.assert_allclose(theoretical[0], numerical[0], atol=1e-3)


def test_squares_of_float16_do_not_overflow():
    x = tf.fill([1, 1, 1, 5], tf.constant(1000.0, tf.float16))
    outputs = LocalResponseNormalization(dtype="float16")(x)
    assert outputs.dtype == tf.float16
    np.testing.assert_allclose(outputs, twin(np.full((1, 1, 1, 5), 1000.0), 5, 1e-4, 0.75, 1), 5e-3)


def test_saves_and_loads_in_safe_mode(tmp_path):
    inputs = keras.Input((2, 2, 6))
    model = keras.Model(inputs, LocalResponseNormalization(3, 0.5, 0.5, 2.0)(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    x = np.random.default_rng(0).normal(size=(1, 2, 2, 6)).astype(np.float32)
    np.testing.assert_array_equal(loaded(x), model(x))


def test_even_size():
    with pytest.raises(ValueError, match="size must be odd, not 4"):
        LocalResponseNormalization(4)
