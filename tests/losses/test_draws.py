import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from facenet_tf.losses.draws import uniform


def drawn(*seed, jit=False):
    return tf.function(lambda given: uniform([100, 50], given), jit_compile=jit)(
        tf.constant(seed)
    ).numpy()


def test_same_with_and_without_xla():
    """What the function is for: those of TensorFlow itself are not."""
    np.testing.assert_array_equal(drawn(3, 8), drawn(3, 8, jit=True))


def test_uniform():
    values = drawn(3, 8).ravel()
    assert values.min() >= 0 and values.max() < 1
    assert scipy.stats.kstest(values, "uniform").pvalue > 1e-3
    assert np.corrcoef(values[1:], values[:-1])[0, 1] == pytest.approx(0, abs=0.05)


def test_another_seed_draws_anew():
    assert np.mean(drawn(3, 8) == drawn(3, 9)) < 0.01
