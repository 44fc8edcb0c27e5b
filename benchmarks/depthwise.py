"""Depthwise convolution on a CPU: layers alone, and the train step of MobileFaceNet.

    python benchmarks/depthwise.py [--batch 64] [--quick] [--output FILE]

A layer is forward and both gradients, in milliseconds. "ours" is that of `facenet_tf.models`; the
peers compute the same: `tf.nn.depthwise_conv2d` as a graph and under XLA, the sum of nine shifted
products under XLA with the gradient that TensorFlow derives, and an ordinary convolution with as
many groups as channels. "copy" adds 1 to the input, which reads and writes memory once.

A step is a whole one, in images per second. "native" has `keras.layers.DepthwiseConv2D` and is
otherwise the same net; "keras" has Keras' PReLU and batch normalisation too; "pools" has average
pools in the place of depthwise convolutions, and so tells what these cost; those with "xla" are
compiled as a whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import report
import tensorflow as tf
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


LAYER_PEERS: dict[str, tuple[Convolve, bool]] = {
    "native_graph": (native, False),
    "native_xla": (native, True),
    "shifted_xla": (shifted, True),
    "grouped_graph": (grouped, False),
}


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("--batch", type=int, default=64, help="images")
    options = parser.parse_args()
    rounds = 2 if options.quick else 5
    batch = 16 if options.quick else options.batch
    metrics: dict[str, Any] = {}
    for precision in (tf.float32, tf.bfloat16):
        for name, (side, channels, strides) in LAYERS.items():
            figures = layer_figures(batch, side, channels, strides, precision, rounds)
            metrics[f"layer_{name}_{precision.name}"] = figures
    for policy, peers in (QUICK_STEPS if options.quick else STEPS).items():
        metrics[f"train_step_{policy}"] = step_figures(batch, policy, peers, rounds)
    report.publish("depthwise", metrics, options.output, batch=batch)


def layer_figures(
    batch: int, side: int, channels: int, strides: int, precision: tf.DType, rounds: int
) -> Any:
    """Milliseconds of forward and gradient; what a peer cannot do is said."""
    random = np.random.default_rng(0)
    places = -(-side // strides)
    x, kernel, gradient = (
        tf.cast(random.standard_normal(shape), precision)
        for shape in (
            (batch, side, side, channels),
            (3, 3, channels, 1),
            (batch, places, places, channels),
        )
    )
    copy = tf.function(lambda: [x + tf.ones([], precision)])
    contenders, failed = {"copy": milliseconds(copy)}, {}
    forms = {"ours": (depthwise_convolution, False), **LAYER_PEERS}
    for name, (convolve, jit) in forms.items():
        compute = forward_and_gradient(convolve, strides, jit)
        try:
            compute(x, kernel, gradient)
            contenders[name] = milliseconds(lambda compute=compute: compute(x, kernel, gradient))
        except (tf.errors.OpError, ValueError) as error:
            failed[name] = str(error).strip().splitlines()[0][:200]
    times = report.alternate(contenders, rounds)
    figure = report.metric(times.pop("ours"), times, "ms", less_is_better=True)
    return {**figure, "failed": failed}


def forward_and_gradient(convolve: Convolve, strides: int, jit: bool) -> Callable[..., Any]:
    @tf.function(jit_compile=jit)
    def compute(x: tf.Tensor, kernel: tf.Tensor, gradient: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch([x, kernel])
            outputs = convolve(x, kernel, strides)
        return [outputs, *tape.gradient(outputs, [x, kernel], gradient)]

    return compute


def milliseconds(compute: Callable[[], list[tf.Tensor]]) -> Callable[[], float]:
    def run() -> float:
        start = time.perf_counter()
        for tensor in compute():
            tensor.numpy()  # a tensor may be a promise; on a CPU this copies nothing
        return 1e3 * (time.perf_counter() - start)

    return run


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
