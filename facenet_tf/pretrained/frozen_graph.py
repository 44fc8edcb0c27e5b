"""Variables that are constants of a frozen graph of TensorFlow 1 (`20180402-114759.pb`).

The graph itself is not run.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError

from facenet_tf.errors import InputError
from facenet_tf.pretrained.tensors import Tensor, Tensors

VARIABLES = ("weights", "biases", "beta", "gamma", "moving_mean", "moving_variance")
"""Last parts of the names that slim gives to variables; all other constants are no weights."""


def read_frozen(path: Path) -> Tensors:
    """The constants of a graph that were variables.

    Raises:
        InputError: it is no graph.
    """
    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(path.read_bytes())
    except (OSError, DecodeError) as error:
        raise InputError(f"{path}: it cannot be read as a graph of TensorFlow ({error})") from error
    found = {}
    for node in graph.node:
        if node.op == "Const" and node.name.rpartition("/")[2] in VARIABLES:
            values = node.attr["value"].tensor
            shape = tuple(dim.size for dim in values.tensor_shape.dim)
            found[node.name] = Tensor(shape, partial(tf.make_ndarray, values))
    return Tensors(path, found)
