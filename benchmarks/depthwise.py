"""Depthwise convolution on a CPU: layers alone, and the train step of MobileFaceNet.

    python benchmarks/depthwise.py [--batch 64] [--quick] [--output FILE]

A layer is forward and both gradients, in milliseconds. "ours" is that of `facenet_tf.models`; the
peers compute the same: `tf.nn.depthwise_conv2d` as a graph and under XLA, the sum of nine shifted
products under XLA with the gradient that TensorFlow derives, and an ordinary convolution with as
many groups as channels. "copy" adds 1 to the input, which reads and writes memory once. What is
"without_onednn" is TensorFlow's as a graph in a process of its own, where Eigen's kernels compute.

Then the causes, each by itself: the gradient by the input in bfloat16, of ours and of TensorFlow's,
beside that in float32; batch normalisation and 1×1 convolution as a graph ("ours") and under XLA.

A step is a whole one, in images per second. "native" has `keras.layers.DepthwiseConv2D` and is
otherwise the same net; "keras" has Keras' PReLU and batch normalisation too; "pools" has average
pools in the place of depthwise convolutions, and so tells what these cost; those with "xla" are
compiled as a whole.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import report
import tensorflow as tf
from limited_process import LimitedProcess, Limits
from losses_worker import answer
from training_step import STAGE, ready_step

from facenet_tf import models
from facenet_tf.models.depthwise import DepthwiseConvolution, depthwise_convolution

LAYERS = {  # side, channels, strides: most of what MobileFaceNet has
    "56x56x64": (56, 64, 1),
    "56x56x128_stride2": (56, 128, 2),
    "28x28x128": (28, 128, 1),
    "14x14x256": (14, 256, 1),
}
Convolve = Callable[[tf.Tensor, tf.Tensor, int], tf.Tensor]
Change = Callable[[keras.layers.Layer], keras.layers.Layer]


def native(x: tf.Tensor, kernel: tf.Tensor, strides: int) -> tf.Tensor:
    return tf.nn.depthwise_conv2d(x, kernel, [1, strides, strides, 1], "SAME")


def grouped(x: tf.Tensor, kernel: tf.Tensor, strides: int) -> tf.Tensor:
    return tf.nn.conv2d(x, tf.transpose(kernel, [0, 1, 3, 2]), strides, "SAME")


def shifted(x: tf.Tensor, kernel: tf.Tensor, strides: int) -> tf.Tensor:
    side = x.shape[1]
    places = -(-side // strides)
    padding = max((places - 1) * strides + 3 - side, 0)
    x = tf.pad(x, [[0, 0], *[[padding // 2, padding - padding // 2]] * 2, [0, 0]])
    last = (places - 1) * strides + 1
    return tf.add_n(
        [
            x[:, row : row + last : strides, column : column + last : strides]
            * kernel[row, column, :, 0]
            for row in range(3)
            for column in range(3)
        ]
    )


def pointwise(x: tf.Tensor, kernel: tf.Tensor, strides: int) -> tf.Tensor:
    return tf.nn.conv2d(x, kernel, strides, "SAME")


def normalized(x: tf.Tensor, scale_and_offset: tf.Tensor, strides: int) -> tf.Tensor:
    return tf.compat.v1.nn.fused_batch_norm(x, *tf.unstack(scale_and_offset))[0]


LAYER_PEERS: dict[str, tuple[Convolve, bool]] = {
    "native_graph": (native, False),
    "native_xla": (native, True),
    "shifted_xla": (shifted, True),
    "grouped_graph": (grouped, False),
}
STRIDED = "56x56x128_stride2"
XLA_LAYERS = ("56x56x64", "28x28x128")


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("--batch", type=int, default=64, help="images")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        answer_layers(options.batch)
        return
    rounds = 2 if options.quick else 5
    batch = 16 if options.quick else options.batch
    metrics: dict[str, Any] = {}
    command = [sys.executable, __file__, "--worker", "--batch", str(batch)]
    with LimitedProcess(command, Limits(8e9, 600.0), TF_ENABLE_ONEDNN_OPTS="0") as eigen:
        for name in LAYERS:
            other = {"native_graph_without_onednn": lambda name=name: asked(eigen, name)}
            metrics[f"layer_{name}_float32"] = layer_figures(batch, name, tf.float32, rounds, other)
    for name in LAYERS:
        metrics[f"layer_{name}_bfloat16"] = layer_figures(batch, name, tf.bfloat16, rounds, {})
    metrics[f"input_gradient_{STRIDED}"] = gradient_figures(batch, rounds)
    for name in XLA_LAYERS:
        metrics[f"pointwise_{name}_float32"] = xla_figures(pointwise, batch, name, rounds)
        metrics[f"batch_norm_{name}_float32"] = xla_figures(normalized, batch, name, rounds)
    for policy, peers in (QUICK_STEPS if options.quick else STEPS).items():
        metrics[f"train_step_{policy}"] = step_figures(batch, policy, peers, rounds)
    report.publish("depthwise", metrics, options.output, batch=batch)


def answer_layers(batch: int) -> None:
    """In a process of its own: milliseconds of TensorFlow's layer for each name that is read."""
    ready: dict[str, Callable[[], float]] = {}
    for line in sys.stdin:
        name = line.strip()
        if name not in ready:
            compute = forward_and_gradient(native, LAYERS[name][2], jit=False)
            ready[name] = timed(compute, operands(batch, name, tf.float32))
        answer({"milliseconds": ready[name]()})


