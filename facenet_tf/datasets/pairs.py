"""Pairs of pictures to verify: does each show one person or two?"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from facenet_tf.errors import InputError


@dataclasses.dataclass(frozen=True)
class Pairs:
    """N pairs of pictures.

    Attributes:
        left: the key of each pair's first picture.
        right: the key of each pair's second picture.
        genuine: bool [N], true where both show one person.
        fold: int64 [N], from 0; all 0 where the protocol has no folds.
    """

    left: list[str]
    right: list[str]
    genuine: np.ndarray
    fold: np.ndarray

    def __len__(self) -> int:
        return len(self.left)


def check_two(path: Path, line: int, left: str, right: str) -> None:
    """Raises InputError for a pair of a picture with itself, which every system would win."""
    if left == right:
        raise InputError(
            f"{path}, line {line}: {left} is paired with itself: name two pictures, or take the "
            "line out"
        )
