import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.losses import mean_loss, supervised_contrastive

from .contract import ROWS


def test_two_views_are_nt_xent():
    """Chen et al. 2020, eq. 1, as a cross-entropy of which of the others is the other view."""
    logits = ROWS @ ROWS.T / 0.2
    np.fill_diagonal(logits, -np.inf)
    partner = (np.arange(16) + 8) % 16
    expected = np.logaddexp.reduce(logits, axis=1) - logits[np.arange(16), partner]
    labels = tf.constant(np.tile(np.arange(8), 2))
    result = supervised_contrastive(tf.constant(ROWS), labels, temperature=0.2)
    np.testing.assert_allclose(result.loss, expected, rtol=1e-5)


def test_one_class_alone_competes_with_itself():
    result = supervised_contrastive(tf.eye(4), tf.zeros(4, tf.int32))
    np.testing.assert_allclose(result.loss, np.log(3), rtol=1e-5)
    np.testing.assert_array_equal(result.weight, 1)


def test_anchors_without_positives_do_not_count():
    result = supervised_contrastive(tf.eye(4), tf.constant([0, 0, 1, 2]))
    np.testing.assert_array_equal(result.weight, [1, 1, 0, 0])
    np.testing.assert_array_equal(result.loss[2:], 0)


def test_low_temperatures_do_not_overflow(jit):
    @tf.function(jit_compile=jit)
    def step(rows):
        with tf.GradientTape() as tape:
            tape.watch(rows)
            labels = tf.range(16, dtype=tf.int32) // 2
            value = mean_loss(supervised_contrastive(rows, labels, temperature=1e-3))
        return value, tape.gradient(value, rows)

    value, gradient = step(tf.constant(ROWS, tf.float32))
    logits = ROWS @ ROWS.T / 1e-3
    np.fill_diagonal(logits, -np.inf)
    partner = np.arange(16) ^ 1
    expected = logits.max(axis=1) - logits[np.arange(16), partner]
    assert float(value) == pytest.approx(expected.mean(), rel=1e-3)
    assert np.all(np.isfinite(gradient))


def test_collapse():
    rows = tf.constant(np.tile(ROWS[:1], (8, 1)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(rows)
        value = mean_loss(supervised_contrastive(rows, tf.constant([0, 0, 1, 1, 2, 2, 3, 3])))
    assert float(value) == pytest.approx(np.log(7), rel=1e-5)
    np.testing.assert_allclose(tape.gradient(value, rows), 0, atol=1e-5)
