"""The schedule's course and what weight decay leaves alone."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.training.config import Stage, TrainConfig
from facenet_tf.training.optimizer import build_optimizer, build_schedule


def test_warm_up_then_cosine():
    schedule = build_schedule(
        Stage("triplet/batch_hard", epochs=10, learning_rate=0.2, warmup_epochs=2),
        steps_per_epoch=5,
    )
    rate = [float(schedule(step)) for step in range(51)]
    np.testing.assert_allclose(rate[:11], np.linspace(0, 0.2, 11), atol=1e-7)
    expected = [0.1 * (1 + math.cos(math.pi * step / 40)) for step in range(41)]
    np.testing.assert_allclose(rate[10:], expected, atol=1e-6)


def test_no_warm_up_starts_at_the_peak():
    schedule = build_schedule(
        Stage("triplet/batch_hard", epochs=1, learning_rate=0.3, warmup_epochs=0),
        steps_per_epoch=10,
    )
    assert float(schedule(0)) == pytest.approx(0.3)
    assert float(schedule(10)) == pytest.approx(0.0, abs=1e-7)


@pytest.mark.parametrize("warmup", [0, 1])
def test_a_constant_rate_stays(warmup):
    stage = Stage(
        "triplet",
        mining="batch_hard",
        epochs=3,
        learning_rate=0.3,
        schedule="constant",
        warmup_epochs=warmup,
    )
    schedule = build_schedule(stage, steps_per_epoch=10)
    np.testing.assert_allclose([float(schedule(n)) for n in range(10 * warmup, 31)], 0.3, rtol=1e-6)


def test_a_warm_up_longer_than_the_stage_leaves_half_of_it():
    schedule = build_schedule(
        Stage("triplet/batch_hard", epochs=1, learning_rate=0.3, warmup_epochs=9),
        steps_per_epoch=10,
    )
    assert float(schedule(5)) == pytest.approx(0.3)


def test_weight_decay_spares_biases_and_norms():
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, name="alpha"), keras.layers.BatchNormalization()]
    )
    config = TrainConfig(weight_decay=0.5, steps_per_epoch=10)
    stage = Stage("triplet/batch_hard", epochs=1, learning_rate=1.0, warmup_epochs=0)
    optimizer = build_optimizer(config, stage, model.trainable_variables)
    for variable in model.trainable_variables:
        variable.assign(tf.ones_like(variable))
    zeros = [tf.zeros(v.shape) for v in model.trainable_variables]
    optimizer.apply_gradients(zip(zeros, model.trainable_variables))
    kernel, *others = (np.asarray(v) for v in model.trainable_variables)
    np.testing.assert_allclose(kernel, 0.5)
    for other in others:
        np.testing.assert_array_equal(other, 1.0)
