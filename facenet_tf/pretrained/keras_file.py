"""Weights of a Keras `.h5`, of a whole model or of weights alone, read as data.

Such files hold the bytecode of Lambda layers, which Keras would run: here nothing is built from
what they say of their network. Arrays are read by name, and of the description plain numbers are
compared.
"""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import h5py

from facenet_tf.errors import InputError
from facenet_tf.pretrained.tensors import Tensor, Tensors

_KERAS_1 = {"W": "kernel", "b": "bias"}
"""Its names of variables, which follow that of the layer: `conv1_1_W_1:0`."""


def read_h5(path: Path) -> tuple[Tensors, list[dict[str, Any]]]:
    """Arrays by `LAYER/VARIABLE`, and what the file says of the layers (none in weights alone).

    Raises:
        InputError: it is damaged, or keeps arrays in other files.
    """
    found: dict[str, Tensor] = {}

    def collect(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            _check_kept_inside(path, name, item)
            shape, read = tuple(item.shape or ()), partial(_read, path, item.name)
            found[_layer_and_variable(name)] = Tensor(shape, read)

    try:
        with h5py.File(path, "r") as file:
            # It does not follow links: they may lead out of the file.
            file.get("model_weights", file).visititems(collect)
            model = json.loads(file.attrs.get("model_config", "{}"))
            layers = [dict(layer) for layer in model.get("config", {}).get("layers", [])]
    except (OSError, RuntimeError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: it cannot be read as an .h5 of Keras ({error!r})") from error
    return Tensors(path, found), layers


def _check_kept_inside(path: Path, name: str, dataset: h5py.Dataset) -> None:
    if dataset.external or dataset.is_virtual:
        raise InputError(f"{path}: it keeps {name} in another file, which is not read")


def _layer_and_variable(name: str) -> str:
    """Of `model_weights/conv1/conv1/kernel:0`, `conv1/kernel`: a group per layer, in it full names
    of variables."""
    layer, _, rest = name.partition("/")
    variable = rest.rpartition("/")[2].partition(":")[0]
    old = re.fullmatch(r".*_(W|b)(_\d+)?", variable)
    return f"{layer}/{_KERAS_1[old[1]] if old else variable}"


def _read(path: Path, name: str) -> Any:
    with h5py.File(path, "r") as file:
        return file[name][()]
