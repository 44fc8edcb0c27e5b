"""Leave one out: is the picture nearest to each one of the same person?"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facenet_tf.metrics.distances import distance_table
from facenet_tf.metrics.ties import as_near

_ROWS_AT_ONCE = 1024


def nearest_is_own(vectors: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.int64], NDArray]:
    """Rank 1 of every picture that has another of its person, all other pictures being enrolled.

    A tie of an own and a foreign picture is an error (`ties`), and so is a picture without a vector
    (a row of NaN), which nothing is near to.

    Args:
        vectors: float [N, D], or rows with a NaN.
        labels: [N], whom each shows.

    Returns:
        Rows int64 [M] of the pictures that are counted, and bool [M]: named rightly.

    Raises:
        ValueError: the lengths do not fit.
    """
    rows, people = np.asarray(vectors, np.float64), np.asarray(labels)
    if rows.ndim != 2 or people.shape != rows.shape[:1]:
        raise ValueError(f"expected [N, D] and [N], got {rows.shape} and {people.shape}")
    _, codes, counts = np.unique(people, return_inverse=True, return_counts=True)
    counted = np.flatnonzero(counts[codes] > 1)
    known = np.isfinite(rows.sum(axis=1))
    gallery = np.where(known[:, None], rows, 0)
    right = np.zeros(len(counted), bool)
    for start in range(0, len(counted), _ROWS_AT_ONCE):
        chunk = counted[start : start + _ROWS_AT_ONCE]
        distance = distance_table(gallery[chunk], gallery)
        distance[:, ~known] = np.inf
        distance[np.arange(len(chunk)), chunk] = np.inf
        own = codes[chunk, None] == codes
        best_own = np.where(own, distance, np.inf).min(axis=1)
        best_foreign = np.where(own, np.inf, distance).min(axis=1)
        found = known[chunk] & np.isfinite(best_own)
        right[start : start + len(chunk)] = found & ~as_near(best_foreign, best_own)
    return counted, right
