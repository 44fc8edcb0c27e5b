"""The local connection against sums in NumPy, with gradients, compiled and not."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.models import LocallyConnected
from facenet_tf.models.locally_connected import windows

JIT = pytest.mark.parametrize("jit", [False, True], ids=["graph", "jit"])
# height, width, channels, filters, size, strides
CASES = [
    (6, 6, 3, 4, 3, 1),
    (7, 5, 2, 3, 3, 2),
    (8, 9, 1, 2, 5, 2),
    (4, 4, 3, 5, 4, 1),
    (9, 9, 2, 2, 2, 3),
    (5, 6, 2, 3, 1, 1),
]
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))


def layer_for(case):
    height, width, channels, filters, size, strides = case
    layer = LocallyConnected(filters, size, strides, dtype="float64", name="local")
    layer.build((None, height, width, channels))
    random = np.random.default_rng(1)
    layer.set_weights([random.normal(size=weights.shape) for weights in layer.get_weights()])
    return layer


def pixels_for(case, batch=2):
    return np.random.default_rng(0).normal(size=(batch, *case[:3]))


def twin(x, kernel, bias, size, strides, slopes):
    """Outputs, and the gradients of their sum weighted with `slopes`: one place after the other."""
    outputs, by_x = np.zeros(slopes.shape), np.zeros_like(x)
    by_kernel, by_bias = np.zeros_like(kernel), slopes.sum(axis=0)
    for row, column in np.ndindex(*bias.shape[:2]):
        top, left = row * strides, column * strides
        window = np.s_[:, top : top + size, left : left + size]
        piece = x[window].reshape(len(x), -1)
        slope = slopes[:, row, column]
        outputs[:, row, column] = piece @ kernel[row, column] + bias[row, column]
        by_kernel[row, column] = piece.T @ slope
        by_x[window] += (slope @ kernel[row, column].T).reshape(x[window].shape)
    return outputs, by_x, by_kernel, by_bias


@JIT
@every_case
def test_values_and_gradients_equal_the_definition(case, jit):
    layer, x = layer_for(case), pixels_for(case)
    slopes = np.random.default_rng(2).normal(size=layer.compute_output_shape(x.shape))

    @tf.function(jit_compile=jit)
    def compute(x, slopes):
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = layer(x)
        sources = [x, *layer.trainable_variables]
        return [outputs, *tape.gradient(outputs, sources, output_gradients=slopes)]

    expected = twin(x, *layer.get_weights(), *case[4:], slopes)
    for found, value in zip(compute(tf.constant(x), tf.constant(slopes)), expected, strict=True):
        np.testing.assert_allclose(found, value, rtol=1e-10, atol=1e-10)


def test_with_one_kernel_everywhere_it_is_a_convolution():
    x = pixels_for((9, 8, 3)).astype(np.float32)
    layer = LocallyConnected(4, 3, 2)
    convolution = keras.layers.Conv2D(4, 3, 2)
    shape = layer(x).shape
    convolution.build(x.shape)
    kernel = np.random.default_rng(0).normal(size=(3, 3, 3, 4)).astype(np.float32)
    convolution.set_weights([kernel, np.zeros(4, np.float32)])
    everywhere = np.broadcast_to(kernel.reshape(27, 4), (*shape[1:3], 27, 4))
    layer.set_weights([everywhere, np.zeros(shape[1:], np.float32)])
    np.testing.assert_allclose(layer(x), convolution(x), atol=1e-5)


def test_order_within_a_window():
    x = np.arange(24.0).reshape(1, 3, 4, 2)
    expected = np.concatenate([x[0, 1, 2], x[0, 1, 3], x[0, 2, 2], x[0, 2, 3]])
    np.testing.assert_array_equal(windows(tf.constant(x), 2)[0, 1, 2], expected)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision(dtype):
    case = CASES[0]
    layer, x = LocallyConnected(4, 3, dtype=f"mixed_{dtype}"), pixels_for(case)
    outputs = layer(tf.cast(x, dtype))
    assert outputs.dtype == dtype
    assert all(variable.dtype == "float32" for variable in layer.trainable_variables)
    slopes = np.zeros(outputs.shape)
    expected, *_ = twin(x, *layer.get_weights(), *case[4:], slopes)
    np.testing.assert_allclose(tf.cast(outputs, tf.float32), expected, rtol=0.05, atol=0.05)


def test_batch_of_any_size_without_tracing_anew():
    layer = layer_for(CASES[1])
    function = tf.function(layer, input_signature=[tf.TensorSpec([None, *CASES[1][:3]], "float64")])
    for batch in (1, 3):
        x = pixels_for(CASES[1], batch)
        np.testing.assert_allclose(function(x), layer(x))


def test_starts_with_the_deviation_of_he():
    layer = LocallyConnected(20, 3)
    layer.build((None, 30, 30, 8))
    assert np.std(layer.kernel) == pytest.approx(np.sqrt(2 / 72), rel=0.02)
    assert not np.any(layer.bias)


def test_saves_and_loads_in_safe_mode(tmp_path):
    inputs = keras.Input((7, 5, 2))
    outputs = LocallyConnected(3, 3, 2, name="local")(inputs)
    assert outputs.shape == (None, 3, 2, 3)
    model = keras.Model(inputs, outputs)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    x = pixels_for(CASES[1]).astype(np.float32)
    np.testing.assert_array_equal(loaded(x), model(x))


def test_a_map_smaller_than_a_window():
    with pytest.raises(ValueError, match=r"no window of 5 in \(4, 6\)"):
        LocallyConnected(3, 5).build((None, 4, 6, 2))
