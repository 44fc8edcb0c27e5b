"""The graph of an ONNX model, to be followed from its input on; read by onnx where it is installed.

What is passed through unchanged (Identity, Dropout, Cast) is left out, so that a node's inputs are
outputs of nodes that compute, or weights.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from facenet_tf.errors import InputError
from facenet_tf.pretrained.tensors import Tensor, Tensors

_PASSING = ("Identity", "Dropout", "Cast")


@dataclass(frozen=True)
class Node:
    """An operation: its kind, what it reads, its first output, and its options."""

    kind: str
    inputs: Sequence[str]
    output: str
    options: dict[str, Any]


class Graph:
    """Nodes by what they read, and weights by name.

    Args:
        path: named in messages.
        model: a ModelProto.

    Raises:
        InputError: weights are in other files, or there are several inputs.
    """

    def __init__(self, path: Path, model: Any) -> None:
        from onnx import helper

        self.path = path
        passed: dict[str, str] = {}
        weights = {each.name: each for each in model.graph.initializer}
        self._readers: dict[str, list[Node]] = defaultdict(list)
        for node in model.graph.node:
            inputs = [passed.get(name, name) for name in node.input]
            options = {each.name: helper.get_attribute_value(each) for each in node.attribute}
            if node.op_type == "Constant" and "value" in options:
                weights[node.output[0]] = options["value"]
            elif node.op_type in _PASSING:
                passed[node.output[0]] = inputs[0]
            else:
                found = Node(node.op_type, inputs, node.output[0], options)
                for name in dict.fromkeys(inputs):
                    self._readers[name].append(found)
        self.tensors = _tensors(path, weights)
        starts = [each for each in model.graph.input if each.name not in weights]
        if len(starts) != 1:
            raise InputError(f"{path}: it has {len(starts)} inputs: it is of another network")
        self.start = starts[0].name
        sides = starts[0].type.tensor_type.shape.dim
        self.shape = tuple(int(each.dim_value) for each in sides)
        """Of the input; 0 for what the file leaves open."""

    def find(self, tensor: str, *kinds: str) -> Node | None:
        """The only node of some kinds that reads a tensor; None if there is none, or several."""
        found = [node for node in self._readers[tensor] if node.kind in kinds]
        return found[0] if len(found) == 1 else None

    def next(self, tensor: str, *kinds: str) -> Node:
        """The same; raises InputError if there is none."""
        found = self.find(tensor, *kinds)
        if found is None:
            there = ", ".join(node.kind for node in self._readers[tensor]) or "nothing"
            raise InputError(
                f"{self.path}: after {tensor} comes {there}, not {' or '.join(kinds)}: it is of "
                "another network"
            )
        return found


def read_graph(path: Path) -> Graph:
    """The graph of a file.

    Raises:
        InputError: onnx is missing, or the file is damaged or of another kind.
    """
    try:
        import onnx
    except ImportError as error:
        raise InputError(
            f"{path}: onnx reads it and is not installed: pip install 'facenet-tf[onnx]'"
        ) from error
    try:
        return Graph(path, onnx.load(str(path), load_external_data=False))
    except InputError:
        raise
    except Exception as error:  # protobuf's errors have no class in common
        raise InputError(f"{path}: it cannot be read as ONNX ({error})") from error


def _tensors(path: Path, weights: dict[str, Any]) -> Tensors:
    from onnx import numpy_helper
    from onnx.external_data_helper import uses_external_data

    if any(map(uses_external_data, weights.values())):
        # They would be read from wherever the file says.
        raise InputError(f"{path}: it keeps weights in other files: save it as one")
    return Tensors(
        path,
        {
            name: Tensor(tuple(each.dims), partial(numpy_helper.to_array, each))
            for name, each in weights.items()
        },
    )
