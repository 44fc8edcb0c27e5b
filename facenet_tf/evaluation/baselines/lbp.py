"""LBP histograms: which small patterns occur in which part of the face; nothing is learnt.

Source: Ahonen, Hadid, Pietikäinen, "Face Description with Local Binary Patterns", 2006: uniform
patterns of 8 neighbours at distance 2, a histogram for each part. Square roots of the shares are
compared by their distance (Hellinger's), which stands for the paper's chi-square distance.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from facenet_tf.errors import InputError
from facenet_tf.evaluation.baselines.grey_faces import grey
from facenet_tf.evaluation.systems.embedding import Embedder, unit_rows

NEIGHBOURS, RADIUS, PARTS = 8, 2, 7
PATTERNS = NEIGHBOURS * (NEIGHBOURS - 1) + 3
"""58 uniform patterns, each of them by itself, and one for all others."""
DESCRIPTION = (
    f"LBP histograms: uniform patterns of {NEIGHBOURS} neighbours at distance {RADIUS} in {PARTS} "
    f"by {PARTS} parts of the grey crop, square roots of their shares"
)


def fit(batches: Iterable[NDArray[np.uint8]], people: NDArray[np.int64], seed: int) -> Embedder:
    """The histograms as vectors; `batches`, `people` and `seed` are of no use here.

    Raises:
        InputError: scikit-image is missing.
    """
    try:
        from skimage.feature import local_binary_pattern
    except ImportError as error:
        raise InputError(
            f"--classical lbp: the package scikit-image cannot be imported ({error}): "
            "pip install 'facenet-tf[classical]'"
        ) from error

    def histograms(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
        codes = local_binary_pattern(picture, NEIGHBOURS, RADIUS, "nri_uniform").astype(np.int64)
        down, across = (np.arange(side) * PARTS // side for side in picture.shape)
        part = down[:, None] * PARTS + across
        counts = np.bincount((part * PATTERNS + codes).ravel(), minlength=PARTS**2 * PATTERNS)
        return np.sqrt(counts)

    return lambda images: unit_rows(np.stack([histograms(picture) for picture in grey(images)]))
