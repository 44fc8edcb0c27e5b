"""Figures of rows that need a matrix, some rows of it at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def in_tiles(function: Callable[[tf.Tensor], Any], size: tf.Tensor, tile: int, types: Any) -> Any:
    """What a function says of the rows 0 … size - 1, `tile` of them at a time.

    The last tile is filled up with the last row again and again.

    Args:
        function: positions int32 [n] → tensors [n], in the structure of `types`.
        size: number of rows, int32 scalar.
        tile: rows at a time; 0: all of them.
        types: of the tensors.

    Returns:
        Tensors [size].
    """
    if not tile:
        return function(tf.range(size))
    count = (size + tile - 1) // tile
    positions = tf.reshape(tf.minimum(tf.range(count * tile), size - 1), [count, tile])
    signature = tf.nest.map_structure(lambda dtype: tf.TensorSpec([tile], dtype), types)
    # One tile at a time: TensorFlow would run ten, in ten times the memory.
    tiles = tf.map_fn(function, positions, parallel_iterations=1, fn_output_signature=signature)
    return tf.nest.map_structure(lambda each: tf.reshape(each, [-1])[:size], tiles)
