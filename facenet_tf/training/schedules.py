"""The learning rate of a stage: by its step, and for the schedule plateau by its validation."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from facenet_tf.training.config import Stage

logger = logging.getLogger(__name__)

Schedule: TypeAlias = keras.optimizers.schedules.LearningRateSchedule


def build_schedule(stage: Stage, steps_per_epoch: int, plateau: Plateau | None = None) -> Schedule:
    """Learning rate by the stage's step: 0 → peak in the warm-up, then the stage's schedule.

    Args:
        stage: whose schedule is ``cosine`` (to 0 at the end), ``constant``, ``step`` (times a
            factor after each of some epochs) or ``plateau``.
        steps_per_epoch: of the stage.
        plateau: says how low the rate is by now; for the schedule ``plateau`` alone.
    """
    course = _warm_up_and_cosine(stage, steps_per_epoch)
    if stage.schedule == "step":
        return Lowered(course, _steps(stage, steps_per_epoch))
    if stage.schedule == "plateau":
        if plateau is None:
            raise ValueError("the schedule plateau needs the Plateau that says where it is")
        return Lowered(course, lambda step: plateau.factor)
    return course


class Lowered(Schedule):
    """A schedule times a factor.

    Args:
        course: the schedule.
        factor: step → float32 scalar.
    """

    def __init__(self, course: Schedule, factor: Callable[[Any], Any]) -> None:
        self.course, self.factor = course, factor

    def __call__(self, step: Any) -> tf.Tensor:
        """The rate of a step, float32 scalar."""
        return self.course(step) * self.factor(step)


class Plateau:
    """Lowers the rate of a stage when its validation has stood still for some epochs.

    An `EpochState` of the training loop: it changes at the end of an epoch alone, and a checkpoint
    holds what `state` gives.

    Args:
        drop: what the rate is multiplied with.
        patience: epochs without a better ``val_auc`` before it is.
    """

    name = "plateau"

    def __init__(self, drop: float, patience: int) -> None:
        self.drop, self.patience = drop, patience
        self.best, self.waited = -math.inf, 0
        # A variable, since the train step reads it.
        self.factor = tf.Variable(1.0, trainable=False, name="rate_factor")

    @classmethod
    def of(cls, stage: Stage) -> Plateau | None:
        """That of a stage; None where its schedule is another."""
        if stage.schedule != "plateau":
            return None
        return cls(stage.drop.factor_of("plateau"), stage.drop.epochs_waited)

    def at_epoch_end(self, epoch: int, logs: Mapping[str, float]) -> bool:
        """Count an epoch; False, since no batch depends on the rate."""
        self.waited += 1
        if logs["val_auc"] > self.best:
            self.best, self.waited = float(logs["val_auc"]), 0
        elif self.waited >= self.patience:
            self.waited = 0
            self.factor.assign(self.factor * self.drop)
            logger.info(
                "%d epochs without a better validation, epoch %d the last: learning rate times %g",
                self.patience,
                epoch + 1,
                self.drop,
            )
        return False

    def state(self) -> dict[str, np.ndarray]:
        """All that the epochs so far have left."""
        return {
            "best": np.array(self.best),
            "waited": np.array(self.waited),
            "factor": self.factor.numpy(),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Be where another was when its `state` gave this."""
        self.best, self.waited = float(state["best"]), int(state["waited"])
        self.factor.assign(state["factor"])


def _warm_up_and_cosine(stage: Stage, steps_per_epoch: int) -> Schedule:
    steps = stage.epochs * steps_per_epoch
    warmup = _warm_up(stage, steps, steps_per_epoch)
    floor = 0.0 if stage.schedule == "cosine" else 1.0
    if warmup == 0:
        return keras.optimizers.schedules.CosineDecay(stage.learning_rate, steps, alpha=floor)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=max(steps - warmup, 1),
        alpha=floor,
        warmup_target=stage.learning_rate,
        warmup_steps=warmup,
    )


def _warm_up(stage: Stage, steps: int, steps_per_epoch: int) -> int:
    """Steps of the linear warm-up: half of the stage's at most, or nothing would be left of it."""
    asked, most = round(stage.warmup_epochs * steps_per_epoch), math.ceil(steps / 2)
    if asked > most:
        logger.warning(
            "a learning-rate warm-up of %g epochs does not fit a stage of %d: it takes half of it",
            stage.warmup_epochs,
            stage.epochs,
        )
    return min(asked, most)


def _steps(stage: Stage, steps_per_epoch: int) -> Callable[[Any], tf.Tensor]:
    """step → factor^(number of drops that are behind it)."""
    factor = stage.drop.factor_of("step")
    drops = tf.constant([round(epoch * steps_per_epoch) for epoch in stage.drop.epochs], tf.int64)

    def factor_at(step: Any) -> tf.Tensor:
        behind = tf.reduce_sum(tf.cast(tf.cast(step, tf.int64) >= drops, tf.float32))
        return tf.pow(factor, behind)

    return factor_at
