"""The three networks of MTCNN (Zhang et al. 2016) as lists of layers, with the weights of the
`mtcnn` wheel: an engine computes them."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import joblib
import numpy as np

from facenet_tf.errors import InputError

Array = np.ndarray
NetworkName = Literal["pnet", "rnet", "onet"]


@dataclasses.dataclass(frozen=True, eq=False)
class Convolution:
    """A valid convolution with stride 1; kernel [k, k, C, N], bias [N], PReLU slope [N] or none."""

    kernel: Array
    bias: Array
    slope: Array | None = None


@dataclasses.dataclass(frozen=True)
class MaxPool:
    """The maximum of side x side values, every second one; `padded`: the last may have fewer."""

    side: int
    padded: bool


@dataclasses.dataclass(frozen=True, eq=False)
class Dense:
    """A dense layer over all values of its input; kernel [C, N], bias [N], PReLU slope or none."""

    kernel: Array
    bias: Array
    slope: Array | None = None


Layer = Convolution | MaxPool | Dense


@dataclasses.dataclass(frozen=True, eq=False)
class Network:
    """A network whose heads are one layer: its outputs lie side by side.

    P-Net [B, H, W, 3] to [B, h, w, 6], R-Net [N, 24, 24, 3] to [N, 6], O-Net [N, 48, 48, 3] to
    [N, 16]; all float32, the input `normalized`. The outputs are two logits (no face, face), the
    offsets of the four edges, and O-Net's landmarks: five x, five y.
    """

    name: NetworkName
    side: int | None
    """Of the window that it takes; None: pictures of any size."""
    layers: Sequence[Layer]


@functools.cache
def load_network(name: NetworkName) -> Network:
    """One of the networks with its weights. Raises InputError if the weights are missing."""
    weights = iter(_load_weights(name))

    def convolution() -> Convolution:
        kernel, bias, slope = next(weights), next(weights), next(weights)
        return Convolution(kernel, bias, slope.reshape(-1))

    def dense() -> Dense:
        kernel, bias, slope = next(weights), next(weights), next(weights)
        return Dense(_row_major(kernel, 3), bias, slope)

    def heads(count: int) -> tuple[Array, Array]:
        """The score, which comes last in the files, goes first."""
        pairs = [(next(weights), next(weights)) for _ in range(count)]
        pairs = pairs[-1:] + pairs[:-1]
        return np.concatenate([k for k, _ in pairs], -1), np.concatenate([b for _, b in pairs])

    side: int | None = None
    layers: list[Layer]
    if name == "pnet":
        layers = [convolution(), MaxPool(2, True), convolution(), convolution()]
        layers.append(Convolution(*heads(2)))
    elif name == "rnet":
        side, layers = 24, [convolution(), MaxPool(3, True), convolution(), MaxPool(3, False)]
        layers += [convolution(), dense(), Dense(*heads(2))]
    else:
        side, layers = 48, [convolution(), MaxPool(3, True), convolution(), MaxPool(3, False)]
        layers += [convolution(), MaxPool(2, True), convolution(), dense(), Dense(*heads(3))]
    return Network(name, side, layers)


def normalized(pixels: Array) -> Array:
    """Pixels 0...255 as the networks take them, float32: exact for whole numbers."""
    values = np.subtract(pixels, np.float32(127.5), dtype=np.float32)
    values *= np.float32(1 / 128)
    return values


def weights_file(name: NetworkName) -> Path:
    """The file of a network in the installed `mtcnn` package, which is not imported.

    Raises InputError if the package or the file is missing.
    """
    spec = importlib.util.find_spec("mtcnn")
    folders = spec.submodule_search_locations if spec else None
    file = Path(folders[0], "assets", "weights", f"{name}.lz4") if folders else Path()
    if not file.is_file():
        raise InputError(
            f"the weights {name}.lz4 of the package mtcnn are missing: pip install 'mtcnn>=1.0'"
        )
    return file


def weights_digest() -> str:
    """16 hex digits over the three weight files."""
    digest = hashlib.sha256()
    names: tuple[NetworkName, ...] = ("pnet", "rnet", "onet")
    for name in names:
        digest.update(weights_file(name).read_bytes())
    return digest.hexdigest()[:16]


def _load_weights(name: NetworkName) -> list[Array]:
    """Kernels, biases and PReLU slopes in the order of the layers, float32."""
    return [np.asarray(array, np.float32) for array in joblib.load(weights_file(name))]


def _row_major(kernel: Array, side: int) -> Array:
    """The weights were trained on features flattened column by column; reorder them for rows."""
    features = kernel.reshape(side, side, -1, kernel.shape[1])
    return features.transpose(1, 0, 2, 3).reshape(kernel.shape)
