import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.losses import contrastive_all, contrastive_batch_hard, mean_loss

BOTH = pytest.mark.parametrize("loss", [contrastive_all, contrastive_batch_hard])


def value_and_gradient(loss, rows, labels, **options):
    rows = tf.constant(rows, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(rows)
        value = mean_loss(loss(rows, tf.constant(labels), **options))
    return float(value), tape.gradient(value, rows).numpy()


@BOTH
def test_a_negative_beyond_the_margin_is_left_alone(loss):
    rows, labels = [[0.0, 0.0], [3.0, 4.0]], [0, 1]
    assert value_and_gradient(loss, rows, labels, margin=5.5)[0] == pytest.approx(0.125)
    for margin in (5.0, 4.0):
        value, gradient = value_and_gradient(loss, rows, labels, margin=margin)
        assert value == 0 and not gradient.any()


@BOTH
def test_the_gradient_is_the_spring_of_the_paper(loss):
    """`d` towards a positive, `margin - d` away from a negative; a pair is met from both ends,
    and the mean is over two."""
    rows = [[0.0, 0.0], [3.0, 4.0]]
    _, together = value_and_gradient(loss, rows, [0, 0])
    np.testing.assert_allclose(together, [[-3, -4], [3, 4]], rtol=1e-5)
    _, apart = value_and_gradient(loss, rows, [0, 1], margin=7.0)
    np.testing.assert_allclose(apart, 2 * np.array([[0.6, 0.8], [-0.6, -0.8]]), rtol=1e-5)


@BOTH
def test_collapse(loss):
    """Positives are content, negatives pay in full, and nothing tells them which way to go."""
    value, gradient = value_and_gradient(loss, np.ones([4, 3]), [0, 0, 1, 1], margin=1.2)
    share = 2 / 3 if loss is contrastive_all else 1 / 2
    assert value == pytest.approx(share * 1.2**2 / 2)
    assert not gradient.any()


def test_anchors_with_one_kind_of_pair_count_with_it():
    rows, labels = tf.constant([[0.0], [0.5], [0.8]]), tf.constant([0, 0, 1])
    every, hard = contrastive_all(rows, labels), contrastive_batch_hard(rows, labels)
    assert every.weight.numpy().tolist() == [2, 2, 2]
    assert hard.weight.numpy().tolist() == [2, 2, 1]
    losses = {"far": 0.5 * 0.2**2, "near": 0.5 * 0.7**2}
    assert float(every.loss[2]) == pytest.approx(np.mean(list(losses.values())), rel=1e-4)
    assert float(hard.loss[2]) == pytest.approx(losses["near"], rel=1e-4)
