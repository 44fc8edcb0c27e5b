"""What became of a weights file: the model, and what of the file is where in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import keras


@dataclass(frozen=True)
class Imported:
    """An embedding model with the weights of a file."""

    model: keras.Model
    form: str
    """Whose file it is and of what kind, in words."""
    mapped: Mapping[str, str] = field(default_factory=dict)
    """What the file calls the weights of each layer; empty for a model of this package."""
    left_out: Sequence[str] = ()
    """Arrays of the file that belong to no layer: classifiers, states of an optimiser."""
