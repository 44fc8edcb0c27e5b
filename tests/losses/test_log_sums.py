import numpy as np
import tensorflow as tf

from facenet_tf.losses.log_sums import log_one_plus_sum_exp, log_sum_exp

VALUES = np.array([[1.0, 2.0, 3.0], [600.0, 601.0, -600.0], [-700.0, 9.0, -701.0], [5.0, 6.0, 7.0]])
COUNTED = np.array([[1, 0, 1], [1, 1, 1], [1, 0, 1], [0, 0, 0]], bool)


def value_and_gradient(function, values, jit):
    @tf.function(jit_compile=jit)
    def compute(values):
        with tf.GradientTape() as tape:
            tape.watch(values)
            sums = function(values, tf.constant(COUNTED))
        return sums, tape.gradient(sums, values)

    return [each.numpy() for each in compute(tf.constant(values, tf.float32))]


def test_sums_and_gradients_at_any_size(jit):
    sums, gradient = value_and_gradient(log_sum_exp, VALUES, jit)
    expected = [np.logaddexp(1, 3), np.logaddexp(600, 601), np.logaddexp(-700, -701), 0]
    np.testing.assert_allclose(sums, expected, rtol=1e-6)
    share = 1 / (1 + np.e)
    softmax = [[1 / (1 + np.e**2), 0, 1 / (1 + np.e**-2)], [share, 1 - share, 0]]
    softmax += [[1 - share, 0, share], [0, 0, 0]]
    np.testing.assert_allclose(gradient, softmax, rtol=1e-5, atol=1e-7)


def test_one_plus(jit):
    sums, gradient = value_and_gradient(log_one_plus_sum_exp, VALUES, jit)
    expected = [np.log(1 + np.exp(1) + np.exp(3)), np.logaddexp(600, 601), 0, 0]
    np.testing.assert_allclose(sums, expected, rtol=1e-6)
    assert np.all(np.isfinite(gradient)) and not gradient[3].any()


def test_what_does_not_count_may_be_infinite(jit):
    values = np.where(COUNTED, VALUES, np.inf)
    sums, gradient = value_and_gradient(log_sum_exp, values, jit)
    np.testing.assert_array_equal(sums, value_and_gradient(log_sum_exp, VALUES, jit)[0])
    assert np.all(np.isfinite(gradient))
