"""A variable's multiple of the learning rate is that of its step, whatever the optimiser."""

import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.training.config import Stage, TrainConfig
from facenet_tf.training.optimizer import build_optimizer
from tests.training.small import KERAS_3

STAGE = Stage("cosface", epochs=10, learning_rate=0.1, warmup_epochs=0, margin=0.2)
START = np.array([0.5, -2.0, 3.0], np.float32)
GRADIENT = np.array([1.0, -0.5, 2.0], np.float32)


def moved(name, rates, jit=False, steps=1, **options) -> list[np.ndarray]:
    """How far two variables went with equal values and gradients."""
    variables = [tf.Variable(START, name="one/kernel"), tf.Variable(START, name="two/kernel")]
    multiples = [(v, rate) for v, rate in zip(variables, rates) if rate != 1]
    config = TrainConfig(optimizer=name, steps_per_epoch=10, **options)
    optimizer = build_optimizer(config, STAGE, variables, multiples)
    optimizer.build(variables)

    def step():
        optimizer.apply_gradients([(tf.constant(GRADIENT), v) for v in variables])

    if jit:
        step = tf.function(step, jit_compile=True)
    for _ in range(steps):
        step()
    return [variable.numpy() - START for variable in variables]


NAMES = ["adamw", "adam", "sgd", "adagrad", *(["lamb"] if KERAS_3 else [])]


@pytest.mark.parametrize(
    ("name", "jit"), [*((name, False) for name in NAMES), ("adamw", True), ("adagrad", True)]
)
def test_the_step_is_scaled_and_not_the_gradient(name, jit):
    # LAMB's step is in proportion to the weight, which its decay has made smaller.
    options = {"weight_decay": 0.0} if name == "lamb" else {}
    (expected, _) = moved(name, [1, 1], **options)
    slow, other = moved(name, [0.1, 1], jit, **options)
    assert np.abs(expected).min() > 1e-3
    np.testing.assert_allclose(slow, 0.1 * expected, rtol=1e-4)
    np.testing.assert_allclose(other, expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["adam", "sgd", "adagrad"])
def test_so_are_many_steps_along_a_schedule(name):
    (expected, _) = moved(name, [1, 1], steps=8, weight_decay=0.0)
    slow, other = moved(name, [0.25, 1], steps=8, weight_decay=0.0)
    np.testing.assert_allclose(slow, 0.25 * expected, rtol=1e-4)
    np.testing.assert_allclose(other, expected, rtol=1e-5)


def test_the_rate_that_is_reported_is_the_schedules():
    variable = tf.Variable(START)
    optimizer = build_optimizer(
        TrainConfig(steps_per_epoch=10), STAGE, [variable], [(variable, 0.1)]
    )
    optimizer.apply_gradients([(tf.constant(GRADIENT), variable)])
    assert float(tf.convert_to_tensor(optimizer.learning_rate)) == pytest.approx(0.1, rel=1e-2)
