"""Optimiser and learning-rate schedule of a stage."""

from __future__ import annotations

import math
import re

import keras

from facenet_tf.training.config import Stage, TrainConfig

_NOT_DECAYED = re.compile(r"(^|/)(bias|gamma|beta|alpha|prototypes)(:\d+)?$")


def build_optimizer(
    config: TrainConfig, stage: Stage, variables: list
) -> keras.optimizers.Optimizer:
    """AdamW or Adam with the stage's schedule.

    Weight decay leaves out biases, the scales and shifts of norms, and prototypes.
    """
    schedule = build_schedule(stage, config.steps_per_epoch)
    if config.optimizer == "adam":
        return keras.optimizers.Adam(schedule)
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=config.weight_decay)
    optimizer.exclude_from_weight_decay(
        var_list=[v for v in variables if _NOT_DECAYED.search(getattr(v, "path", v.name))]
    )
    return optimizer


def build_schedule(
    stage: Stage, steps_per_epoch: int
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Learning rate by the stage's step: 0 → peak in the warm-up, then cosine to 0 or constant."""
    steps = stage.epochs * steps_per_epoch
    warmup = min(round(stage.warmup_epochs * steps_per_epoch), math.ceil(steps / 2))
    floor = 1.0 if stage.schedule == "constant" else 0.0
    if warmup == 0:
        return keras.optimizers.schedules.CosineDecay(stage.learning_rate, steps, alpha=floor)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=max(steps - warmup, 1),
        alpha=floor,
        warmup_target=stage.learning_rate,
        warmup_steps=warmup,
    )
