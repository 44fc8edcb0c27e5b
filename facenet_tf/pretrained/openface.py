"""OpenFace's nn4.small2 from the folder of CSV files that its Keras form brings along.

A file per tensor of the Torch model: `inception_3a_5x5_conv1_w.csv` and `…_b.csv`, of batch
normalisation also means `…_m.csv` and variances `…_v.csv`. Values are in Torch's order: kernels
[outputs, inputs, height, width], the dense layer [outputs, inputs].

The network is that of the Torch definition, which the weights were trained with. The Keras form has
other constants of local response normalisation, and somewhat other embeddings.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from facenet_tf import models
from facenet_tf.errors import InputError
from facenet_tf.pretrained.filling import Array, Filling, Norm
from facenet_tf.pretrained.imported import Imported
from facenet_tf.pretrained.tensors import Tensor, Tensors

EPSILON = 1e-5
"""Of batch normalisation in Torch."""
FORM = "OpenFace's nn4.small2, folder of CSV files"

_STEM = {"stem_conv1": "1", "stem_conv2_reduce": "2", "stem_conv2": "3"}
# What follows the name of a block: of the convolution, of its norm.
_BRANCHES = {
    "1x1": ("1x1_conv", "1x1_bn"),
    "projection": ("pool_conv", "pool_bn"),
    **{f"{n}x{n}_reduce": (f"{n}x{n}_conv1", f"{n}x{n}_bn1") for n in (3, 5)},
    **{f"{n}x{n}": (f"{n}x{n}_conv2", f"{n}x{n}_bn2") for n in (3, 5)},
}


def is_folder(path: Path) -> bool:
    """Whether a directory looks like such a folder."""
    return (path / "conv1_w.csv").is_file()


def read(path: Path) -> Imported:
    """The network of a folder.

    Raises:
        InputError: a file is missing, damaged or of another network.
    """
    tensors = Tensors(path, {file.stem: _tensor(file) for file in sorted(path.glob("*_?.csv"))})
    crops = models.published("openface_nn4_small2").preprocessing
    model = models.build("openface_nn4_small2", preprocessing=crops)
    filling = Filling(model, path)
    for layer in model.layers:
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense)):
            _fill(filling, layer, tensors)
    return Imported(filling.finished(), FORM, filling.mapped, tensors.left_out(()))


def _fill(filling: Filling, layer: Any, tensors: Tensors) -> None:
    convolution, after = _their_names(layer.name)
    *places, inputs, outputs = layer.kernel.shape
    values = tensors.take(f"{convolution}_w", (inputs * outputs * int(np.prod(places)),))
    kernel = np.moveaxis(values.reshape(outputs, inputs, *places), (0, 1), (-1, -2))
    bias = tensors.take(f"{convolution}_b", (outputs,))
    norm = _norm(tensors, after, outputs) if after else None
    filling.kernel(layer.name, kernel, f"{convolution}_w", bias=bias, norm=norm)


def _norm(tensors: Tensors, name: str, channels: int) -> Norm:
    gamma, beta, mean, variance = (tensors.take(f"{name}_{part}", (channels,)) for part in "wbmv")
    return Norm(gamma, beta, mean, variance, EPSILON)


def _their_names(name: str) -> tuple[str, str]:
    """Of the counterpart of our layer, and of its norm ("" for the bottleneck, which has none)."""
    if name == "bottleneck":
        return "dense", ""
    if name in _STEM:
        return f"conv{_STEM[name]}", f"bn{_STEM[name]}"
    block, branch = name[: len("inception_3a")], name[len("inception_3a_") :]
    convolution, norm = _BRANCHES[branch]
    return f"{block}_{convolution}", f"{block}_{norm}"


def _tensor(file: Path) -> Tensor:
    """The values of a file one after the other, whatever its lines."""
    try:
        values = np.loadtxt(file, np.float32, delimiter=",", ndmin=1).ravel()
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: it is no table of numbers ({error})") from error
    return Tensor(values.shape, partial(_same, values))


def _same(values: Array) -> Array:
    return values
