"""The body that a run begins with: its network and weights, and what of it is frozen."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence

import keras

from facenet_tf import models
from facenet_tf.errors import InputError
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.training.config import TrainConfig
from facenet_tf.training.fine_tuning import freeze, take_weights
from facenet_tf.training.initial import Initial

logger = logging.getLogger(__name__)

# Layers that another embedding size, head or crop gives other shapes.
_HEAD = ("pool", "flatten", "bottleneck")


def with_network(config: TrainConfig, initial: Initial | None) -> TrainConfig:
    """The config with the network settled: that of the weights it begins with, or as published.

    Raises:
        InputError: unknown architecture.
    """
    config = (config.with_body(initial.body) if initial else config).with_body()
    if config.embedding_size is not None:
        return config
    assert config.model is not None  # `with_body` has settled it
    try:
        size = models.embedding_size_of(config.model)
        return dataclasses.replace(config, embedding_size=size)
    except ValueError as error:
        raise InputError(f"--model {config.model}: {error}") from error


def build_model(config: TrainConfig, preprocessing: Preprocessing) -> keras.Model:
    """The embedding model with fresh weights, for crops of one kind.

    Raises:
        InputError: unknown architecture or option of it.
    """
    assert config.model is not None  # `with_network` has settled it
    try:
        return models.build(
            config.model,
            preprocessing=preprocessing,
            embedding_size=config.embedding_size,
            **config.options_of_model,
        )
    except (TypeError, ValueError) as error:
        given = "".join(f", {name} {value}" for name, value in config.options_of_model.items())
        raise InputError(f"--model {config.model}{given}: {error}") from error


def prepare_body(model: keras.Model, config: TrainConfig, initial: Initial | None) -> None:
    """Give a model with fresh weights those that it is to begin with, and freeze its layers.

    Raises:
        InputError: the weights do not fit, or a pattern fits no layer.
    """
    if initial is not None and initial.model is not None:
        fresh = take_weights(model, initial.model)
        _check_only_head(fresh, initial)
        logger.info("weights of %s; fresh: %s", initial.source, ", ".join(fresh) or "none")
    frozen = freeze(model, config.fine_tuning.freeze)
    if frozen:
        logger.info("frozen: %s", ", ".join(frozen))


def _check_only_head(fresh: Sequence[str], initial: Initial) -> None:
    """Weights of half a network would be no start: what came before the head has to fit."""
    odd = [name for name in fresh if not name.startswith(_HEAD)]
    if odd:
        raise InputError(
            f"--init {initial.source}: it has no weights for {', '.join(odd[:3])}; give the "
            "options of the architecture with which it was made (--width …)"
        )
