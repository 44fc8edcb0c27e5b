"""The optimiser of a stage, by library, with its schedule and with what weight decay spares."""

from __future__ import annotations

import re
from typing import Any

import keras

from facenet_tf.errors import InputError
from facenet_tf.training.config import Stage, TrainConfig
from facenet_tf.training.layer_rates import Rates, with_layer_rates
from facenet_tf.training.loss_scaling import with_loss_scaling
from facenet_tf.training.schedules import Plateau, build_schedule

_NOT_DECAYED = re.compile(r"(^|/)(bias|gamma|beta|alpha|prototypes(_\d+)?)(:\d+)?$")
_CLASSES = {"adam": "Adam", "adamw": "AdamW", "sgd": "SGD", "adagrad": "Adagrad", "lamb": "Lamb"}


def build_optimizer(
    config: TrainConfig,
    stage: Stage,
    variables: list,
    rates: Rates = (),
    plateau: Plateau | None = None,
) -> keras.optimizers.Optimizer:
    """The config's optimiser with the stage's schedule; with float16 it scales the loss.

    Weight decay is decoupled from the gradient with every optimiser (Loshchilov and Hutter 2019):
    a step takes rate · decay of the weight away. It leaves out biases, the scales and shifts of
    norms, and prototypes.

    Args:
        config: names the optimiser and its options.
        stage: has the schedule.
        variables: all that is to be trained.
        rates: variables with a multiple of the learning rate; 1 for all others.
        plateau: of a stage with this schedule.

    Raises:
        InputError: an optimiser that this Keras does not have.
    """
    kind = optimizer_class(config.optimizer)
    if rates:
        kind = with_layer_rates(kind, rates)
    schedule = build_schedule(stage, config.steps_per_epoch, plateau)
    optimizer = kind(schedule, **_options(config))
    if config.decay is not None:
        optimizer.exclude_from_weight_decay(
            var_list=[v for v in variables if _NOT_DECAYED.search(getattr(v, "path", v.name))]
        )
    return with_loss_scaling(optimizer) if config.precision == "mixed_float16" else optimizer


def optimizer_class(name: str) -> type[keras.optimizers.Optimizer]:
    """Keras' class of an optimiser.

    Raises:
        InputError: this Keras does not have it.
    """
    found = getattr(keras.optimizers, _CLASSES[name], None)
    if found is None:
        raise InputError(
            f"--optimizer {name}: Keras {keras.__version__} has none; it came with Keras 3 "
            "(TensorFlow 2.16 and later)"
        )
    return found


def _options(config: TrainConfig) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if config.decay is not None:
        options["weight_decay"] = config.decay
    if config.optimizer == "sgd":
        options |= {"momentum": config.descent.sgd_momentum, "nesterov": config.descent.nesterov}
    if config.descent.ema:
        options |= {"use_ema": True, "ema_momentum": config.descent.ema}
    return options
