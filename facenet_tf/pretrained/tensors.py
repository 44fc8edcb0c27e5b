"""Named arrays of a weights file from outside: each is asked for by name and shape."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facenet_tf.errors import InputError

_NAMED = 3
"""Names in a message, of those that are too many."""


@dataclass(frozen=True)
class Tensor:
    """An array that is read when it is known to have the right shape."""

    shape: tuple[int, ...]
    read: Callable[[], Any]


class Tensors:
    """What a file holds, by name, and what of it was taken.

    Args:
        path: named in messages.
        tensors: all arrays by their names.
    """

    def __init__(self, path: Path, tensors: Mapping[str, Tensor]) -> None:
        self.path = path
        self._tensors = dict(tensors)
        self._taken: dict[str, None] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._tensors

    def names(self) -> list[str]:
        """Of all arrays."""
        return list(self._tensors)

    def shape(self, name: str, rank: int | None = None) -> tuple[int, ...]:
        """Of one array; raises InputError if there is none of this name, or of another rank."""
        if name not in self._tensors:
            raise InputError(f"{self.path}: it has no {name}: it is damaged or of another network")
        shape = self._tensors[name].shape
        if rank is not None and len(shape) != rank:
            raise InputError(f"{self.path}: {name} is {list(shape)}: it is of another network")
        return shape

    def take(self, name: str, shape: Iterable[int] | None = None) -> NDArray[np.float32]:
        """One array, float32, of a shape or, if None, of any.

        Raises:
            InputError: there is none of this name, it has another shape, is no number, or not
                finite.
        """
        found = self.shape(name)
        wanted = found if shape is None else tuple(shape)
        if found != wanted:
            raise InputError(
                f"{self.path}: {name} is {list(found)}, not {list(wanted)}: it is of another "
                "network"
            )
        try:
            values = np.asarray(self._tensors[name].read())
        except Exception as error:  # each format has errors of its own for damaged data
            raise InputError(f"{self.path}: {name} cannot be read ({error!r})") from error
        if values.shape != wanted or values.dtype.kind != "f":
            raise InputError(f"{self.path}: {name} is {values.dtype} {list(values.shape)}: damaged")
        values = values.astype(np.float32)
        if not np.isfinite(values).all():
            raise InputError(f"{self.path}: {name} has values that are not finite: it is damaged")
        self._taken[name] = None
        return values

    def taken(self) -> list[str]:
        """Names of the arrays that were taken, in this order."""
        return list(self._taken)

    def left_out(self, known: Iterable[str]) -> list[str]:
        """Names of the arrays that were not taken.

        Args:
            known: patterns of what a file may hold besides, the classifier for instance.

        Raises:
            InputError: there are others: what is read is not the whole network.
        """
        rest = [name for name in self._tensors if name not in self._taken]
        patterns = list(known)
        odd = [name for name in rest if not any(fnmatch.fnmatchcase(name, p) for p in patterns)]
        if odd:
            more = f" and {len(odd) - _NAMED} more" if len(odd) > _NAMED else ""
            raise InputError(
                f"{self.path}: {', '.join(odd[:_NAMED])}{more} belong to no layer: it is of "
                "another network"
            )
        return rest
