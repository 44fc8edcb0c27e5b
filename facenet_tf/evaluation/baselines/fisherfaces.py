"""Fisherfaces: the directions in which people differ more than pictures of one person do.

Source: Belhumeur, Hespanha, Kriegman, "Eigenfaces vs. Fisherfaces", 1997: principal components
first, so that the scatter within people can be inverted, then Fisher's discriminant. Vectors are
compared by their angle. The scatter is shrunk (Ledoit, Wolf, 2004): the paper names the people that
it learnt from, here it is others, and few pictures tell little of so many directions.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from facenet_tf.errors import InputError
from facenet_tf.evaluation.baselines.grey_faces import SIDE, grey_rows
from facenet_tf.evaluation.systems.embedding import Embedder, unit_rows

MOST_COMPONENTS = 200
MOST_DIMENSIONS = 128
DESCRIPTION = (
    f"Fisherfaces: Fisher's discriminant of the training people's crops (grey, {SIDE} by {SIDE} "
    f"pixels, each one's mean removed, length 1) in their first {MOST_COMPONENTS} principal "
    f"components, its scatter shrunk, at most {MOST_DIMENSIONS} dimensions"
)


def fit(batches: Iterable[NDArray[np.uint8]], people: NDArray[np.int64], seed: int) -> Embedder:
    """Learn the directions from training people's crops.

    Args:
        batches: uint8 [B, H, W, C] crops.
        people: [N], whom they show.
        seed: of the decomposition.

    Raises:
        InputError: fewer than two people have two pictures.
    """
    from sklearn.decomposition import PCA
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    rows = np.concatenate([grey_rows(batch) for batch in batches])
    _, person, counts = np.unique(people, return_inverse=True, return_counts=True)
    several = counts[person] > 1  # one picture tells nothing of how pictures of a person vary
    rows, people = rows[several], people[several]
    classes = int(np.sum(counts > 1))
    if classes < 2:
        raise InputError(
            "--classical fisherfaces: fewer than two training people have two pictures"
        )
    count = max(1, min(MOST_COMPONENTS, len(rows) - classes, rows.shape[1]))
    pca = PCA(count, svd_solver="randomized", random_state=seed).fit(rows)
    dimensions = min(MOST_DIMENSIONS, classes - 1, count)
    lda = LinearDiscriminantAnalysis("eigen", shrinkage="auto", n_components=dimensions)
    lda.fit(pca.transform(rows), people)
    return lambda images: unit_rows(lda.transform(pca.transform(grey_rows(images))))
