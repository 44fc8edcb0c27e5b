"""What `--threads` and `--deterministic` set up before anything is computed."""

from __future__ import annotations

import dataclasses
import logging
import os

import keras
import tensorflow as tf

from facenet_tf.errors import InputError
from facenet_tf.training.config import TrainConfig
from facenet_tf.training.run_directory import RunDirectory

logger = logging.getLogger(__name__)


def settled(config: TrainConfig, run: RunDirectory) -> TrainConfig:
    """The config with what determinism asks of it: a number of threads, and no XLA.

    Sums are added up in as many parts as there are threads, so that their number is part of the
    result. A run that is resumed keeps that of its beginning, on another machine too.
    """
    if not config.deterministic:
        return config
    threads = config.threads
    if not threads and config.resume:
        threads = (run.recorded("config") or {}).get("threads", 0)
    if config.jit != "off":
        logger.info("deterministic: XLA is off, on %d threads", threads or _cores())
    return dataclasses.replace(config, threads=threads or _cores(), jit="off")


def set_up(config: TrainConfig) -> None:
    """Set TensorFlow's threads, and let it refuse every operation that adds up in any order.

    Raises:
        InputError: TensorFlow has begun with another number of threads.
    """
    if config.threads:
        _set_threads(config.threads)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()


def check_model(config: TrainConfig, model: keras.Model) -> None:
    """Raise `InputError` for layers whose random numbers no checkpoint holds."""
    dropped = any(isinstance(layer, keras.layers.Dropout) for layer in model.layers)
    if config.deterministic and dropped and keras.__version__.startswith("2."):
        raise InputError(
            "--deterministic: Keras 2 keeps the random numbers of dropout where no checkpoint "
            "reaches them; give --dropout 0, or take Keras 3"
        )


def _set_threads(threads: int) -> None:
    if tf.config.threading.get_intra_op_parallelism_threads() == threads:
        return
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    except RuntimeError:
        raise InputError(
            f"--threads {threads}: TensorFlow has begun with another number in this process; "
            "train in a process of its own"
        ) from None


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
