"""The networks on LiteRT (once TensorFlow Lite), whose XNNPACK kernels suit small networks."""

from __future__ import annotations

import collections
import functools
import logging
import math
import warnings
from typing import Any

import numpy as np
import tensorflow as tf

from facenet_tf.detection.networks import (
    Convolution,
    Dense,
    MaxPool,
    Network,
    NetworkName,
    load_network,
)

# Pixels of all shapes that are kept ready, each with buffers of some 100 bytes a pixel: a picture's
# pyramid needs less than half of it.
_READY_PIXELS = 2_000_000


class LiteRtEngine:
    """LiteRT as TensorFlow carries it."""

    def __init__(self) -> None:
        self._ready: collections.OrderedDict[tuple[Any, ...], Any] = collections.OrderedDict()

    def describe(self) -> dict[str, Any]:
        """Name and version."""
        return {"name": "litert", "version": tf.__version__}

    def run(self, network: NetworkName, pixels: np.ndarray) -> np.ndarray:
        """The outputs of a network for pixels that are `normalized`."""
        interpreter = self._interpreter(network, pixels.shape)
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels)
        interpreter.invoke()
        return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])

    def _interpreter(self, network: NetworkName, shape: tuple[int, ...]) -> Any:
        """One per shape: to reshape costs as much as a small picture's computation."""
        key = (network, *shape)
        if key not in self._ready:
            self._ready[key] = _prepared(_converted(network), shape)
            while len(self._ready) > 1 and sum(map(_pixels, self._ready)) > _READY_PIXELS:
                self._ready.popitem(last=False)
        self._ready.move_to_end(key)
        return self._ready[key]


def _pixels(key: tuple[Any, ...]) -> int:
    return math.prod(key[1:4])


def _prepared(model: bytes, shape: tuple[int, ...]) -> Any:
    with warnings.catch_warnings():
        # TensorFlow announces that this class will move to the package ai-edge-litert.
        warnings.simplefilter("ignore")
        interpreter = tf.lite.Interpreter(model_content=model, num_threads=1)
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], shape)
    interpreter.allocate_tensors()
    return interpreter


@functools.cache
def _converted(name: NetworkName) -> bytes:
    """A network in LiteRT's format."""
    network = load_network(name)
    signature = tf.TensorSpec([None, network.side, network.side, 3], tf.float32)
    module = tf.Module()
    function = tf.function(functools.partial(_compute, network), input_signature=[signature])
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        converter = tf.lite.TFLiteConverter.from_concrete_functions(
            [function.get_concrete_function()], module
        )
        return converter.convert()
    finally:
        logger.setLevel(level)


def _compute(network: Network, x: tf.Tensor) -> tf.Tensor:
    for layer in network.layers:
        if isinstance(layer, Convolution):
            x = tf.nn.bias_add(tf.nn.conv2d(x, layer.kernel, 1, "VALID"), layer.bias)
            x = _prelu(x, layer.slope)
        elif isinstance(layer, MaxPool):
            x = tf.nn.max_pool2d(x, layer.side, 2, "SAME" if layer.padded else "VALID")
        else:
            x = _dense(x, layer)
    return x


def _dense(x: tf.Tensor, layer: Dense) -> tf.Tensor:
    x = tf.reshape(x, [-1, len(layer.kernel)])
    return _prelu(x @ layer.kernel + layer.bias, layer.slope)


def _prelu(x: tf.Tensor, slope: np.ndarray | None) -> tf.Tensor:
    """Written, and the slope shaped, as the converter needs it to see a PReLU in it."""
    if slope is None:
        return x
    shaped = slope.reshape((1,) * (x.shape.rank - 2) + (-1,))
    return tf.nn.relu(x) + (-shaped) * tf.nn.relu(-x)
