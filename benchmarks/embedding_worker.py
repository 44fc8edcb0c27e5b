"""One contender of benchmarks/embedding.py: the forward pass of one network, in this process.

    python benchmarks/embedding_worker.py MODEL graph|xla BATCH [--pretrained]
    python benchmarks/embedding_worker.py FILE.dat dlib BATCH

Prints that it is ready, with dlib's weights also the embedding of the first chip; then each line
read is a number of passes to make, and the answer their seconds. Imports NumPy and the one library,
so that it runs in any environment.
"""

from __future__ import annotations

import argparse
import importlib.metadata
from collections.abc import Callable
from typing import Any

import numpy as np
from losses_worker import answer, serve

Pass = Callable[[], np.ndarray]
"""Embeds the chips once: float32 [B, D], rows of length 1."""
DLIB_SIZE = 150


def ours(model: str, form: str, batch: int, pretrained: bool) -> Pass:
    """The forward pass as evaluations have it, under XLA or not."""
    import tensorflow as tf

    from facenet_tf import models

    if pretrained:
        from facenet_tf.pretrained import load

        network = load("dlib")
    else:
        network = models.build(model, preprocessing=models.published(model).preprocessing)
    chips = noise(batch, *network.input_shape[1:3])

    @tf.function(jit_compile=form == "xla")
    def forward(images: tf.Tensor) -> tf.Tensor:
        return network(images, training=False)

    return lambda: forward(tf.constant(chips)).numpy()


def dlib(file: str, form: str, batch: int, pretrained: bool) -> Pass:
    """dlib's own forward pass: all chips in one call."""
    import dlib

    network = dlib.face_recognition_model_v1(file)
    chips = list(noise(batch, DLIB_SIZE, DLIB_SIZE))

    def embed() -> np.ndarray:
        rows = np.array(network.compute_face_descriptor(chips), np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    return embed


def noise(batch: int, height: int, width: int) -> np.ndarray:
    """The same chips for all contenders, uint8 [batch, height, width, 3]: blocks of colour."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (batch, height // 10 + 1, width // 10 + 1, 3), np.uint8)
    return np.ascontiguousarray(coarse.repeat(10, axis=1).repeat(10, axis=2)[:, :height, :width])


FORMS = {
    "graph": (ours, "tensorflow"),
    "xla": (ours, "tensorflow"),
    "dlib": (dlib, "dlib-bin"),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("network", help="name of a model, or file of dlib's weights")
    parser.add_argument("form", choices=FORMS)
    parser.add_argument("batch", type=int)
    parser.add_argument("--pretrained", action="store_true", help="dlib's weights, not fresh ones")
    given = parser.parse_args()
    prepared, library = FORMS[given.form]
    try:
        embed = prepared(given.network, given.form, given.batch, given.pretrained)
        facts: dict[str, Any] = {"library": library, "version": importlib.metadata.version(library)}
        if given.pretrained or given.form == "dlib":
            facts["embedding"] = embed()[0].tolist()
        serve(embed, **facts)
    except Exception as error:
        answer({"failed": f"{type(error).__name__}: {str(error).strip().splitlines()[0][:200]}"})


if __name__ == "__main__":
    main()
