import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.losses import circle, mean_loss

from .contract import LABELS, ROWS
from .twin import finite_differences, unit
from .twins.pairs import circle as twin


def compute(rows, labels, jit=False, **options):
    @tf.function(jit_compile=jit)
    def step(rows):
        with tf.GradientTape() as tape:
            tape.watch(rows)
            value = mean_loss(circle(rows, tf.constant(labels), **options))
        return value, tape.gradient(value, rows)

    value, gradient = step(tf.constant(rows, tf.float32))
    return float(value), gradient.numpy()


@pytest.mark.parametrize("options", [{}, {"margin": 0.4, "gamma": 80.0}])
def test_equals_twin_whose_weights_are_held(options):
    value, gradient = compute(ROWS, LABELS, **options)
    assert value == pytest.approx(twin(ROWS, LABELS, **options), rel=1e-5)
    held = functools.partial(twin, labels=LABELS, held=ROWS, **options)
    expected = finite_differences(held, ROWS)
    np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


@pytest.mark.skipif(not hasattr(keras.losses, "circle"), reason="Keras has it from 3.0 on")
def test_equals_keras_on_whole_classes():
    labels = np.repeat(np.arange(4), 4)
    ours = circle(tf.constant(ROWS, tf.float32), tf.constant(labels), margin=0.4, gamma=80.0)
    theirs = keras.losses.circle(labels, np.float32(ROWS), margin=0.4, gamma=80)
    np.testing.assert_allclose(ours.loss, theirs, rtol=1e-4)


def test_a_wider_margin_relaxes():
    """The circle of radius m, beyond which a pair costs, grows with m."""
    values = [compute(ROWS, LABELS, margin=margin)[0] for margin in (0.1, 0.25, 0.4)]
    assert values == sorted(values, reverse=True) and values[0] > values[-1] > 0


def test_the_boundary_is_a_circle():
    """Sun et al., section 3: with one pair of each kind the loss is ln 2 where
    `s_n² + (1 - s_p)² = 2 m²`; here with m = 0.25, all of it on the negative, the positive, both.
    """
    radius = 2**0.5 * 0.25
    for angle in np.deg2rad([0, 45, 90]):
        of_negative, of_positive = radius * np.cos(angle), 1 - radius * np.sin(angle)
        anchor = [1.0, 0.0, 0.0]
        positive = [of_positive, (1 - of_positive**2) ** 0.5, 0.0]
        negative = [of_negative, 0.0, (1 - of_negative**2) ** 0.5]
        rows = tf.constant([anchor, positive, negative], tf.float32)
        loss = circle(rows, tf.constant([0, 0, 1]), gamma=32.0).loss[0]
        assert float(loss) == pytest.approx(np.log(2), rel=1e-4)


def test_the_worst_batch_is_finite(jit):
    """Positives opposite and negatives equal: exponents of several hundred at the full scale."""
    axis = unit(ROWS[:1])
    rows = np.concatenate([axis, -axis, axis, -axis])
    value, gradient = compute(rows, [0, 0, 1, 1], jit=jit)
    assert value == pytest.approx(twin(rows, [0, 0, 1, 1]), rel=1e-5)
    assert value > 700 and np.all(np.isfinite(gradient))


def test_anchors_without_positives_or_without_negatives_do_not_count():
    rows = tf.constant(ROWS[:4])
    result = circle(rows, tf.constant([0, 0, 0, 1]))
    assert result.weight.numpy().tolist() == [1, 1, 1, 0] and float(result.loss[3]) == 0
    assert not circle(rows, tf.constant([0, 0, 0, 0])).weight.numpy().any()


def test_collapse():
    """All cosines 1: the negatives are as wrong as they can be, and the gradient is nothing."""
    value, gradient = compute(np.tile(ROWS[:1], (6, 1)), [0, 0, 1, 1, 2, 2])
    expected = 256 * (1.25 * 0.75 - 0.25 * 0.25) + np.log(4)
    assert value == pytest.approx(expected, rel=1e-4)
    np.testing.assert_allclose(gradient, 0, atol=1e-3)
