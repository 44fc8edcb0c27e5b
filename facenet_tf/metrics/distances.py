"""Squared Euclidean distances of listed pairs and of all pairs."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

_ROWS_AT_ONCE = 4096


def squared_distances(left: ArrayLike, right: ArrayLike) -> NDArray[np.float64]:
    """Squared Euclidean distance of row i of `left` and row i of `right`.

    Args:
        left, right: [N, D]. For unit vectors the result lies in [0, 4].

    Returns:
        float64 [N]; NaN where a row holds NaN.

    Raises:
        ValueError: the shapes differ or are not two-dimensional.
    """
    first, second = np.asarray(left), np.asarray(right)
    if first.ndim != 2 or first.shape != second.shape:
        raise ValueError(f"expected two [N, D] arrays, got {first.shape} and {second.shape}")
    result = np.empty(len(first))
    for start in range(0, len(first), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        difference = first[rows].astype(np.float64) - second[rows]
        result[rows] = np.einsum("nd,nd->n", difference, difference)
    return result


def all_pairs(count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices (left, right) of the count·(count−1)/2 pairs with left < right, left-major."""
    left, right = np.triu_indices(count, k=1)
    return left.astype(np.int64), right.astype(np.int64)


def all_pairs_distances(embeddings: ArrayLike) -> NDArray[np.float64]:
    """Squared Euclidean distances of all pairs of rows of [N, D], in the order of `all_pairs`.

    Differences are taken before squaring: the Gram-matrix shortcut loses near-duplicates.

    Returns:
        float64 [N·(N−1)/2]; NaN where a row holds NaN.
    """
    rows = np.asarray(embeddings, dtype=np.float64)
    if rows.ndim != 2:
        raise ValueError(f"expected [N, D], got {rows.shape}")
    count = len(rows)
    result = np.empty(count * (count - 1) // 2)
    start = 0
    for index in range(count - 1):
        difference = rows[index + 1 :] - rows[index]
        stop = start + len(difference)
        result[start:stop] = np.einsum("nd,nd->n", difference, difference)
        start = stop
    return result
