import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.losses import mean_loss, n_pairs

from .contract import LABELS, ROWS
from .twin import unit

RANDOM = np.random.default_rng(31)


def test_positives_then_anchors_give_the_papers_tuples():
    """Sohn 2016: anchor i, positive i, and as negatives the positives of the other classes."""
    positives, anchors = RANDOM.normal(size=(2, 5, 3))
    products = anchors @ positives.T
    expected = np.log(np.exp(products - np.diag(products)[:, None]).sum(axis=1))
    rows = tf.constant(np.concatenate([positives, anchors]))
    result = n_pairs(rows, tf.constant(np.tile(np.arange(5), 2)))
    np.testing.assert_allclose(result.loss[5:], expected, rtol=1e-5)
    np.testing.assert_array_equal(result.weight, 1)


def test_order_of_the_classes_is_irrelevant():
    """While each class keeps the order of its own rows."""
    order = np.argsort(np.array([3, 0, 4, 1, 2])[LABELS], kind="stable")
    losses = n_pairs(tf.constant(ROWS), tf.constant(LABELS)).loss.numpy()
    moved = n_pairs(tf.constant(ROWS[order]), tf.constant(LABELS[order])).loss.numpy()
    np.testing.assert_allclose(moved, losses[order], rtol=1e-5, atol=1e-6)


def test_rows_after_the_first_of_a_class_represent_nobody():
    rows, labels = unit(RANDOM.normal(size=(6, 3))), np.array([0, 0, 1, 1, 1, 0])
    before = n_pairs(tf.constant(rows), tf.constant(labels)).loss.numpy()
    rows[4] *= -1
    after = n_pairs(tf.constant(rows), tf.constant(labels)).loss.numpy()
    changed = np.flatnonzero(np.abs(after - before) > 1e-6)
    np.testing.assert_array_equal(changed, [4])


def test_the_l2_term_is_a_quarter_of_both_squared_lengths():
    rows, labels = tf.constant(RANDOM.normal(size=(6, 3))), tf.constant([0, 0, 1, 1, 2, 2])
    lengths = np.square(rows).sum(axis=1)
    expected = 0.3 * (lengths + lengths[[1, 0, 3, 2, 5, 4]]) / 4
    found = n_pairs(rows, labels, l2=0.3).loss - n_pairs(rows, labels).loss
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_collapse():
    rows = tf.ones([8, 3])
    with tf.GradientTape() as tape:
        tape.watch(rows)
        value = mean_loss(n_pairs(rows, tf.constant([0, 0, 1, 1, 2, 2, 3, 3])))
    assert float(value) == pytest.approx(np.log(4))
    # The first rows of the classes are pushed along themselves, which is lost at unit length.
    gradient = tape.gradient(value, rows).numpy()
    np.testing.assert_allclose(gradient, gradient[:, :1] * np.ones(3), atol=1e-6)
