"""What a search finds, measured the same way whichever index found it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

NOTHING = -1
_NUMBERS_AT_ONCE = 1 << 22


class Found(NamedTuple):
    """The nearest rows of each of Q queries, the nearest first, of equal ones the first row.

    Attributes:
        distances: float64 [Q, k], squared Euclidean; infinite where nothing was found.
        rows: int64 [Q, k], rows of the indexed vectors; −1 where nothing was found.
    """

    distances: NDArray[np.float64]
    rows: NDArray[np.int64]


def measured(
    vectors: NDArray[np.float32], queries: NDArray[np.float32], rows: NDArray[np.int64], k: int
) -> Found:
    """The k nearest among candidates, by differences in float64.

    What an index says of distances is rounded (products in float32) or a guess (codes). The
    candidates' true distances cost little.

    Args:
        vectors: [N, D], those that were indexed.
        queries: [Q, D].
        rows: int64 [Q, C], C >= k: the candidates of each query, −1 where there is none.
        k: how many to keep.
    """
    distances = np.full(rows.shape, np.inf)
    if not len(vectors):
        return Found(distances[:, :k], np.full_like(rows, NOTHING)[:, :k])
    step = max(1, _NUMBERS_AT_ONCE // max(1, rows.shape[1] * vectors.shape[1]))
    for start in range(0, len(rows), step):
        block = slice(start, start + step)
        difference = vectors[rows[block]].astype(np.float64) - queries[block, None]
        distances[block] = np.einsum("qcd,qcd->qc", difference, difference)
    distances[rows == NOTHING] = np.inf
    order = np.lexsort((rows, distances), axis=1)[:, :k]
    return Found(
        np.take_along_axis(distances, order, axis=1), np.take_along_axis(rows, order, axis=1)
    )


def recall(found: Found, truth: Found) -> float:
    """Share of the true nearest rows of all queries that were found; order does not matter.

    Both must be searches of the same k. Of equally distant rows each is as good as the others.
    """
    furthest = truth.distances.max(axis=1, keepdims=True) * (1 + 1e-12)  # the last bit may differ
    wanted = np.isfinite(truth.distances).sum()
    hits = np.isfinite(found.distances) & (found.distances <= furthest)
    return float(hits.sum() / wanted) if wanted else 1.0