def asked(process: LimitedProcess, name: str) -> float:
    """What such a process says of a layer."""
    said = process.ask(name)
    if "failed" in said:
        raise ValueError(said["failed"])
    return float(said["milliseconds"])


def layer_figures(
    batch: int,
    name: str,
    precision: tf.DType,
    rounds: int,
    others: Mapping[str, Callable[[], float]],
) -> Any:
    """Milliseconds of forward and gradient; what a peer cannot do is said."""
    tensors = operands(batch, name, precision)
    copy = tf.function(lambda x: [x + tf.ones([], precision)])
    contenders, failed = {"copy": timed(copy, tensors[:1]), **others}, {}
    forms = {"ours": (depthwise_convolution, False), **LAYER_PEERS}
    for form, (convolve, jit) in forms.items():
        try:
            compute = forward_and_gradient(convolve, LAYERS[name][2], jit)
            contenders[form] = timed(compute, tensors)
        except (tf.errors.OpError, ValueError) as error:
            failed[form] = str(error).strip().splitlines()[0][:200]
    times = report.alternate(contenders, rounds)
    figure = report.metric(times.pop("ours"), times, "ms", less_is_better=True)
    return {**figure, "failed": failed}


def gradient_figures(batch: int, rounds: int) -> Any:
    """Milliseconds of the gradient by the input alone, of a layer with a stride."""
    forms = {
        "ours": (depthwise_convolution, tf.bfloat16),
        "native_bfloat16": (native, tf.bfloat16),
        "native_float32": (native, tf.float32),
    }
    contenders = {
        form: timed(
            forward_and_gradient(convolve, LAYERS[STRIDED][2], jit=False, only_by_input=True),
            operands(batch, STRIDED, precision),
        )
        for form, (convolve, precision) in forms.items()
    }
    times = report.alternate(contenders, rounds)
    return report.metric(times.pop("ours"), times, "ms", less_is_better=True)


def xla_figures(layer: Convolve, batch: int, name: str, rounds: int) -> Any:
    """Milliseconds of forward and gradient of what stands beside the depthwise convolutions."""
    side, channels, strides = LAYERS[name]
    weights = (2, channels) if layer is normalized else (1, 1, channels, channels)
    tensors = normal((batch, side, side, channels), weights, (batch, side, side, channels))
    contenders = {
        form: timed(forward_and_gradient(layer, strides, jit), tensors)
        for form, jit in (("ours", False), ("xla", True))
    }
    times = report.alternate(contenders, rounds)
    return report.metric(times.pop("ours"), times, "ms", less_is_better=True)


