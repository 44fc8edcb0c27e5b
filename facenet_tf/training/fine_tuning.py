"""Training that starts from a trained model: its weights, what is frozen, what learns slower."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from facenet_tf.errors import InputError


@dataclass(frozen=True)
class FineTuning:
    """What a run begins with, and how fast which layers of the body learn."""

    init: str | None = None
    """whose weights the body begins with: dlib, a run directory, a .keras, or a file with weights
    of another project (docs/training.md lists them); None: fresh weights"""
    freeze: tuple[str, ...] = ()
    """layers of the body that stay as they are, by name or pattern ("stage1*"); their batch norms
    normalise as in inference"""
    layer_rates: dict[str, float] = field(default_factory=dict)
    """multiples of the learning rate, and with it of the weight decay, by name or pattern of the
    layer ("stage*" 0.1); where two fit a layer the later counts, for all others it is 1"""
    depth_decay: float = 1.0
    """multiple of the learning rate from one layer with a kernel to the one before it, so that the
    first layers learn slowest (0.9); 1: all alike"""

    def check(self) -> None:
        """Raise `InputError` for a value that makes no sense, naming the option."""
        if not 0 < self.depth_decay <= 1:
            raise InputError(f"--depth-decay {self.depth_decay}: give more than 0, at most 1")
        for pattern, rate in self.layer_rates.items():
            if not rate > 0:
                raise InputError(
                    f"--layer-rates {pattern} {rate}: give more than 0; --freeze {pattern} leaves "
                    "layers as they are"
                )


def freeze(model: Any, patterns: Iterable[str]) -> list[str]:
    """Freeze the layers of a Keras model that one of the patterns fits; their names.

    Raises:
        InputError: a pattern that fits none.
    """
    found = [layer for pattern in patterns for layer in _fitting(model, pattern, "--freeze")]
    for layer in found:
        layer.trainable = False
    return sorted({layer.name for layer in found})


def layer_rates(model: Any, tuning: FineTuning) -> list[tuple[Any, float]]:
    """Trainable variables of a Keras model whose multiple of the learning rate is not 1.

    Raises:
        InputError: a pattern that fits no layer.
    """
    multiples = _by_depth(model, tuning.depth_decay)
    given: dict[str, float] = {}
    for pattern, rate in tuning.layer_rates.items():
        given |= dict.fromkeys(
            (layer.name for layer in _fitting(model, pattern, "--layer-rates")), rate
        )
    return [
        (variable, rate)
        for layer in model.layers
        for rate in [multiples[layer.name] * given.get(layer.name, 1.0)]
        for variable in layer.trainable_variables
        if rate != 1
    ]


def take_weights(model: Any, start: Any) -> list[str]:
    """Give the layers of a model the weights of those with the same name in another.

    Args:
        model: a Keras model, to be written.
        start: a Keras model, to be read.

    Returns:
        Names of the layers with weights that keep their fresh ones, since `start` has no layer of
        this name with weights of these shapes.

    Raises:
        InputError: that is so for all layers.
    """
    known = {layer.name: layer.get_weights() for layer in start.layers}
    weighted = [layer for layer in model.layers if layer.weights]
    fresh = []
    for layer in weighted:
        theirs = known.get(layer.name, [])
        if [each.shape for each in layer.get_weights()] == [each.shape for each in theirs]:
            layer.set_weights(theirs)
        else:
            fresh.append(layer.name)
    if len(fresh) == len(weighted):
        raise InputError(
            f"--init: {start.name} has no layer of {model.name}; leave --model and its "
            "options out, or give those with which it was made"
        )
    return fresh


def _fitting(model: Any, pattern: str, option: str) -> list[Any]:
    found = [layer for layer in model.layers if fnmatch.fnmatchcase(layer.name, pattern)]
    if not found:
        some = ", ".join(layer.name for layer in model.layers if layer.weights)
        raise InputError(f"{option} {pattern}: no layer of {model.name} is named so; it has {some}")
    return found


def _by_depth(model: Any, decay: float) -> dict[str, float]:
    """By layer, decay^(number of layers with a kernel that are above its own)."""
    kernels, depths = 0, {}
    for layer in model.layers:
        kernels += any(math.prod(weight.shape[:-1]) > 1 for weight in layer.weights)
        depths[layer.name] = kernels
    return {name: decay ** (kernels - depth) for name, depth in depths.items()}
