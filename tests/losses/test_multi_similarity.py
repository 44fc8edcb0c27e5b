import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.losses import mean_loss, multi_similarity

from .contract import LABELS, ROWS
from .twins.pairs import multi_similarity as twin


def compute(rows, labels, **options):
    rows = tf.constant(rows, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(rows)
        result = multi_similarity(rows, tf.constant(labels), **options)
        value = mean_loss(result)
    return result, float(value), tape.gradient(value, rows).numpy()


def test_above_two_nothing_is_mined_away():
    cosines = ROWS @ ROWS.T
    same = LABELS[:, None] == LABELS
    losses = []
    for a in range(len(ROWS)):
        positives = np.delete(cosines[a], a)[np.delete(same[a], a)]
        if len(positives):
            attraction = np.log1p(np.exp(-2 * (positives - 0.5)).sum()) / 2
            losses.append(
                attraction + np.log1p(np.exp(50 * (cosines[a][~same[a]] - 0.5)).sum()) / 50
            )
    assert compute(ROWS, LABELS, epsilon=3.0)[1] == pytest.approx(np.mean(losses), rel=1e-5)


def test_one_pair_of_each_kind():
    """At the base both sums are one term of size 1."""
    rows = [[1.0, 0.0], [0.5, 0.75**0.5], [0.5, -(0.75**0.5)]]
    result, _, _ = compute(rows, [0, 0, 1])
    assert float(result.loss[0]) == pytest.approx(np.log(2) / 2 + np.log(2) / 50, rel=1e-5)


def test_anchors_that_have_it_all_right_count_with_nothing():
    rows, labels = np.repeat(np.eye(3), 2, axis=0), [0, 0, 1, 1, 2, 2]
    result, value, gradient = compute(rows, labels)
    assert value == 0 and not gradient.any()
    assert result.weight.numpy().tolist() == [1] * 6
    assert compute(rows, labels, epsilon=3.0)[1] > 0.1


def test_a_positive_alone_or_a_negative_alone_does_not_count():
    result, value, _ = compute(ROWS[:4], [0, 0, 0, 0], epsilon=3.0)
    assert value == 0 and not result.weight.numpy().any()
    result, _, _ = compute(ROWS[:4], [0, 0, 0, 1], epsilon=3.0)
    assert result.weight.numpy().tolist() == [1, 1, 1, 0]


def test_collapse():
    rows, labels = np.tile(ROWS[:1], (6, 1)), [0, 0, 1, 1, 2, 2]
    _, value, gradient = compute(rows, labels)
    assert value == pytest.approx(twin(rows, labels), rel=1e-5)
    expected = np.log1p(np.exp(-1)) / 2 + np.log1p(4 * np.exp(25)) / 50
    assert value == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(gradient, 0, atol=1e-5)
