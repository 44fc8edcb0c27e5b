"""The depthwise convolution against a NumPy twin and against TensorFlow's."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.models import DepthwiseConvolution
from facenet_tf.models.depthwise import depthwise_convolution

RANDOM = np.random.default_rng(0)
# height, width, channels, kernel's height and width, strides, padding
CASES = [
    (8, 8, 16, 3, 3, 1, "same"),
    (7, 7, 16, 3, 3, 1, "same"),
    (8, 8, 16, 3, 3, 2, "same"),
    (7, 7, 16, 3, 3, 2, "same"),
    (9, 6, 5, 3, 3, 2, "same"),
    (9, 6, 5, 3, 3, 1, "valid"),
    (8, 9, 4, 3, 3, 2, "valid"),
    (7, 7, 32, 7, 7, 1, "valid"),
    (5, 4, 8, 5, 4, 1, "valid"),
    (6, 7, 3, 5, 3, 1, "same"),
    (10, 11, 3, 5, 4, 2, "same"),
    (10, 10, 2, 3, 3, 3, "same"),
    (6, 6, 2, 2, 2, 3, "valid"),
    (2, 2, 3, 3, 3, 1, "same"),
    (1, 1, 4, 3, 3, 1, "same"),
    (1, 1, 4, 3, 3, 2, "same"),
    (2, 1, 4, 3, 3, 2, "same"),
]
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))


def tensors(case, batch=3, dtype=np.float64):
    height, width, channels, rows, columns, *_ = case
    x = RANDOM.normal(size=(batch, height, width, channels))
    kernel = RANDOM.normal(size=(rows, columns, channels, 1))
    return x.astype(dtype), kernel.astype(dtype)


def run(convolve, x, kernel, dtype=tf.float64):
    """Outputs, and gradients of their weighted sum, all as float64."""
    return run_all([(convolve, x, kernel, dtype)])[0]


def run_all(given, jit=False):
    """The same for several (convolution, x, kernel, dtype), compiled together, which is quicker."""

    def results(convolve, x, kernel):
        with tf.GradientTape() as tape:
            tape.watch([x, kernel])
            outputs = convolve(x, kernel)
        weights = tf.cast(np.random.default_rng(1).normal(size=outputs.shape), x.dtype)
        return [outputs, *tape.gradient(outputs, [x, kernel], weights)]

    @tf.function(jit_compile=jit)
    def compute(numbers):
        return [results(one[0], *two) for one, two in zip(given, numbers, strict=True)]

    # As arguments: constants would be computed with by the compiler.
    numbers = [[tf.constant(each, dtype) for each in (x, kernel)] for _, x, kernel, dtype in given]
    return [[np.asarray(each, np.float64) for each in found] for found in compute(numbers)]


def ours(case):
    *_, strides, padding = case
    return lambda x, kernel: depthwise_convolution(x, kernel, strides, padding)


def tensorflows(case):
    *_, strides, padding = case
    steps = [1, strides, strides, 1]
    return lambda x, kernel: tf.nn.depthwise_conv2d(x, kernel, steps, padding.upper())


def twin(x, kernel, strides, padding):
    """The sum of the definition, in NumPy."""
    size, places, before = kernel.shape[:2], [], []
    for side, width in zip(x.shape[1:3], size, strict=True):
        places.append(-(-side // strides) if padding == "same" else (side - width) // strides + 1)
        lacking = max((places[-1] - 1) * strides + width - side, 0) if padding == "same" else 0
        before.append(lacking // 2)
    outputs = np.zeros((len(x), *places, x.shape[3]))
    for row, column, i, j in np.ndindex(*places, *size):
        at = row * strides + i - before[0], column * strides + j - before[1]
        if 0 <= at[0] < x.shape[1] and 0 <= at[1] < x.shape[2]:
            outputs[:, row, column] += x[:, at[0], at[1]] * kernel[i, j, :, 0]
    return outputs


@every_case
def test_values_equal_the_definition(case):
    x, kernel = tensors(case)
    *_, strides, padding = case
    found = depthwise_convolution(tf.constant(x), tf.constant(kernel), strides, padding)
    np.testing.assert_allclose(found, twin(x, kernel, strides, padding), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("jit", [False, True], ids=["graph", "jit"])
def test_values_and_gradients_equal_tensorflows_in_float64(jit):
    given = [(case, *tensors(case), tf.float64) for case in CASES]
    found = run_all([(ours(case), *rest) for case, *rest in given], jit)
    expected = run_all([(tensorflows(case), *rest) for case, *rest in given])
    for case, all_mine, all_theirs in zip(CASES, found, expected, strict=True):
        for mine, theirs in zip(all_mine, all_theirs, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-10, err_msg=str(case))


@pytest.mark.parametrize("jit", [False, True], ids=["graph", "jit"])
def test_rounding_is_that_of_the_type(jit):
    """Against float64 on the same rounded numbers: sums are float32 at least, results rounded."""
    steps = {tf.float32: 2.0**-20, tf.bfloat16: 2.0**-7, tf.float16: 2.0**-9}
    chosen = [(CASES[number], dtype) for number in (0, 2, 7) for dtype in steps]
    rounded = [[tf.cast(each, dtype).numpy() for each in tensors(case)] for case, dtype in chosen]
    given = [(*one, *two) for one, two in zip(chosen, rounded, strict=True)]
    found = run_all([(ours(case), x, kernel, dtype) for case, dtype, x, kernel in given], jit)
    for (case, dtype, x, kernel), all_mine in zip(given, found, strict=True):
        exact = run(tensorflows(case), x.astype(np.float64), kernel.astype(np.float64))
        step = steps[dtype]
        for mine, theirs in zip(all_mine, exact, strict=True):
            atol = step * np.abs(theirs).max()
            np.testing.assert_allclose(mine, theirs, rtol=step, atol=atol, err_msg=str(case))


def test_batch_of_any_size_without_tracing_anew():
    function = tf.function(
        lambda x, kernel: depthwise_convolution(x, kernel, 1, "same"),
        input_signature=[
            tf.TensorSpec([None, 7, 7, 4]),
            tf.TensorSpec([3, 3, 4, 1]),
        ],
    )
    for batch in (1, 5):
        x, kernel = tensors((7, 7, 4, 3, 3, 1, "same"), batch, np.float32)
        np.testing.assert_allclose(function(x, kernel), twin(x, kernel, 1, "same"), atol=1e-5)


def test_gradient_of_the_kernel_alone():
    """As for the first layer of a network, whose input is not asked for."""
    x, kernel = (tf.constant(values) for values in tensors(CASES[0]))
    found = []
    for convolve in (ours(CASES[0]), tensorflows(CASES[0])):
        with tf.GradientTape() as tape:
            tape.watch(kernel)
            outputs = convolve(x, kernel)
        found.append(tape.gradient(outputs, kernel))
    np.testing.assert_allclose(*found, rtol=1e-10)


@pytest.mark.parametrize("gpus", [0, 1])
@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
@pytest.mark.parametrize("strides", [1, 2])
def test_type_of_the_gradient_by_the_input(monkeypatch, strides, dtype, gpus):
    """It is taken in float32 where that is faster: with a stride, in bfloat16, on a CPU."""
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind] * gpus)

    @tf.function
    def compute(x, kernel):
        return tf.gradients(depthwise_convolution(x, kernel, strides, "same"), [x, kernel])

    x, kernel = (tf.cast(values, dtype) for values in tensors(CASES[0]))
    operations = compute.get_concrete_function(x, kernel).graph.get_operations()
    (found,) = (each for each in operations if each.type.endswith("BackpropInput"))
    single = strides == 2 and dtype == "bfloat16" and not gpus
    assert found.outputs[0].dtype == ("float32" if single else dtype)


class TestLayer:
    def layer(self, **options):
        return DepthwiseConvolution(3, name="convolution", **options)

    @pytest.mark.parametrize("options", [{}, {"strides": 2}, {"padding": "valid"}])
    def test_equals_keras(self, options):
        x = tensors(CASES[0], dtype=np.float32)[0]
        ours, theirs = (
            self.layer(**options),
            keras.layers.DepthwiseConv2D(3, use_bias=False, **({"padding": "same"} | options)),
        )
        ours.build(x.shape), theirs.build(x.shape)
        theirs.set_weights(ours.get_weights())
        np.testing.assert_allclose(ours(x), theirs(x), atol=1e-5)

    def test_shape_of_the_output_is_known_beforehand(self):
        inputs = keras.Input((9, 8, 6))
        assert self.layer(strides=2)(inputs).shape == (None, 5, 4, 6)

    def test_starts_with_the_deviation_of_he(self):
        layer = DepthwiseConvolution(5)
        layer.build((None, 9, 9, 4000))
        assert np.std(layer.kernel) == pytest.approx(np.sqrt(2 / 25), rel=0.02)

    def test_config(self):
        initializer = keras.initializers.Constant(0.25)
        layer = DepthwiseConvolution((4, 5), 2, "valid", initializer)
        again = DepthwiseConvolution.from_config(layer.get_config())
        again.build((None, 9, 9, 2))
        assert (again.size, again.strides, again.padding) == ((4, 5), 2, "valid")
        np.testing.assert_array_equal(again.kernel, np.full((4, 5, 2, 1), 0.25, np.float32))

    def test_saves_and_loads_in_safe_mode(self, tmp_path):
        inputs = keras.Input((6, 6, 4))
        model = keras.Model(inputs, self.layer()(inputs))
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
        x = tensors((6, 6, 4, 3, 3), dtype=np.float32)[0]
        np.testing.assert_array_equal(loaded(x), model(x))

    def test_unknown_padding(self):
        with pytest.raises(ValueError, match='padding must be "same" or "valid"'):
            self.layer(padding="causal")
