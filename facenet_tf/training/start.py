"""The body that a run begins with: fresh or of another run, and what of it is frozen."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import keras

from facenet_tf import models
from facenet_tf.errors import InputError
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.training.accumulate import check_chunks
from facenet_tf.training.config import TrainConfig
from facenet_tf.training.fine_tuning import freeze, take_weights

logger = logging.getLogger(__name__)


def build_model(config: TrainConfig, preprocessing: Preprocessing) -> keras.Model:
    """The embedding model with fresh weights, for crops of one kind.

    Raises:
        InputError: unknown architecture or option of it.
    """
    try:
        return models.build(
            config.model,
            preprocessing=preprocessing,
            embedding_size=config.embedding_size,
            **config.model_options,
        )
    except (TypeError, ValueError) as error:
        options = "".join(f" --{name} {value}" for name, value in config.model_options.items())
        raise InputError(f"--model {config.model}{options}: {error}") from error


def prepare_body(model: keras.Model, config: TrainConfig) -> None:
    """Give a model with fresh weights those that it is to start from, and freeze its layers.

    Raises:
        InputError: the run to start from is none or does not fit, a pattern fits no layer, or the
            chunks cannot be embedded twice.
    """
    tuning = config.fine_tuning
    if tuning.start_from is not None:
        fresh = take_weights(model, _model_of(tuning.start_from))
        logger.info("weights of %s; fresh: %s", tuning.start_from, ", ".join(fresh) or "none")
    frozen = freeze(model, tuning.freeze)
    if frozen:
        logger.info("frozen: %s", ", ".join(frozen))
    if config.chunk:
        check_chunks(model)


def people_seen_before(config: TrainConfig) -> list[str]:
    """Names of the people whom the run that this one starts from has seen.

    Raises:
        InputError: it does not say whom.
    """
    start = config.fine_tuning.start_from
    if start is None:
        return []
    try:
        return list(json.loads((start / "config.json").read_text())["dataset"]["seen_people"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise InputError(
            f"--start-from {start}: its config.json does not say whom that run saw ({error!r}), so "
            "that nobody could be measured as unseen; give a run directory of train.py"
        ) from error


def _model_of(run: Path) -> keras.Model:
    try:
        return keras.saving.load_model(run / "model.keras", compile=False)
    except Exception as error:  # a damaged file raises anything from KeyError to BadZipFile
        raise InputError(
            f"--start-from {run}: its model.keras cannot be loaded ({error!r})"
        ) from error
