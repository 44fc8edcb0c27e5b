"""Steps of the pipeline that run in Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf


def in_python(
    function: Callable[..., Any],
    tensors: Sequence[tf.Tensor],
    types: tf.DType | Sequence[tf.DType],
) -> Any:
    """What a pure function of NumPy arrays makes of tensors, without static shapes.

    TensorFlow takes a function for one with a state unless it is told otherwise, and under
    ``--deterministic`` makes the batches of such a pipeline one after the other, none ahead. What
    it may do with a pure one changes no value: call it once where all that it takes is constant.
    Two calls are never taken for one, since each has a token of its own.

    Args:
        function: gives the same values for the same arrays, and changes none of them.
        tensors: its arguments.
        types: of what it returns, one or several.
    """
    return tf.numpy_function(function, tensors, types, stateful=False)
