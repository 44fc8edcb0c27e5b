"""The form in which a network embeds fastest, as a graph or under XLA: as was measured of each.

`forms.json` has the sizes of batches that were measured, and of each network those at which XLA was
faster, on which machine; `python benchmarks/embedding_forms.py` writes it from the report of
`benchmarks/embedding.py`.
"""

from __future__ import annotations

import collections
import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from facenet_tf.models.registry import name_of

TABLE = Path(__file__).with_name("forms.json")
PATIENCE = 16
"""So many batches of a size go through the graph before one is compiled: compiling takes as long as
some of them, which a few pictures never earn back."""


def faster_under_xla(name: str, batch: int) -> bool:
    """Whether a network was faster under XLA, at the largest measured batch not above this one."""
    measured = [size for size in _table()["batches"] if size <= batch]
    return bool(measured) and max(measured) in _table()["xla"].get(name, [])


def forward_pass(model: keras.Model) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """What embeds crops, uint8 [B, H, W, C], as float32 [B, D].

    All batches go through the graph, but for those of a size that came `PATIENCE` times and at
    which XLA was measured to be faster on a CPU. The two forms differ by rounding; the same batches
    in the same order always give the same bits.
    """
    name, came = name_of(model), collections.Counter[int]()
    on_cpu = not tf.config.list_physical_devices("GPU")

    def forward(images: tf.Tensor) -> tf.Tensor:
        return model(images, training=False)

    as_graph = tf.function(forward, reduce_retracing=True)
    compiled = tf.function(forward, jit_compile=True)

    def embed(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        size = len(images)
        came[size] += 1
        pays = on_cpu and came[size] > PATIENCE and faster_under_xla(name, size)
        form = compiled if pays else as_graph
        return form(tf.constant(images)).numpy().astype(np.float32)

    return embed


@functools.cache
def _table() -> dict[str, Any]:
    return json.loads(TABLE.read_text())
