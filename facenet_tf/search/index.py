"""The kinds of indexes behind one interface."""

from __future__ import annotations

from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facenet_tf.search.exact import ExactIndex
from facenet_tf.search.faiss_index import FaissIndex, import_faiss
from facenet_tf.search.nearest import Found

Kind = Literal["exact", "faiss_exact", "hnsw", "ivf_pq"]
KINDS: tuple[Kind, ...] = get_args(Kind)
APPROXIMATE: tuple[Kind, ...] = ("hnsw", "ivf_pq")
FEWEST_APPROXIMATE = 10_000
"""Fewer vectors than this are compared one by one: an approximate index would save nothing."""


class Index(Protocol):
    """Something that finds the nearest of the vectors it was built of."""

    def search(self, queries: NDArray[np.float32], k: int) -> Found:
        """The k nearest vectors of each query.

        Args:
            queries: float32 [Q, D], finite.
            k: how many, >= 1.
        """
        ...  # pragma: no cover


def build_index(kind: Kind, vectors: ArrayLike) -> Index:
    """An index of vectors.

    Args:
        kind: see the table at the head of the package. Of fewer than `FEWEST_APPROXIMATE` vectors
            the approximate kinds give an index that compares with all.
        vectors: float32 [N, D], finite, an array or a memory map; the index keeps it, and it must
            not change.

    Raises:
        InputError: the kind needs the extra `search`, and it is missing.
        ValueError: no such kind, or vectors that are not [N, D].
    """
    rows = np.asanyarray(vectors)
    if kind not in KINDS:
        raise ValueError(f"no index {kind!r}: there are {', '.join(KINDS)}")
    if rows.ndim != 2:
        raise ValueError(f"expected [N, D], got {rows.shape}")
    if kind != "exact":
        import_faiss()  # a missing package is told of whatever the number of vectors
    if kind == "exact" or (kind in APPROXIMATE and len(rows) < FEWEST_APPROXIMATE):
        return ExactIndex(rows)
    return FaissIndex.build(kind, rows)
