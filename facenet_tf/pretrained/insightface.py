"""InsightFace's networks from ONNX: IR-18 to IR-100 and mbf, found by the structure of the graph.

Names in such files are numbers that differ from export to export, and batch normalisation after a
convolution has mostly been folded into it. So the graph is followed from its input on, and what is
found gets the name of its counterpart here. MXNet's exports normalise pixels in the graph; the
others leave it to the caller, and want -1...1.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from facenet_tf import models
from facenet_tf.errors import InputError
from facenet_tf.models.mbf import STAGES
from facenet_tf.preprocessing import PIXEL_SCALES, Normalization, Preprocessing
from facenet_tf.pretrained.filling import Array, Filling, Norm
from facenet_tf.pretrained.imported import Imported
from facenet_tf.pretrained.onnx_graph import Graph, Node

SIZE = 112
"""Of crops, where the file leaves it open."""
EPSILON = 1e-5
"""Of batch normalisation that does not say its own."""
DEPTHS: dict[tuple[int, ...], str] = {
    (2, 2, 2, 2): "ir18",
    (3, 4, 6, 3): "ir34",
    (3, 4, 14, 3): "ir50",
    (3, 13, 30, 3): "ir100",
}
"""Architectures by the blocks of their four stages."""
SMALL = 4
"""Numbers in an array of shapes or constants, which is no weight."""


@dataclass(frozen=True)
class Piece:
    """Weights of the graph that belong together: of a convolution or dense layer with its norm and
    its PReLU, or of a norm alone. A bias is part of the norm; kernels are in our order."""

    source: str
    norm: Norm
    kernel: Array | None = None
    slopes: Array | None = None


def read(graph: Graph) -> Imported:
    """The network of a graph.

    Raises:
        InputError: it is another network.
    """
    x, normalization = _start(graph)
    x, stem = _convolution(graph, x, activated=True)
    follow = _residual_network if graph.find(x, "BatchNormalization") else _mobile_network
    name, pieces = follow(graph, x)
    pieces = {"stem_conv": stem, **pieces}
    kernel = pieces["bottleneck"].kernel
    assert kernel is not None
    model = models.build(
        name,
        preprocessing=_crops(graph, normalization),
        embedding_size=kernel.shape[1],
    )
    filling = Filling(model, graph.path)
    for layer, piece in pieces.items():
        _fill(filling, layer, piece)
    small = [each for each in graph.tensors.names() if np.prod(graph.tensors.shape(each)) <= SMALL]
    left_out = graph.tensors.left_out(small)
    return Imported(filling.finished(), f"InsightFace's {name}, ONNX", filling.mapped, left_out)


def _fill(filling: Filling, name: str, piece: Piece) -> None:
    if piece.kernel is None:
        filling.norm(name, piece.norm, piece.source)
    else:
        biased = getattr(filling.model.get_layer(name), "use_bias", False)
        bias = np.zeros_like(piece.norm.beta) if biased else None
        filling.kernel(name, piece.kernel, piece.source, bias=bias, norm=piece.norm)
    if piece.slopes is not None:
        filling.weights(f"{name}_prelu", [piece.slopes], piece.source)


def _start(graph: Graph) -> tuple[str, Normalization]:
    """The tensor that the first convolution reads, and how it comes from pixels."""
    subtract = graph.find(graph.start, "Sub")
    if subtract is None:
        return graph.start, "insightface"
    divide = graph.next(subtract.output, "Mul", "Div")
    mean, factor = (
        np.unique(graph.tensors.take(node.inputs[1])).tolist() for node in (subtract, divide)
    )
    scale = [1 / each if divide.kind == "Mul" else each for each in factor]
    for name, constants in PIXEL_SCALES.items():
        if np.array_equal(np.unique(constants.mean), mean) and np.allclose(scale, constants.scale):
            return divide.output, name
    raise InputError(f"{graph.path}: pixels less {mean} by {scale}: no normalisation is that")


def _crops(graph: Graph, normalization: Normalization) -> Preprocessing:
    """As the graph's input is [batch, channels, height, width]."""
    if len(graph.shape) != 4 or graph.shape[1] not in (0, 3):
        raise InputError(f"{graph.path}: its input is {list(graph.shape)}: it takes no pictures")
    return Preprocessing(size=graph.shape[2] or SIZE, normalization=normalization)


