"""First steps of every optimiser against its formula, weight decay by variable, clipping."""

import dataclasses
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.errors import InputError
from facenet_tf.training import optimizer as optimizers
from facenet_tf.training.config import Stage, TrainConfig
from facenet_tf.training.descent import Descent
from facenet_tf.training.optimizer import build_optimizer, optimizer_class
from tests.training.small import COSFACE, KERAS_3, small_body, small_trainer

RATE = 0.1
CONSTANT = Stage(
    "cosface", epochs=1, learning_rate=RATE, schedule="constant", warmup_epochs=0, margin=0.2
)
START = np.array([0.5, -2.0, 3.0], np.float32)
GRADIENTS = [np.array([1.0, -0.5, 2.0], np.float32), np.array([-3.0, 0.25, 1.0], np.float32)]
needs_lamb = pytest.mark.skipif(not KERAS_3, reason="Keras 2 has no LAMB")


def sgd(momentum=0.9, nesterov=False):
    weight, velocity = START.astype(float), 0.0
    for gradient in GRADIENTS:
        velocity = momentum * velocity - RATE * gradient
        weight = weight + (momentum * velocity - RATE * gradient if nesterov else velocity)
    return weight


def adam_directions():
    mean = square = 0.0
    for count, gradient in enumerate(GRADIENTS, start=1):
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        yield (mean / (1 - 0.9**count)) / np.sqrt(square / (1 - 0.999**count))


def adam(decay=0.0):
    weight = START.astype(float)
    for direction in adam_directions():
        weight = weight * (1 - RATE * decay) - RATE * direction
    return weight


def adagrad():
    weight, total = START.astype(float), 0.1
    for gradient in GRADIENTS:
        total = total + gradient**2
        weight = weight - RATE * gradient / np.sqrt(total)
    return weight


def lamb(decay):
    weight = START.astype(float)
    for direction in adam_directions():
        weight = weight * (1 - RATE * decay)
        trust = np.linalg.norm(weight) / np.linalg.norm(direction)
        weight = weight - RATE * trust * direction
    return weight


def descended(jit=False, **options) -> np.ndarray:
    """The weight after the two gradients."""
    config = TrainConfig(steps_per_epoch=100, **options)
    config.check()
    weight = tf.Variable(START, name="kernel")
    made = build_optimizer(config, CONSTANT, [weight])
    made.build([weight])

    def step(gradient):
        made.apply_gradients([(gradient, weight)])

    if jit:
        step = tf.function(step, jit_compile=True)
    for gradient in GRADIENTS:
        step(tf.constant(gradient))
    return weight.numpy()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"optimizer": "sgd", "weight_decay": 0.0}, sgd()),
        (
            {"optimizer": "sgd", "weight_decay": 0.0, "descent": Descent(momentum=0.0)},
            sgd(momentum=0.0),
        ),
        (
            {
                "optimizer": "sgd",
                "weight_decay": 0.0,
                "descent": Descent(momentum=0.8, nesterov=True),
            },
            sgd(0.8, nesterov=True),
        ),
        ({"optimizer": "adam"}, adam()),
        ({"optimizer": "adamw"}, adam(decay=0.05)),
        ({"optimizer": "adamw", "weight_decay": 0.5}, adam(decay=0.5)),
        ({"optimizer": "adagrad"}, adagrad()),
        pytest.param({"optimizer": "lamb", "weight_decay": 0.5}, lamb(0.5), marks=needs_lamb),
    ],
    ids=["sgd", "sgd plain", "nesterov", "adam", "adamw", "adamw 0.5", "adagrad", "lamb"],
)
def test_two_steps_are_those_of_the_formula(options, expected):
    np.testing.assert_allclose(descended(**options), expected, rtol=2e-5)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"optimizer": "adamw"}, adam(decay=0.05)),
        pytest.param({"optimizer": "lamb", "weight_decay": 0.5}, lamb(0.5), marks=needs_lamb),
    ],
    ids=["adamw", "lamb"],
)
def test_so_are_they_under_xla(options, expected):
    np.testing.assert_allclose(descended(jit=True, **options), expected, rtol=2e-5)


@pytest.mark.skipif(KERAS_3, reason="Keras 3 has it")
def test_an_optimiser_that_keras_lacks_is_refused_in_a_line():
    with pytest.raises(InputError, match=r"--optimizer lamb: Keras 2\.\S+ has none"):
        optimizer_class("lamb")


