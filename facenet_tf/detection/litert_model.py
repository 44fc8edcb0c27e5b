"""A network as a LiteRT model for inputs of one shape.

TensorFlow's converter makes such a model from a function, but takes a tenth of a second for it, and
here a model per shape is wanted: a PReLU whose slopes are repeated for a whole row of pixels is
computed in one go, while LiteRT's kernel is called for every pixel with the few slopes of its
channels, which costs as much as the convolution before it.
"""

from __future__ import annotations

import math
from typing import Any

import flatbuffers
import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

from facenet_tf.detection.networks import Convolution, MaxPool, Network

Array = np.ndarray
Shape = tuple[int, ...]
_Codes = schema.BuiltinOperator


def to_litert(network: Network, shape: Shape) -> bytes:
    """A network as a LiteRT model from float32 of this shape to the outputs, as in `Network`."""
    graph = _Graph(shape)
    for layer in network.layers:
        if isinstance(layer, MaxPool):
            graph.max_pool(layer)
            continue
        if isinstance(layer, Convolution):
            graph.convolution(layer.kernel, layer.bias)
        else:
            graph.dense(layer.kernel, layer.bias)
        if layer.slope is not None:
            graph.prelu(layer.slope)
    return graph.packed()


class _Graph:
    """A chain of operations with their constants."""

    def __init__(self, shape: Shape) -> None:
        self._codes: list[int] = []
        self._buffers = [schema.BufferT()]  # the first is what tensors without values have
        self._tensors: list[Any] = []
        self._operators: list[Any] = []
        self._shape = shape
        self._last = self._tensor(shape)

    def convolution(self, kernel: Array, bias: Array) -> None:
        options = schema.Conv2DOptionsT()
        options.padding = schema.Padding.VALID
        options.strideH = options.strideW = 1
        count, height, width, _ = self._shape
        side, _, _, channels = kernel.shape
        shape = count, height - side + 1, width - side + 1, channels
        self._add(_Codes.CONV_2D, options, shape, kernel.transpose(3, 0, 1, 2), bias)

    def max_pool(self, layer: MaxPool) -> None:
        options = schema.Pool2DOptionsT()
        options.padding = schema.Padding.SAME if layer.padded else schema.Padding.VALID
        options.strideH = options.strideW = 2
        options.filterHeight = options.filterWidth = layer.side
        count, height, width, channels = self._shape
        missing = 1 if layer.padded else layer.side
        sides = (math.ceil((side - missing + 1) / 2) for side in (height, width))
        self._add(_Codes.MAX_POOL_2D, options, (count, *sides, channels))

    def dense(self, kernel: Array, bias: Array) -> None:
        count = self._shape[0]
        self._reshape((count, len(kernel)))
        options = schema.FullyConnectedOptionsT()
        self._add(_Codes.FULLY_CONNECTED, options, (count, len(bias)), kernel.T, bias)

    def prelu(self, slope: Array) -> None:
        shape = self._shape
        rows = (*shape[:-2], math.prod(shape[-2:])) if len(shape) == 4 else shape
        self._reshape(rows)
        slopes = np.tile(slope, rows[-1] // len(slope))
        self._add(_Codes.PRELU, None, rows, slopes.reshape((1,) * (len(rows) - 2) + (-1,)))
        self._reshape(shape)

    def packed(self) -> bytes:
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self._tensors, self._operators
        graph.inputs, graph.outputs = [0], [self._last]
        model = schema.ModelT()
        model.version = 3
        model.operatorCodes = [_operator_code(code) for code in self._codes]
        model.subgraphs, model.buffers = [graph], self._buffers
        builder = flatbuffers.Builder()
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())

    def _reshape(self, shape: Shape) -> None:
        if shape != self._shape:
            self._add(_Codes.RESHAPE, None, shape, np.array(shape, np.int32))

    def _add(self, code: int, options: Any, shape: Shape, *constants: Array) -> None:
        """Append an operation on the last tensor with its constants."""
        if code not in self._codes:
            self._codes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = self._codes.index(code)
        operator.inputs = [self._last, *map(self._constant, constants)]
        operator.outputs = [self._tensor(shape)]
        if options is not None:
            name = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, name)
            operator.builtinOptions = options
        self._operators.append(operator)
        self._last, self._shape = operator.outputs[0], shape

    def _constant(self, values: Array) -> int:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        self._buffers.append(buffer)
        whole = values.dtype == np.int32
        return self._tensor(values.shape, len(self._buffers) - 1, whole)

    def _tensor(self, shape: Shape, buffer: int = 0, whole: bool = False) -> int:
        tensor = schema.TensorT()
        tensor.name = f"{len(self._tensors)}"
        tensor.shape = np.array(shape, np.int32)
        tensor.type = schema.TensorType.INT32 if whole else schema.TensorType.FLOAT32
        tensor.buffer = buffer
        self._tensors.append(tensor)
        return len(self._tensors) - 1


def _operator_code(code: int) -> Any:
    made = schema.OperatorCodeT()
    made.builtinCode = made.deprecatedBuiltinCode = code
    made.version = 1
    return made