def _residual_network(graph: Graph, x: str) -> tuple[str, dict[str, Piece]]:
    """Blocks, from the stem's output on; a stage begins where the shortcut has a convolution."""
    pieces: dict[str, Piece] = {}
    blocks: list[int] = []
    while True:
        before = graph.next(x, "BatchNormalization")
        if not graph.find(before.output, "Conv"):
            break
        y, first = _convolution(graph, before.output, activated=True)
        y, second = _convolution(graph, y)
        shortcut = _convolution(graph, x)[1] if graph.find(x, "Conv") else None
        blocks = [*blocks, 1] if shortcut else [*blocks[:-1], sum(blocks[-1:]) + 1]
        name = f"stage{len(blocks)}_block{blocks[-1]}"
        pieces[f"{name}_norm"] = Piece(before.inputs[1], _norm(graph, before))
        pieces |= {f"{name}_conv1": first, f"{name}_conv2": second}
        if shortcut:
            pieces[f"{name}_shortcut"] = shortcut
        x = graph.next(y, "Add").output
    if tuple(blocks) not in DEPTHS:
        raise InputError(f"{graph.path}: stages of {blocks} blocks: no network here has them")
    pieces["flatten_norm"] = Piece(before.inputs[1], _norm(graph, before))
    pieces["bottleneck"] = _dense(graph, before.output, pieces["flatten_norm"].norm.beta.size)
    return DEPTHS[tuple(blocks)], pieces


def _mobile_network(graph: Graph, x: str) -> tuple[str, dict[str, Piece]]:
    """mbf, from the stem's output on: one convolution after the other."""
    pieces: dict[str, Piece] = {}

    def follow(name: str, activated: bool = True) -> None:
        nonlocal x
        x, pieces[name] = _convolution(graph, x, activated)

    follow("stem_grouped")
    for stage, (_, _, blocks) in enumerate(STAGES, start=1):
        for block in range(1, blocks + 2):
            name = f"stage{stage}_block{block}"
            follow(f"{name}_expand")
            follow(f"{name}_depthwise")
            follow(f"{name}_project", activated=False)
            if block > 1:
                x = graph.next(x, "Add").output
    follow("last_conv")
    follow("pool", activated=False)
    pieces["bottleneck"] = _dense(graph, x, pieces["pool"].norm.beta.size)
    return "mbf", pieces


def _convolution(graph: Graph, x: str, activated: bool = False) -> tuple[str, Piece]:
    """The convolution that reads x, with its norm: what comes out, and the weights."""
    node = graph.next(x, "Conv")
    name = node.inputs[1]
    graph.tensors.shape(name, rank=4)
    kernel = graph.tensors.take(name)
    depthwise = kernel.shape[1] == 1 and node.options.get("group", 1) == len(kernel)
    kernel = kernel.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
    bias = graph.tensors.take(node.inputs[2]) if len(node.inputs) > 2 else None
    x, norm = _norm_after(graph, node.output, kernel.shape[2 if depthwise else 3], bias)
    if not activated:
        return x, Piece(name, norm, kernel)
    prelu = graph.next(x, "PRelu")
    slopes = graph.tensors.take(prelu.inputs[1]).ravel()
    return prelu.output, Piece(name, norm, kernel, slopes)


def _dense(graph: Graph, x: str, channels: int) -> Piece:
    """The dense layer behind a map of so many channels, with its norm."""
    flat = graph.next(x, "Flatten", "Reshape")
    node = graph.next(flat.output, "Gemm", "MatMul")
    name = node.inputs[1]
    graph.tensors.shape(name, rank=2)
    kernel = graph.tensors.take(name)
    if node.options.get("transB"):
        kernel = kernel.T
    if len(kernel) % channels:
        raise InputError(f"{graph.path}: {name} does not fit {channels} channels")
    # Its rows go through the map channel by channel, ours place by place.
    inputs, outputs = kernel.shape
    by_place = kernel.reshape(channels, -1, outputs).swapaxes(0, 1).reshape(inputs, outputs)
    bias = graph.tensors.take(node.inputs[2]) if len(node.inputs) > 2 else None
    _, norm = _norm_after(graph, node.output, outputs, bias)
    return Piece(name, norm, by_place)


def _norm_after(graph: Graph, x: str, channels: int, bias: Array | None) -> tuple[str, Norm]:
    """What follows a convolution or dense layer: its norm, or the bias that is left of one."""
    node = graph.find(x, "BatchNormalization")
    if bias is None:
        bias = np.zeros(channels, np.float32)
    if node is None:
        return x, Norm.folded(bias)
    norm = _norm(graph, node)
    return node.output, dataclasses.replace(norm, mean=norm.mean - bias)


def _norm(graph: Graph, node: Node) -> Norm:
    gamma, beta, mean, variance = map(graph.tensors.take, node.inputs[1:5])
    return Norm(gamma, beta, mean, variance, float(node.options.get("epsilon", EPSILON)))
