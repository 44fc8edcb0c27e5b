"""The graph of an ONNX model, to be followed from its input on; read by onnx where it is installed.

What is passed through unchanged (Identity, Dropout, Cast) is left out, so that a node's inputs are
outputs of nodes that compute, or weights.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
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
    options: dict[str, Any] = field(default_factory=dict)


class Graph:
    """Nodes by what they read, and weights by name.

    Args:
        path: named in messages.
        model: a ModelProto.
    """

    def __init__(self, path: Path, model: Any) -> None:
        from onnx import helper, numpy_helper

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
        self.tensors = Tensors(
            path,
            {
                name: Tensor(tuple(each.dims), partial(numpy_helper.to_array, each))
                for name, each in weights.items()
            },
        )
        starts = [each for each in model.graph.input if each.name not in weights]
        if len(starts) != 1:
            raise InputError(f"{path}: it has {len(starts)} inputs: it is of another network")
        self.start = starts[0].name

    def next(self, tensor: str, kind: str) -> Node:
        """The only node of a kind that reads a tensor; raises InputError if there is none."""
        found = self.find(tensor, kind)
        if found is None:
            kinds = ", ".join(node.kind for node in self._readers[tensor]) or "nothing"
            raise InputError(
                f"{self.path}: {kind} should follow {tensor}, {kinds} does: it is of another "
                "network"
            )
        return found

    def find(self, tensor: str, *kinds: str) -> Node | None:
        """The only node of some kinds that reads a tensor; None if there is none or several."""
        found = [node for node in self._readers[tensor] if node.kind in kinds]
        return found[0] if len(found) == 1 else None


def read_graph(path: Path) -> Graph:
    """The graph of a file.

    Raises:
        InputError: onnx is missing, or the file is damaged or keeps weights in others.
    """
    try:
        import onnx
    except ImportError as error:
        raise InputError(
            f"{path}: onnx reads it and is not installed: pip install 'facenet-tf[onnx]'"
        ) from error
    try:
        # Weights in other files would be read from wherever the model says.
        model = onnx.load(str(path), load_external_data=False)
        graph = Graph(path, model)
    except InputError:
        raise
    except Exception as error:  # protobuf's errors are of no common kind
        raise InputError(f"{path}: it cannot be read as ONNX ({error})") from error
    if any(onnx.external_data_helper.uses_external_data(each) for each in model.graph.initializer):
        raise InputError(f"{path}: it keeps weights in other files: save it as one")
    return graph