def operands(batch: int, name: str, precision: tf.DType) -> list[tf.Tensor]:
    """Input, kernel and gradient of a depthwise layer."""
    side, channels, strides = LAYERS[name]
    places = -(-side // strides)
    return normal(
        (batch, side, side, channels),
        (3, 3, channels, 1),
        (batch, places, places, channels),
        precision=precision,
    )


def normal(*shapes: tuple[int, ...], precision: tf.DType = tf.float32) -> list[tf.Tensor]:
    random = np.random.default_rng(0)
    return [tf.cast(random.standard_normal(shape), precision) for shape in shapes]


def forward_and_gradient(
    convolve: Convolve, strides: int, jit: bool, only_by_input: bool = False
) -> Callable[..., Any]:
    """A function of input, kernel and gradient to outputs and both gradients, or to the input's."""

    @tf.function(jit_compile=jit)
    def compute(x: tf.Tensor, kernel: tf.Tensor, gradient: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch([x, kernel])
            outputs = convolve(x, kernel, strides)
        if only_by_input:  # outputs that nobody asks for are not computed
            return [tape.gradient(outputs, x, gradient)]
        return [outputs, *tape.gradient(outputs, [x, kernel], gradient)]

    return compute


def timed(compute: Callable[..., list[tf.Tensor]], tensors: list[tf.Tensor]) -> Callable[[], float]:
    """What says how many milliseconds a function takes; it is compiled at once."""

    def milliseconds() -> float:
        start = time.perf_counter()
        for tensor in compute(*tensors):
            tensor.numpy()  # a tensor may be a promise; on a CPU this copies nothing
        return 1e3 * (time.perf_counter() - start)

    milliseconds()
    return milliseconds


def step_figures(batch: int, policy: str, peers: list[str], rounds: int) -> Any:
    """Images per second of whole train steps of MobileFaceNet at 112×112."""
    people = batch // STAGE.images_per_identity

    def contender(name: str) -> Callable[[], float]:
        kind, _, jit = name.partition("_")
        change = cloned(CHANGES[kind]) if kind in CHANGES else lambda network: network
        where = "on" if jit else "loss"
        step = ready_step("mobile_facenet", 112, people, policy, where, change=change)

        def images_per_second() -> float:
            start = time.perf_counter()
            float(step()["loss"])
            return batch / (time.perf_counter() - start)

        return images_per_second

    speeds = report.alternate({name: contender(name) for name in ["ours", *peers]}, rounds)
    return report.metric(speeds.pop("ours"), speeds, "images/s")


def cloned(change: Change) -> Callable[[keras.Model], keras.Model]:
    return lambda network: keras.models.clone_model(network, clone_function=change)


def with_native(layer: keras.layers.Layer) -> keras.layers.Layer:
    if isinstance(layer, DepthwiseConvolution):
        return keras.layers.DepthwiseConv2D(
            layer.size, layer.strides, layer.padding, use_bias=False, name=layer.name
        )
    return layer.__class__.from_config(layer.get_config())


def with_keras(layer: keras.layers.Layer) -> keras.layers.Layer:
    if isinstance(layer, models.FusedBatchNormalization):
        return keras.layers.BatchNormalization(
            momentum=layer.momentum, epsilon=layer.epsilon, name=layer.name
        )
    if isinstance(layer, models.ChannelPReLU):
        return keras.layers.PReLU(shared_axes=[1, 2], name=layer.name)
    return with_native(layer)


def with_pools(layer: keras.layers.Layer) -> keras.layers.Layer:
    if isinstance(layer, DepthwiseConvolution):
        return keras.layers.AveragePooling2D(
            layer.size, layer.strides, layer.padding, name=layer.name
        )
    return layer.__class__.from_config(layer.get_config())


CHANGES = {"native": with_native, "keras": with_keras, "pools": with_pools}
STEPS = {
    "float32": ["native", "keras", "pools", "ours_xla", "native_xla"],
    "mixed_bfloat16": ["native", "keras", "pools"],
}
QUICK_STEPS = {"float32": ["keras"], "mixed_bfloat16": ["native"]}

if __name__ == "__main__":
    main()
