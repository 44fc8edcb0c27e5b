"""How a stage draws its batches; the drawing itself is in `sampler`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from facenet_tf.errors import InputError

Weights = Literal["uniform", "sqrt", "images"]


@dataclass(frozen=True)
class Sampling:
    """Who is drawn how often, who meets whom, and how many pictures of each."""

    weights: Weights = "uniform"
    """how often a person is drawn: all alike, or in proportion to the square root of the number of
    their pictures, or to this number (images); nobody more than once in a batch"""
    hard: float = 0.0
    """fraction of a batch's people who are there because the epoch before confused them with
    others of the batch, one at least; the rest are drawn by their weights; 0: nobody is"""
    doublings: int = 0
    """how often K doubles and P halves over the stage, in phases of as many epochs each as can be;
    the batch keeps its size"""

    def check(self, prefix: str, identities_per_batch: int) -> None:
        """Raise `InputError` for values that make no sense; `prefix` leads to the options."""
        if not 0 <= self.hard < 1:
            raise InputError(f"--{prefix}hard {self.hard}: give at least 0 and less than 1")
        if self.doublings < 0:
            raise InputError(f"--{prefix}doublings {self.doublings}: give 0 or more")
        if identities_per_batch % 2**self.doublings or identities_per_batch < 2 * 2**self.doublings:
            raise InputError(
                f"--{prefix}doublings {self.doublings}: {identities_per_batch} identities per "
                "batch cannot be halved so often down to 2 or more; give a multiple of "
                f"{2**self.doublings}, or fewer doublings"
            )

    def people(self, available: int) -> int:
        """The most people, not above `available`, of whom all phases can take their part."""
        return available - available % 2**self.doublings

    def shape(
        self, identities_per_batch: int, images_per_identity: int, epoch: int, epochs: int
    ) -> tuple[int, int]:
        """P and K in `epoch` (from 0) of a stage of `epochs`, given those of the first."""
        factor = 2 ** self.phase(epoch, epochs)
        return identities_per_batch // factor, images_per_identity * factor

    def phase(self, epoch: int, epochs: int) -> int:
        """How often K has doubled in `epoch` (from 0) of a stage of `epochs`."""
        return min(self.doublings, epoch * (self.doublings + 1) // epochs)


UNIFORM = Sampling()
