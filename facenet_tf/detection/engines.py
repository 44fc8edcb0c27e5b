"""What computes the networks of a cascade."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import numpy as np

from facenet_tf.detection.networks import NetworkName
from facenet_tf.errors import InputError

EngineName = Literal["litert", "onnx"]


class Engine(Protocol):
    """Computes the networks on one thread: many pictures are the business of many processes."""

    def describe(self) -> dict[str, Any]:
        """Name and version, for a manifest."""
        ...

    def run(self, network: NetworkName, pixels: np.ndarray) -> np.ndarray:
        """The outputs of a network (see `Network`) for pixels that are `normalized`."""
        ...


def make_engine(name: EngineName) -> Engine:
    """LiteRT, a part of TensorFlow, or ONNX Runtime.

    Raises InputError if the package of an optional engine is not installed.
    """
    if name == "onnx":
        try:
            from facenet_tf.detection.onnx_engine import OnnxEngine
        except ImportError as error:
            raise InputError(
                f"the engine onnx needs the package {error.name}: pip install 'facenet-tf[onnx]'"
            ) from error
        return OnnxEngine()
    from facenet_tf.detection.litert_engine import LiteRtEngine

    return LiteRtEngine()
