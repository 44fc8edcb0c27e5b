"""The averaged weights are in place as long as it takes, and the raw ones are back after."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.training.averaging import average_statistics_as_long, averaged_weights
from facenet_tf.training.loss_scaling import with_loss_scaling
from tests.training.small import (
    KERAS_3,
    small_batch,
    small_body,
    small_trainer,
    steps,
    take_steps,
    values,
)


@pytest.mark.parametrize("jit", ["off", "on"])
def test_the_averages_stand_in_for_the_weights(jit):
    optimizer = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.8)
    trainer = small_trainer(small_body(), optimizer, jit=jit)
    course = [values(trainer.weights_to_train)]
    for _ in steps(trainer, map(small_batch, range(4))):
        course.append(values(trainer.weights_to_train))
    # Keras 3 starts from the weights after the first step.
    expected = course[1] if KERAS_3 else course[0]
    for after in course[2:] if KERAS_3 else course[1:]:
        expected = [0.8 * old + 0.2 * new for old, new in zip(expected, after, strict=True)]
    with averaged_weights(trainer.optimizer, trainer.weights_to_train):
        averaged = values(trainer.weights_to_train)
    for found, wanted, raw in zip(averaged, expected, course[-1], strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)
        assert np.abs(found - raw).max() > 1e-4
    for back, raw in zip(values(trainer.weights_to_train), course[-1], strict=True):
        np.testing.assert_array_equal(back, raw)


def test_the_raw_weights_are_back_after_an_error():
    trainer = small_trainer(small_body(), keras.optimizers.SGD(0.1, use_ema=True))
    take_steps(trainer, 2)
    raw = values(trainer.weights_to_train)
    with (
        pytest.raises(RuntimeError),
        averaged_weights(trainer.optimizer, trainer.weights_to_train),
    ):
        raise RuntimeError
    for back, expected in zip(values(trainer.weights_to_train), raw, strict=True):
        np.testing.assert_array_equal(back, expected)


@pytest.mark.parametrize("keeps", [False, True])
def test_nothing_happens_without_averages_or_before_the_first_step(keeps):
    trainer = small_trainer(small_body(), keras.optimizers.SGD(0.1, use_ema=keeps))
    if not keeps:
        take_steps(trainer)
    raw = values(trainer.weights_to_train)
    with averaged_weights(trainer.optimizer, trainer.weights_to_train):
        for inside, expected in zip(values(trainer.weights_to_train), raw, strict=True):
            np.testing.assert_array_equal(inside, expected)


def test_they_are_found_inside_the_one_that_scales_the_loss():
    weight = tf.Variable([1.0])
    optimizer = with_loss_scaling(keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.5))
    optimizer.build([weight])
    for _ in range(2):
        optimizer.apply_gradients([(tf.constant([1.0]), weight)])
    raw = weight.numpy()
    with averaged_weights(optimizer, [weight]):
        assert weight.numpy() > raw
    assert weight.numpy() == raw


def test_statistics_of_norms_go_with_the_averages():
    body = small_body(norm=True)
    norm, untouched = body.get_layer("norm"), small_body(norm=True).get_layer("norm")
    average_statistics_as_long(body, 0.5)
    assert norm.momentum == untouched.momentum == 0.99
    average_statistics_as_long(body, 0.998)
    trainer = small_trainer(body, keras.optimizers.SGD(0.0, use_ema=True, ema_momentum=0.998))
    batch = small_batch()
    mean = tf.reduce_mean(features_before(norm, body, batch), axis=(0, 1, 2)).numpy()
    take_steps(trainer, 3, batch)
    reached = tf.convert_to_tensor(norm.moving_mean).numpy()
    np.testing.assert_allclose(reached, (1 - 0.998**3) * mean, rtol=1e-3)


def features_before(layer, body, batch) -> tf.Tensor:
    """What a layer of the body is given, float32 [B, H, W, C]."""
    return keras.Model(body.input, layer.input)(tf.cast(batch["image"], tf.float32))
