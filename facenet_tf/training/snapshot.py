"""Values of variables, kept to go back to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf


class Snapshot:
    """What some variables hold now.

    Args:
        variables: to be read now and written by `restore`.
    """

    def __init__(self, variables: Sequence[Any]) -> None:
        self.variables = list(variables)
        self.values = [tf.identity(tf.convert_to_tensor(each)) for each in self.variables]

    def restore(self, unless: tf.Tensor | None = None) -> None:
        """Write the values back, unless that is so (bool scalar)."""
        for variable, value in zip(self.variables, self.values, strict=True):
            if unless is not None:
                value = tf.where(unless, tf.convert_to_tensor(variable), value)
            variable.assign(value)
