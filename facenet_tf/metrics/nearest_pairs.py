"""The nearest of very many impostor pairs: those that low false accept rates are made of."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray


@dataclasses.dataclass
class NearestPairs:
    """Pairs with their squared distances; at most `most` of them, the nearest ones, are kept.

    Attributes:
        distance: float64 [K].
        left, right: int64 [K], rows of the pictures.
        most: how many to keep of those that are added.
        bound: no pair beyond it will be kept.
    """

    distance: NDArray[np.float64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    most: int = 0
    bound: float = math.inf

    @classmethod
    def none(cls, most: int) -> NearestPairs:
        """An empty collection of at most so many."""
        empty = np.zeros(0, np.int64)
        return cls(empty.astype(float), empty, empty, most, math.inf if most else -math.inf)

    def __len__(self) -> int:
        return len(self.distance)

    def add(self, others: NearestPairs) -> None:
        """Take in further pairs; of equal distances at the bound any are kept."""
        self.distance = np.concatenate([self.distance, others.distance])
        self.left = np.concatenate([self.left, others.left])
        self.right = np.concatenate([self.right, others.right])
        if self.most and len(self) > 2 * self.most:  # seldom, since it costs a pass
            self._keep(np.argpartition(self.distance, self.most - 1)[: self.most])
            self.bound = float(self.distance.max())

    def sorted(self) -> NearestPairs:
        """The pairs to keep in ascending order; nothing can be added to them."""
        order = np.argsort(self.distance, kind="stable")[: self.most]
        return NearestPairs(self.distance[order], self.left[order], self.right[order], 0, -math.inf)

    def _keep(self, rows: NDArray[np.int64]) -> None:
        self.distance = self.distance[rows]
        self.left, self.right = self.left[rows], self.right[rows]
