"""Squared Euclidean distances of listed pairs and of all pairs."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

TILE = 2048
"""Rows and columns of the tiles in which all pairs of very many rows pass by: 34 MB of distances,
and in each thread some more of that size."""
NEAR = 1e-4
"""Below this share of the squared lengths a distance from products has lost too many digits."""
_ROWS_AT_ONCE = 4096


def unit_rows(rows: NDArray[Any]) -> NDArray[Any]:
    """Rows of floats [N, D] scaled to length 1, of their dtype; a row of zeros or NaN stays."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1)


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


def distance_table(left: NDArray, right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared distances of all rows of [P, D] and all of [R, D], float64 [P, R], by products: fast,
    and right to some 1e-15 of the squared lengths; NaN where a row of `left` is."""
    rows = left.astype(np.float64)
    with np.errstate(invalid="ignore"):  # NaN in, NaN out
        products = rows @ right.T
        products *= -2
        products += np.einsum("nd,nd->n", rows, rows)[:, None]
    products += np.einsum("nd,nd->n", right, right)
    return products


def listed_distances(
    rows: ArrayLike, left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Squared Euclidean distance of row left[i] and row right[i] of [N, D], for long lists.

    A list of about all pairs is measured by one matrix product, and only its near pairs, whose
    digits that would lose, by differences.

    Returns:
        float64 of the length of the list; NaN where a row holds NaN.

    Raises:
        ValueError: `rows` is not two-dimensional, or the lists differ in length.
    """
    table = np.asarray(rows)
    if table.ndim != 2 or np.shape(left) != np.shape(right):
        raise ValueError(f"expected [N, D] and two lists of one length, got {table.shape}")
    used, places = np.unique(np.concatenate([left, right]), return_inverse=True)
    if 4 * len(left) < len(used) ** 2:
        return by_differences(table, left, right)
    vectors = table[used].astype(np.float64)
    first, second = places.reshape(2, -1)
    squares = np.einsum("nd,nd->n", vectors, vectors)
    lengths = squares[first] + squares[second]
    with np.errstate(invalid="ignore"):  # NaN in, NaN out
        result = lengths - 2 * (vectors @ vectors.T)[first, second]
    near = np.flatnonzero(result < NEAR * lengths)
    result[near] = by_differences(table, left[near], right[near])
    return result


def by_differences(
    rows: NDArray, left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The same by differences alone, float64 [N]: exact, in memory for few rows at a time."""
    result = np.empty(len(left))
    for start in range(0, len(left), _ROWS_AT_ONCE):
        chunk = slice(start, start + _ROWS_AT_ONCE)
        result[chunk] = squared_distances(rows[left[chunk]], rows[right[chunk]])
    return result


def all_pairs(count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices (left, right) of the count·(count−1)/2 pairs with left < right, left-major."""
    left, right = np.triu_indices(count, k=1)
    return left.astype(np.int64), right.astype(np.int64)


def genuine_pairs(labels: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices (left, right) of all pairs of equal labels [N] with left < right, label by label."""
    codes = np.unique(np.asarray(labels), return_inverse=True)[1]
    order = np.argsort(codes, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
    sides = [own[np.stack(np.triu_indices(len(own), 1))] for own in groups]
    left, right = np.concatenate(sides, axis=1)
    return left, right


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
