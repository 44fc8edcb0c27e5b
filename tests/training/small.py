"""Small trainers and batches that tests of the train step share."""

from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from facenet_tf import models
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.training.config import Stage
from facenet_tf.training.heads import build_head
from facenet_tf.training.trainer import EmbeddingTrainer, compile_checked, step_is_jitted

SIDE, PEOPLE, EACH, FEATURES = 16, 4, 3, 8
CROPS = Preprocessing(size=SIDE)
HARD = Stage("triplet", epochs=1, mining="batch_hard")
COSFACE = Stage("cosface", epochs=1)
KERAS_3 = hasattr(keras, "ops")


def small_body(
    *, norm: bool = False, dropout: float = 0.0, crops: Preprocessing = CROPS
) -> keras.Model:
    """A convolution, a layer on top, and what is asked for between them."""
    keras.utils.set_random_seed(0)
    pixels = keras.Input((crops.size, crops.size, 3))
    x = models.PixelNormalization(crops.to_dict())(pixels)
    x = keras.layers.Conv2D(4, 5, strides=4, activation="relu", name="conv")(x)
    if norm:
        x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Flatten()(x)
    if dropout:
        x = keras.layers.Dropout(dropout, seed=5, name="dropout")(x)
    x = keras.layers.Dense(FEATURES, dtype="float32", name="bottleneck")(x)
    return keras.Model(pixels, models.UnitLength(name="embedding")(x), name="small")


def small_trainer(body, optimizer, stage=HARD, jit="off", **options) -> EmbeddingTrainer:
    """A trainer of the body that is ready to go."""
    trainer = EmbeddingTrainer(body, build_head(stage, PEOPLE, FEATURES, seed=0), jit, **options)
    compile_checked(trainer, optimizer, jit)
    return trainer


def small_batch(seed: int = 3) -> dict[str, tf.Tensor]:
    """A P×K batch of noise."""
    count = PEOPLE * EACH
    pixels = np.random.default_rng(seed).integers(0, 255, (count, SIDE, SIDE, 3))
    return {
        "image": tf.constant(pixels, tf.uint8),
        "label": tf.repeat(tf.range(PEOPLE), EACH),
        "source": tf.range(count),
    }


def steps(trainer, batches) -> Iterator[dict[str, float]]:
    """Take a step on each batch, compiled as the trainer is; its figures alone."""
    step = tf.function(trainer.train_step, jit_compile=step_is_jitted(trainer))
    for batch in batches:
        trainer.reset_metrics()
        yield {name: float(figure) for name, figure in step(batch).items()}


def take_steps(trainer, count: int = 1, batch=None) -> dict[str, float]:
    """Figures of the last of some steps."""
    batches = [batch or small_batch(number) for number in range(count)]
    return list(steps(trainer, batches))[-1]


def values(variables) -> list[np.ndarray]:
    """Copies of what variables hold."""
    return [tf.convert_to_tensor(variable).numpy().copy() for variable in variables]
