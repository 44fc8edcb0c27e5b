import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.losses import paired_distances, pairwise_distances

from .twin import unit

ROWS = unit(np.random.default_rng(1).normal(size=(10, 6)))


def value_and_gradient(function, rows, jit):
    @tf.function(jit_compile=jit)
    def compute(rows):
        with tf.GradientTape() as tape:
            tape.watch(rows)
            values = function(rows)
            total = tf.reduce_sum(values)
        return values, tape.gradient(total, rows)

    values, gradient = compute(tf.constant(rows, tf.float32))
    return values.numpy(), gradient.numpy()


def twin(rows, squared):
    distances = np.sum((rows[:, None] - rows[None]) ** 2, axis=2)
    return distances if squared else np.sqrt(distances)


@pytest.mark.parametrize("squared", [False, True])
def test_pairwise_equals_twin(squared, jit):
    values, gradient = value_and_gradient(
        lambda x: pairwise_distances(x, "squared" if squared else "plain"), ROWS, jit
    )
    np.testing.assert_allclose(values, twin(ROWS, squared), atol=2e-6)

    difference = ROWS[:, None] - ROWS[None]
    length = np.linalg.norm(difference, axis=2, keepdims=True)
    slope = 2 * difference if squared else difference / np.where(length > 0, length, 1)
    np.testing.assert_allclose(gradient, 2 * slope.sum(axis=1), atol=2e-5)


@pytest.mark.parametrize("rows", [np.zeros((4, 3)), np.ones((4, 3)), ROWS[[0, 0, 1, 1]]])
def test_pairwise_is_finite_where_rows_coincide(rows, jit):
    values, gradient = value_and_gradient(pairwise_distances, rows, jit)
    assert np.all(np.isfinite(values)) and np.all(np.isfinite(gradient))
    np.testing.assert_array_equal(np.diag(values), 0)
    np.testing.assert_allclose(values, twin(rows.astype(np.float64), False), atol=2e-3)


def test_pairwise_resolves_a_collapsing_batch(jit):
    rows = np.float32(unit(ROWS[:1] + 1e-4 * np.random.default_rng(2).normal(size=(8, 6))))
    values, _ = value_and_gradient(pairwise_distances, rows, jit)
    np.testing.assert_allclose(values, twin(rows.astype(np.float64), False), rtol=1e-3, atol=1e-9)


@pytest.mark.parametrize("squared", [False, True])
def test_paired_is_accurate_for_near_duplicates(squared, jit):
    rows = np.float32(ROWS)
    others = np.nextafter(rows, np.float32(2))
    values, gradient = value_and_gradient(
        lambda x: paired_distances(x, tf.constant(others), "squared" if squared else "plain"),
        rows,
        jit,
    )
    expected = np.linalg.norm(rows.astype(np.float64) - others, axis=1)
    np.testing.assert_allclose(values, expected**2 if squared else expected, rtol=1e-4)
    assert np.all(np.isfinite(gradient))


def test_nan_is_not_hidden(jit):
    rows = ROWS.copy()
    rows[3, 2] = np.nan
    values, _ = value_and_gradient(
        lambda x: paired_distances(x, tf.constant(ROWS, x.dtype)), rows, jit
    )
    np.testing.assert_array_equal(np.isnan(values), np.arange(10) == 3)


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.float64])
def test_results_are_float32(dtype):
    rows = tf.constant(ROWS, dtype)
    assert pairwise_distances(rows).dtype == tf.float32
    assert paired_distances(rows, rows).dtype == tf.float32
