"""What an embedding costs, counted in the graph that TensorFlow runs.

Counting operations in place of layers leaves none out: nested models, layers that are used twice
and those of other packages count as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import keras
import tensorflow as tf


def multiply_adds(model: keras.Model) -> int:
    """Multiplications with an addition that one picture takes, in convolutions and products.

    Sums, norms, activations and pooling are not counted, as is usual.
    """
    shape = (1, *model.input_shape[1:])
    forward = tf.function(lambda pixels: model(pixels, training=False))
    graph = forward.get_concrete_function(tf.TensorSpec(shape, tf.float32)).graph
    operations = [each for each in _operations(graph) if each.type in _COUNTED]
    return sum(_COUNTED[operation.type](operation) for operation in operations)


def _operations(graph: tf.Graph) -> Iterator[tf.Operation]:
    """Those of a graph, and of the functions that it calls."""
    for operation in graph.get_operations():
        if operation.type.endswith("PartitionedCall"):
            called = graph._get_function(operation.get_attr("f").name)
            yield from _operations(called.graph)
        else:
            yield operation


def _values(tensor: tf.Tensor) -> int:
    """How many numbers there are for one picture; a function may be traced for any batch."""
    batch, *others = tensor.shape
    return math.prod([batch or 1, *others])


def _convolution(operation: tf.Operation) -> int:
    """Each output is a sum over a window of the channels in its group."""
    *window, _ = operation.inputs[1].shape
    return _values(operation.outputs[0]) * math.prod(window)


def _depthwise(operation: tf.Operation) -> int:
    """Each output is a sum over a window of one channel."""
    height, width, *_ = operation.inputs[1].shape
    return _values(operation.outputs[0]) * height * width


def _matrix_product(operation: tf.Operation) -> int:
    transposed = operation.get_attr("transpose_a" if operation.type == "MatMul" else "adj_x")
    return _values(operation.outputs[0]) * operation.inputs[0].shape[-2 if transposed else -1]


def _einsum(operation: tf.Operation) -> int:
    """One product for each combination of all indices."""
    terms = operation.get_attr("equation").decode().split("->")[0].split(",")
    sizes: dict[str, int] = {}
    for term, tensor in zip(terms, operation.inputs, strict=True):
        sizes.update(zip(term, tensor.shape, strict=True))
    return math.prod(sizes.values())


_COUNTED: dict[str, Callable[[tf.Operation], int]] = {
    "Conv2D": _convolution,
    "DepthwiseConv2dNative": _depthwise,
    "MatMul": _matrix_product,
    "BatchMatMulV2": _matrix_product,
    "Einsum": _einsum,
}
