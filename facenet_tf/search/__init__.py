"""The nearest of many vectors: exact in NumPy, exact and approximate through FAISS.

One interface for all: `build_index(kind, vectors)` gives an `Index`, and its `search(queries, k)`
gives the k nearest rows of each query with their squared Euclidean distances.

| kind | finds | keeps beside the vectors |
|---|---|---|
| `exact` | the nearest, by NumPy in blocks | a number for each |
| `faiss_exact` | the nearest, by FAISS | a copy of them |
| `hnsw` | nearly always the nearest, by walking a graph of neighbours | a copy and the graph |
| `ivf_pq` | mostly the nearest, by short codes in a few of many cells | the codes |

All but the first need the extra `search`. Vectors may be a memory map: a search then reads what it
touches, and with `ivf_pq` that is little.
"""

from facenet_tf.search.index import APPROXIMATE, KINDS, Index, Kind, build_index
from facenet_tf.search.nearest import Found, recall

__all__ = ["APPROXIMATE", "KINDS", "Found", "Index", "Kind", "build_index", "recall"]
