"""The networks on LiteRT (once TensorFlow Lite), whose XNNPACK kernels suit small networks."""

from __future__ import annotations

import collections
import math
import warnings
from typing import Any

import numpy as np
import tensorflow as tf

from facenet_tf.detection.litert_model import to_litert
from facenet_tf.detection.networks import NetworkName, load_network

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
        """One per shape, see `to_litert`."""
        key = (network, *shape)
        if key not in self._ready:
            self._ready[key] = _prepared(network, shape)
            while len(self._ready) > 1 and sum(map(_pixels, self._ready)) > _READY_PIXELS:
                self._ready.popitem(last=False)
        self._ready.move_to_end(key)
        return self._ready[key]


def _pixels(key: tuple[Any, ...]) -> int:
    return math.prod(key[1:4])


def _prepared(network: NetworkName, shape: tuple[int, ...]) -> Any:
    with warnings.catch_warnings():
        # TensorFlow announces that this class will move to the package ai-edge-litert.
        warnings.simplefilter("ignore")
        interpreter = tf.lite.Interpreter(
            model_content=to_litert(load_network(network), shape), num_threads=1
        )
    interpreter.allocate_tensors()
    return interpreter
