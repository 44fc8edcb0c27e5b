"""InsightFace's networks as its PyTorch and MXNet code has them, written as ONNX with made-up
weights; names of tensors are numbers, as exports give them."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Export:
    """A graph in the making.

    Args:
        side: of the pictures.
        folded: batch normalisation after a convolution is part of it, as in exports of PyTorch.
        scaled: pixels are normalised in the graph, as in exports of MXNet.
    """

    def __init__(self, side, folded=True, scaled=False):
        self.side, self.folded = side, folded
        self.random = np.random.RandomState(1)
        self.nodes, self.weights, self.start = [], [], "input.1"
        if scaled:
            self.start = self.node("Sub", [self.start, self.weight(np.float32(127.5))])
            self.start = self.node("Mul", [self.start, self.weight(np.float32(1 / 128))])

    def node(self, kind, inputs, **options):
        output = str(100 + len(self.nodes))
        self.nodes.append(helper.make_node(kind, inputs, [output], **options))
        return output

    def weight(self, values):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name

    def save(self, path, output, shape=None):
        shape = shape or (None, 3, self.side, self.side)
        pixels = helper.make_tensor_value_info("input.1", TensorProto.FLOAT, shape)
        vector = helper.make_tensor_value_info(output, TensorProto.FLOAT, (None, None))
        graph = helper.make_graph(self.nodes, "torch-jit-export", [pixels], [vector], self.weights)
        opset = helper.make_opsetid("", 12)
        onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=7), str(path))

    def conv(self, x, inputs, filters, size, stride=1, groups=1, even=True):
        """A convolution and its norm; even: as many zeros on all sides as keep the size."""
        shape = (filters, inputs // groups, size, size)
        kernel = self.random.randn(*shape) * np.sqrt(2 / np.prod(shape[1:]))
        pads = [size // 2 if even else 0] * 4
        options = {"strides": [stride] * 2, "pads": pads, "group": groups}
        options |= {"kernel_shape": [size] * 2, "dilations": [1, 1]}
        if not self.folded:
            return self.norm(self.node("Conv", [x, self.weight(kernel)], **options), filters)
        gamma, beta, mean, variance = self.norm_values(filters)
        scale = gamma / np.sqrt(variance + 1e-5)
        kernel, bias = kernel * scale[:, None, None, None], beta - mean * scale
        return self.node("Conv", [x, self.weight(kernel), self.weight(bias)], **options)

    def norm_values(self, channels):
        gamma, variance = 0.5 + self.random.rand(2, channels)
        beta, mean = 0.1 * self.random.randn(2, channels)
        return gamma, beta, mean, variance

    def norm(self, x, channels, epsilon=1e-5):
        values = [self.weight(each) for each in self.norm_values(channels)]
        return self.node("BatchNormalization", [x, *values], epsilon=epsilon)

    def prelu(self, x, channels):
        slopes = self.random.rand(channels, 1, 1)
        return self.node("PRelu", [x, self.weight(slopes)])

    def dense(self, x, inputs, dimensions, bias=True):
        """Flatten, matrix and norm."""
        x = self.node("Flatten", [x], axis=1)
        kernel = self.random.randn(dimensions, inputs) / np.sqrt(inputs)
        if bias:
            parts = [self.weight(kernel), self.weight(self.random.randn(dimensions))]
            x = self.node("Gemm", [x, *parts], transB=1)
        else:
            x = self.node("MatMul", [x, self.weight(kernel.T)])
        return self.norm(x, dimensions)


def residual(export, blocks, dimensions, side):
    """IResNet of arcface_torch (backbones/iresnet.py)."""
    x = export.prelu(export.conv(export.start, 3, 64, 3), 64)
    inputs = 64
    for count, filters in zip(blocks, (64, 128, 256, 512)):
        for number in range(count):
            stride = 1 if number else 2
            y = export.conv(export.norm(x, inputs), inputs, filters, 3)
            y = export.conv(export.prelu(y, filters), filters, filters, 3, stride)
            if stride > 1:
                x = export.conv(x, inputs, filters, 1, stride)
            x, inputs = export.node("Add", [y, x]), filters
        side = (side + 1) // 2
    x = export.node("Dropout", [export.norm(x, 512, 2e-5)])
    return export.dense(x, 512 * side * side, dimensions)


def mobile(export, dimensions):
    """MobileFaceNet of arcface_torch (backbones/mobilefacenet.py) with scale 2."""

    def block(x, inputs, filters, groups, stride=1):
        y = export.prelu(export.conv(x, inputs, groups, 1), groups)
        y = export.prelu(export.conv(y, groups, groups, 3, stride, groups), groups)
        y = export.conv(y, groups, filters, 1)
        return export.node("Add", [x, y]) if stride == 1 else y

    x = export.prelu(export.conv(export.start, 3, 128, 3, 2), 128)
    x = export.prelu(export.conv(x, 128, 128, 3, 1, groups=64), 128)
    x = block(x, 128, 128, 128, 2)
    for _ in range(4):
        x = block(x, 128, 128, 128)
    x = block(x, 128, 256, 256, 2)
    for _ in range(6):
        x = block(x, 256, 256, 256)
    x = block(x, 256, 256, 512, 2)
    for _ in range(2):
        x = block(x, 256, 256, 256)
    x = export.prelu(export.conv(x, 256, 512, 1), 512)
    x = export.conv(x, 512, 512, export.side // 16, groups=512, even=False)
    return export.dense(x, 512, dimensions, bias=False)
