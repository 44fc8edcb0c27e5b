"""Which part of every batch one of several readers decodes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Share:
    """A batch is cut into parts of one size, one for each replica; a reader has some in a row.

    Attributes:
        parts: of a batch, ≥ 1.
        first: number of the first part that is the reader's, from 0.
        own: how many are the reader's, ≥ 1.
    """

    parts: int = 1
    first: int = 0
    own: int = 1

    def __post_init__(self) -> None:
        if not (self.own >= 1 and 0 <= self.first <= self.parts - self.own):
            raise ValueError(f"{self.own} of {self.parts} parts from {self.first} on: there are none")
