"""Indexes of FAISS (Douze et al., "The Faiss library", 2024), which the extra `search` brings."""

from __future__ import annotations

import dataclasses
import importlib
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facenet_tf.errors import InputError
from facenet_tf.search.nearest import Found, measured

LINKS = 32
"""Neighbours of each vector in HNSW's graph."""
BUILD_BREADTH = 80
"""Candidates kept while HNSW's graph is built."""
MOST_CODE_BYTES = 32
"""IVF-PQ describes a vector by one byte for each piece; at most so many pieces."""
LISTS_PER_ROOT = 4
"""IVF-PQ has so many cells times the root of the number of vectors, as FAISS advises."""
TRAINED_ON, ROUNDS = 64, 10
"""Vectors per cell that find the cells, FAISS asks for 39 at least, and rounds of k-means. The same
for the codes."""
CANDIDATES = 8
"""IVF-PQ measures so many times k vectors, since its codes alone are too rough."""
EFFORT = {"hnsw": 64, "ivf_pq": 64}
"""Candidates kept on the way through the graph; cells looked into."""
_ROWS_AT_ONCE = 1 << 16


@dataclasses.dataclass(frozen=True)
class FaissIndex:
    """An index of FAISS with the vectors that it was built of.

    Attributes:
        kind: `faiss_exact`, `hnsw` or `ivf_pq`.
        vectors: float32 [N, D], an array or a memory map.
        index: FAISS's own.
        effort: how far an approximate search looks (`EFFORT` has the defaults); more finds more.
    """

    kind: str
    vectors: NDArray[np.float32]
    index: Any
    effort: int = 0

    @classmethod
    def build(cls, kind: str, vectors: NDArray[np.float32]) -> FaissIndex:
        """Train and fill an index.

        The graph of `hnsw` is built by all cores at a time and may differ from one build to the
        next.

        Raises:
            InputError: the extra is missing.
        """
        made = _made(kind, *vectors.shape)
        if not made.is_trained:
            made.train(_sample(vectors, TRAINED_ON * made.nlist))
        for start in range(0, len(vectors), _ROWS_AT_ONCE):
            made.add(_contiguous(vectors[start : start + _ROWS_AT_ONCE]))
        return cls(kind, vectors, made, EFFORT.get(kind, 0))

    def search(self, queries: NDArray[np.float32], k: int) -> Found:
        """The k nearest vectors of each query, or what the index takes for them (`Found`)."""
        wanted = k * CANDIDATES if self.kind == "ivf_pq" else k
        asked = _contiguous(queries)
        if not len(asked):
            return Found(np.zeros((0, k)), np.zeros((0, k), np.int64))
        _, rows = self.index.search(asked, wanted, params=self._parameters())
        return measured(self.vectors, asked, rows, k)

    def _parameters(self) -> Any:
        faiss = import_faiss()
        if self.kind == "hnsw":
            return faiss.SearchParametersHNSW(efSearch=self.effort)
        if self.kind == "ivf_pq":
            return faiss.SearchParametersIVF(nprobe=self.effort)
        return None


def import_faiss() -> Any:
    """FAISS.

    Raises:
        InputError: it cannot be imported.
    """
    try:
        return importlib.import_module("faiss")
    except ImportError as error:
        raise InputError(
            f"the package faiss cannot be imported ({error}): pip install 'facenet-tf[search]', or "
            "search with exact, which needs none"
        ) from error


def _made(kind: str, count: int, size: int) -> Any:
    faiss = import_faiss()
    if kind == "faiss_exact":
        return faiss.IndexFlatL2(size)
    if kind == "hnsw":
        graph = faiss.IndexHNSWFlat(size, LINKS)
        graph.hnsw.efConstruction = BUILD_BREADTH
        return graph
    pieces = max(n for n in range(1, min(size, MOST_CODE_BYTES) + 1) if size % n == 0)
    lists = LISTS_PER_ROOT * math.isqrt(count)
    cells = faiss.index_factory(size, f"IVF{lists},PQ{pieces}")
    for clustering in (cells.cp, cells.pq.cp):
        clustering.max_points_per_centroid, clustering.niter = TRAINED_ON, ROUNDS
    cells.do_polysemous_training = False  # minutes for an order of codes that nobody asks for
    return cells


def _sample(vectors: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Some of the vectors, evenly spread over all rows."""
    return _contiguous(vectors[:: max(1, len(vectors) // count)])


def _contiguous(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.ascontiguousarray(rows, np.float32)
