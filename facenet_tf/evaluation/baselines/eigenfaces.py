"""Eigenfaces: faces by the directions in which faces vary most.

Source: Turk, Pentland, "Eigenfaces for Recognition", 1991. Vectors are compared by their angle.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from facenet_tf.evaluation.baselines.grey_faces import SIDE, grey_rows
from facenet_tf.evaluation.systems.embedding import Embedder, unit_rows

COMPONENTS = 128
DESCRIPTION = (
    f"eigenfaces: the first {COMPONENTS} principal components of the training people's crops "
    f"(grey, {SIDE} by {SIDE} pixels, each one's mean removed, length 1)"
)


def fit(batches: Iterable[NDArray[np.uint8]], people: NDArray[np.int64], seed: int) -> Embedder:
    """Learn the directions from training people's crops.

    Args:
        batches: uint8 [B, H, W, C] crops.
        people: whom they show; of no use here.
        seed: of the decomposition.
    """
    from sklearn.decomposition import PCA

    rows = np.concatenate([grey_rows(batch) for batch in batches])
    count = min(COMPONENTS, len(rows) - 1)
    pca = PCA(count, svd_solver="randomized", random_state=seed).fit(rows)
    return lambda images: unit_rows(pca.transform(grey_rows(images)))
