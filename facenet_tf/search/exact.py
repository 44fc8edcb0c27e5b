"""The nearest rows by comparing with all of them, in NumPy and in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from facenet_tf.search.nearest import NOTHING, Found, measured

_QUERIES_AT_ONCE, _ROWS_AT_ONCE = 512, 8192
_ROUNDING = 4
"""Candidates beyond k: products in float32 may swap neighbours that are all but equally near."""


class ExactIndex:
    """Compares every query with every vector.

    Holds a number for each vector; a search takes some 50 MB, and k·D numbers for each of 512
    queries.

    Args:
        vectors: float32 [N, D], finite; an array or a memory map.
    """

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        self._vectors = vectors
        self._squares = np.empty(len(vectors), np.float32)
        for rows, block in self._blocks():
            np.einsum("nd,nd->n", block, block, out=self._squares[rows])

    def search(self, queries: NDArray[np.float32], k: int) -> Found:
        """The k nearest vectors of each query (`Found`)."""
        kept = k + _ROUNDING
        parts = []
        for start in range(0, len(queries), _QUERIES_AT_ONCE):
            block = np.asarray(queries[start : start + _QUERIES_AT_ONCE], np.float32)
            parts.append(measured(self._vectors, block, self._candidates(block, kept), k))
        if not parts:
            return Found(np.zeros((0, k)), np.zeros((0, k), np.int64))
        return Found(*(np.concatenate(column) for column in zip(*parts)))

    def _candidates(self, queries: NDArray[np.float32], count: int) -> NDArray[np.int64]:
        """Rows of the `count` nearest of each query, in any order."""
        best = np.full((len(queries), count), np.inf, np.float32)
        rows = np.full((len(queries), count), NOTHING, np.int64)
        doubled = -2 * queries
        for at, block in self._blocks():
            # The query's own square is the same for all rows.
            scores = doubled @ block.T
            scores += self._squares[at]
            # Most blocks have nothing nearer for most queries: those are not sorted.
            better = np.flatnonzero(scores.min(axis=1) < best.max(axis=1))
            together = np.concatenate([best[better], scores[better]], axis=1)
            chosen = np.argpartition(together, count - 1, axis=1)[:, :count]
            earlier = np.take_along_axis(rows[better], chosen.clip(max=count - 1), axis=1)
            best[better] = np.take_along_axis(together, chosen, axis=1)
            rows[better] = np.where(chosen < count, earlier, at.start + chosen - count)
        return rows

    def _blocks(self) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        for start in range(0, len(self._vectors), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            yield rows, np.asarray(self._vectors[rows], np.float32)
