"""Keras models as functions from crops to vectors: the trained network, and the untrained one."""

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from facenet_tf.evaluation.systems.embedding import Embedder, unit_rows
from facenet_tf.evaluation.systems.jitter import looks
from facenet_tf.models.forms import forward_pass
from facenet_tf.pretrained.saved import MODEL, check_crops, load_saved
from facenet_tf.records.dataset import FaceDataset


def load_checked(path: Path, dataset: FaceDataset) -> keras.Model:
    """The model of a run directory or a `.keras`, whose crops were found to be the dataset's.

    Raises:
        InputError: see `load_saved`; or the preprocessings differ.
    """
    model = load_saved(path)
    check_crops(model, path / MODEL if path.is_dir() else path, dataset)
    return model


def untrained_like(model: keras.Model, seed: int) -> keras.Model:
    """The same architecture with fresh weights, as the seed draws them."""
    keras.utils.set_random_seed(seed)
    return keras.models.clone_model(model)


def network_embedder(
    model: keras.Model, flip_average: bool = False, jitter: int = 0, seed: int = 0
) -> Embedder:
    """Vectors of a model from crops to unit vectors, `averaged` as asked for."""
    return averaged(forward_pass(model), flip_average, jitter, seed)


def averaged(
    embed: Embedder, flip_average: bool = False, jitter: int = 0, seed: int = 0
) -> Embedder:
    """Vectors averaged over several views of each crop.

    Args:
        embed: makes the vectors of one view.
        flip_average: average those of crop and mirrored crop.
        jitter: average those of so many moved versions of the crop in its place, as `seed` draws
            them; 0: none.
        seed: of the motions.

    What was averaged is scaled to length 1 again.
    """

    def views(images: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
        for view in looks(images, jitter, seed) if jitter else (images,):
            yield view
            if flip_average:
                yield np.ascontiguousarray(view[:, :, ::-1])

    def embed_views(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return unit_rows(np.sum([embed(view) for view in views(images)], axis=0))

    return embed_views if flip_average or jitter else embed
