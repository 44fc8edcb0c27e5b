"""Their weights into our layers: kernels, biases, and batch normalisation of any form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from facenet_tf.errors import InputError

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Norm:
    """Batch normalisation `gamma · (x - mean) / √(variance + epsilon) + beta`, arrays [C]."""

    gamma: Array
    beta: Array
    mean: Array
    variance: Array
    epsilon: float

    @classmethod
    def folded(cls, bias: Array) -> Norm:
        """One that went into the kernel before it: a bias is what is left of it."""
        return cls(np.ones_like(bias), bias, np.zeros_like(bias), np.ones_like(bias), 0.0)

    def with_epsilon(self, epsilon: float) -> Norm:
        """The same function with another epsilon: the difference goes into gamma."""
        ratio = np.sqrt((self.variance + epsilon) / (self.variance + self.epsilon))
        return Norm(self.gamma * ratio, self.beta, self.mean, self.variance, epsilon)


class Filling:
    """A model of ours that is given weights layer by layer.

    Args:
        model: with fresh weights.
        path: of the weights' file, named in messages.
    """

    def __init__(self, model: keras.Model, path: Path) -> None:
        self.model, self.path = model, path
        self.mapped: dict[str, str] = {}
        """What their file calls the weights of each of our layers, in their order."""

    def kernel(
        self,
        name: str,
        kernel: Array,
        source: str,
        *,
        bias: Array | None = None,
        norm: Norm | None = None,
    ) -> None:
        """Fill a convolution or dense layer, and the norm after it if it is given.

        Args:
            name: of our layer; its norm is `NAME_norm`.
            kernel: in our order, outputs last.
            source: what their file calls it.
            bias: [outputs], for a layer that has one.
            norm: theirs. Where ours has no scale, that goes into kernel and bias.

        Raises:
            InputError: a shape is not that of our layer.
        """
        if norm is not None:
            after = self.model.get_layer(f"{name}_norm")
            norm = self._with_epsilon_of(after, norm, source)
            if not after.scale:
                kernel = kernel * norm.gamma
                bias = None if bias is None else bias * norm.gamma
                mean = norm.mean * norm.gamma
                norm = Norm(np.ones_like(mean), norm.beta, mean, norm.variance, norm.epsilon)
            self.norm(after.name, norm, source)
        self.weights(name, [kernel] if bias is None else [kernel, bias], source)

    def norm(self, name: str, norm: Norm, source: str) -> None:
        """Fill a batch normalisation; raises InputError for another number of channels."""
        layer = self.model.get_layer(name)
        norm = self._with_epsilon_of(layer, norm, source)
        scale = [norm.gamma] if layer.scale else []
        self.weights(name, [*scale, norm.beta, norm.mean, norm.variance], source)

    def weights(self, name: str, weights: Sequence[Array], source: str) -> None:
        """Fill any layer, its weights in the order of `get_weights`.

        Raises:
            InputError: a shape is not that of our layer.
        """
        layer = self.model.get_layer(name)
        ours = [tuple(each.shape) for each in layer.weights]
        theirs = [tuple(each.shape) for each in weights]
        if ours != theirs:
            raise InputError(
                f"{self.path}: {source} is {_listed(theirs)}, {self.model.name} wants "
                f"{_listed(ours)}: it is of another network"
            )
        layer.set_weights(weights)
        self.mapped[name] = source

    def finished(self) -> keras.Model:
        """The model, once each layer was filled and a picture gave a vector of length 1.

        Raises:
            InputError: a layer was not, or it gave none.
        """
        left = [
            layer.name
            for layer in self.model.layers
            if layer.weights and layer.name not in self.mapped
        ]
        if left:
            raise InputError(
                f"{self.path}: it has nothing for {', '.join(left[:3])}: it is of another network"
            )
        check_forward(self.model, self.path)
        return self.model

    def _with_epsilon_of(self, layer: Any, norm: Norm, source: str) -> Norm:
        if not (norm.variance + norm.epsilon > 0).all():
            raise InputError(f"{self.path}: {source}: a variance is not positive: it is damaged")
        return norm.with_epsilon(layer.epsilon)


def check_forward(model: keras.Model, path: Path) -> None:
    """Raise InputError unless a picture of noise gives a finite vector of length 1."""
    pixels = np.random.RandomState(0).randint(0, 256, (1, *model.input_shape[1:]))
    vector = np.asarray(model(pixels.astype(np.float32), training=False))
    if not np.isclose(np.linalg.norm(vector), 1, atol=1e-3):  # false for NaN
        raise InputError(f"{path}: its weights make no embedding of a picture: it is damaged")


def _listed(shapes: Sequence[tuple[int, ...]]) -> str:
    return ", ".join(str(list(shape)) for shape in shapes)
