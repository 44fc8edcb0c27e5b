"""The moving average of the weights in their place, for as long as it is looked at."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from facenet_tf.training.snapshot import Snapshot


@contextlib.contextmanager
def averaged_weights(optimizer: keras.optimizers.Optimizer, weights: list[Any]) -> Iterator[None]:
    """Put the averages that the optimiser keeps into the weights; put the weights back at the end.

    Nothing happens where it keeps none, and before its first step. Statistics of batch norms are
    moving averages by themselves and stay as they are: see `average_statistics_as_long`.

    Args:
        optimizer: built on the weights; keeps averages with ``use_ema``.
        weights: variables, in the order that it was built with.
    """
    keeps = getattr(optimizer, "inner_optimizer", optimizer).use_ema
    if not keeps or int(tf.convert_to_tensor(optimizer.iterations)) == 0:
        yield
        return
    raw = Snapshot(weights)
    optimizer.finalize_variable_values(weights)
    try:
        yield
    finally:
        raw.restore()


def average_statistics_as_long(model: keras.Model, ema: float) -> None:
    """Let the statistics of batch norms reach as far back as the averages of the weights.

    Those of the last few steps belong to the weights of the last few steps. With averages over a
    thousand steps beside them, activations are shifted by what was learnt meanwhile: early in a
    training the averaged network tells nobody apart.

    Args:
        model: whose norms get this momentum, unless theirs is larger.
        ema: how much of an average remains at every step; 0: none are kept.
    """
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = max(layer.momentum, ema)
