"""The networks on ONNX Runtime (extra `onnx`), from the same weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from facenet_tf.detection.networks import Dense, MaxPool, Network, NetworkName, load_network


class OnnxEngine:
    """ONNX Runtime on the CPU."""

    def __init__(self) -> None:
        self._sessions: dict[NetworkName, Any] = {}

    def describe(self) -> dict[str, Any]:
        """Name and version."""
        return {"name": "onnx", "version": onnxruntime.__version__}

    def run(self, network: NetworkName, pixels: np.ndarray) -> np.ndarray:
        """The outputs of a network for pixels that are `normalized`."""
        if network not in self._sessions:
            self._sessions[network] = _session(to_onnx(load_network(network)))
        return self._sessions[network].run(None, {"pixels": pixels})[0]


def _session(model: onnx.ModelProto) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def to_onnx(network: Network) -> onnx.ModelProto:
    """A network as an ONNX model from "pixels" to "outputs", both as in `Network`."""
    graph = _Graph()
    channels_first = True
    graph.add("Transpose", perm=[0, 3, 1, 2])
    for layer in network.layers:
        if isinstance(layer, MaxPool):
            graph.add(
                "MaxPool",
                kernel_shape=[layer.side] * 2,
                strides=[2, 2],
                ceil_mode=int(layer.padded),
            )
            continue
        if isinstance(layer, Dense):
            if channels_first:
                graph.add("Transpose", perm=[0, 2, 3, 1])
                graph.add("Flatten")
                channels_first = False
            graph.add("Gemm", layer.kernel, layer.bias)
        else:
            graph.add("Conv", layer.kernel.transpose(3, 2, 0, 1), layer.bias)
        if layer.slope is not None:
            shape = (-1, 1, 1) if channels_first else (-1,)
            graph.add("PRelu", layer.slope.reshape(shape))
    if channels_first:
        graph.add("Transpose", perm=[0, 2, 3, 1])
    return graph.model(network)


class _Graph:
    """A chain of nodes with their constants."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._last = "pixels"

    def add(self, operation: str, *constants: np.ndarray, **attributes: Any) -> None:
        names = [f"{len(self._nodes)}_{number}" for number in range(len(constants))]
        for name, values in zip(names, constants, strict=True):
            self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        output = f"{len(self._nodes)}"
        self._nodes.append(
            helper.make_node(operation, [self._last, *names], [output], **attributes)
        )
        self._last = output

    def model(self, network: Network) -> onnx.ModelProto:
        shape = ["batch", network.side or "height", network.side or "width", 3]
        graph = helper.make_graph(
            self._nodes,
            network.name,
            [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(self._last, TensorProto.FLOAT, None)],
            self._constants,
        )
        # Versions that runtimes since 2022 know.
        opset = [helper.make_opsetid("", 13)]
        return helper.make_model(graph, opset_imports=opset, ir_version=8)