def test_every_other_optimiser_is_there():
    for name in ("adam", "adamw", "sgd", "adagrad"):
        assert issubclass(optimizer_class(name), keras.optimizers.Optimizer)


def test_a_missing_one_is_said_so_on_any_keras(monkeypatch):
    monkeypatch.setitem(optimizers._CLASSES, "lamb", "NoSuchOptimizer")
    with pytest.raises(InputError, match="--optimizer lamb"):
        optimizer_class("lamb")


@pytest.mark.parametrize("name", ["adamw", "sgd", pytest.param("lamb", marks=needs_lamb)])
def test_weight_decay_spares_biases_norms_and_prototypes(name):
    body = small_body(norm=True)
    trainer = small_trainer(body, keras.optimizers.SGD(0.1), COSFACE)
    variables = trainer.weights_to_train
    config = TrainConfig(optimizer=name, weight_decay=0.5, steps_per_epoch=10)
    optimizer = build_optimizer(config, CONSTANT, variables)
    for variable in variables:
        variable.assign(tf.ones(variable.shape))
    optimizer.apply_gradients([(tf.zeros(v.shape), v) for v in variables])
    kernels = [body.get_layer(layer).kernel for layer in ("conv", "bottleneck")]
    for variable in variables:
        decayed = any(variable is kernel for kernel in kernels)
        value = tf.convert_to_tensor(variable)
        np.testing.assert_allclose(value, 1 - RATE * 0.5 * decayed, rtol=1e-6)
    assert len(variables) == 7  # two kernels, two biases, gamma, beta, the head's prototypes


@pytest.mark.parametrize("keeps", [0.9, 0.5])
def test_the_moving_average_is_that_of_its_formula(keeps):
    """Keras 3 starts from the weights after the first step, Keras 2 from those before it."""
    config = TrainConfig(
        optimizer="sgd", weight_decay=0.0, steps_per_epoch=100, descent=Descent(ema=keeps)
    )
    weight = tf.Variable(START, name="kernel")
    optimizer = build_optimizer(config, CONSTANT, [weight])
    optimizer.build([weight])
    average = None if KERAS_3 else START.astype(float)
    for gradient in GRADIENTS * 3:
        optimizer.apply_gradients([(tf.constant(gradient), weight)])
        now = weight.numpy()
        average = now if average is None else keeps * average + (1 - keeps) * now
    optimizer.finalize_variable_values([weight])
    np.testing.assert_allclose(weight.numpy(), average, rtol=1e-5)


def test_the_default_decay_is_the_optimisers():
    decays = {name: TrainConfig(optimizer=name).decay for name in optimizers._CLASSES}
    assert decays == {"adam": None, "adamw": 0.05, "sgd": 5e-4, "adagrad": None, "lamb": 0.05}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer": "adam", "weight_decay": 0.1}, "--weight-decay 0.1: adam has none"),
        ({"weight_decay": -1.0}, "--weight-decay -1.0"),
        ({"descent": Descent(momentum=0.5)}, "--descent.momentum: adamw has none"),
        ({"descent": Descent(nesterov=True)}, "--descent.nesterov: adamw has none"),
        ({"optimizer": "sgd", "descent": Descent(momentum=1.0)}, "--descent.momentum 1.0"),
        (
            {"optimizer": "sgd", "descent": Descent(momentum=0.0, nesterov=True)},
            "--descent.nesterov: it needs",
        ),
        ({"descent": Descent(ema=1.0)}, "--descent.ema 1.0"),
        ({"descent": Descent(clip_by="value")}, "--descent.clip-by value: give the limit"),
        ({"steps_per_execution": 0}, "--steps-per-execution 0"),
        ({"steps_per_epoch": 10, "steps_per_execution": 3}, "--steps-per-execution 3"),
        ({"chunk": -1}, "--chunk -1"),
    ],
)
def test_what_makes_no_sense_or_does_nothing_is_refused(changes, message):
    with pytest.raises(InputError) as refusal:
        dataclasses.replace(TrainConfig(), **changes).check()
    assert message in str(refusal.value)


def test_an_epoch_is_a_multiple_of_what_is_done_at_once():
    config = TrainConfig(steps_per_execution=8)
    stage = config.warm_up
    pictures = 100 * stage.identities_per_batch * stage.images_per_identity
    assert config.with_steps(pictures, stage).steps_per_epoch == 8 * math.ceil(100 / 8)
    assert TrainConfig().with_steps(pictures, stage).steps_per_epoch == 100
