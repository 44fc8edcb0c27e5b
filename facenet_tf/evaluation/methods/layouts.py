"""Vectors laid out in the plane, to be looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

FEWEST_POINTS = 4
"""So few pictures or fewer show nothing."""
MOST_POINTS = 2000
"""t-SNE takes minutes for more pictures than this."""


def pca(vectors: NDArray[np.float32], seed: int) -> NDArray[np.float64]:
    """Vectors [N, D] in the plane [N, 2] of their two widest directions; takes no chances."""
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    plane = centred @ directions[:2].T
    return plane * np.sign(plane[np.abs(plane).argmax(axis=0), range(2)])  # signs are arbitrary


def tsne(vectors: NDArray[np.float32], seed: int) -> NDArray[np.float64]:
    """Vectors [N, D] in the plane [N, 2] by t-SNE."""
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(vectors) - 1) / 3)
    method = TSNE(perplexity=perplexity, init="random", random_state=seed)
    # One thread: several wait for each other for minutes where the cores are busy.
    with threadpool_limits(1):
        return method.fit_transform(vectors)


def umap(vectors: NDArray[np.float32], seed: int) -> NDArray[np.float64]:
    """Vectors [N, D] in the plane [N, 2] by UMAP (McInnes et al., 2018); needs the extra `umap`."""
    from umap import UMAP

    method = UMAP(n_neighbors=min(15, len(vectors) - 1), init="random", random_state=seed, n_jobs=1)
    return np.asarray(method.fit_transform(vectors), np.float64)


LAYOUTS = {"pca": ("PCA", pca), "tsne": ("t-SNE", tsne), "umap": ("UMAP", umap)}
"""Name of an option → name to show and function of vectors and seed."""
