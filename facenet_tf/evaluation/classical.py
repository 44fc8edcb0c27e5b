"""The classical baselines, from before networks, fitted on training people's crops only."""

from __future__ import annotations

import numpy as np

from facenet_tf.errors import InputError
from facenet_tf.evaluation import eigenfaces, fisherfaces, lbp
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.embedding import Embedder
from facenet_tf.evaluation.measured import Measured
from facenet_tf.input_pipeline.pipeline import evaluation_arrays
from facenet_tf.records.dataset import FaceDataset

MOST_CROPS = 5000
"""Of more, so many are drawn at random to learn from."""

METHODS = {"eigenfaces": eigenfaces, "fisherfaces": fisherfaces, "lbp": lbp}
DESCRIPTIONS = {name: method.DESCRIPTION for name, method in METHODS.items()}


def classical_embedders(
    config: EvaluateConfig, dataset: FaceDataset, measured: Measured
) -> dict[str, Embedder]:
    """The embedder of each baseline that the config asks for.

    Args:
        config: of the evaluation; crops are degraded as it says.
        dataset: whose training people are learnt from, but for those on a list that is measured.
        measured: with that list.

    Raises:
        InputError: nobody is left to learn from, or a package is missing.
    """
    if not config.classical:
        return {}
    records = dataset.split("train")
    hidden = _listed_people(measured)
    names = np.asarray(dataset.class_names)
    records = records[~np.isin(names[dataset.labels[records]], hidden)]
    if len(records) < 2:
        raise InputError(
            f"--classical: {config.dataset} has no training people to learn from; build it with "
            "some, or leave the option out"
        )
    random = np.random.default_rng([config.seed, len(records)])
    records = np.sort(random.permutation(records)[:MOST_CROPS])
    people = np.asarray(dataset.labels[records], np.int64)
    return {
        name: METHODS[name].fit(
            evaluation_arrays(dataset, records, config.batch_size, config.degrade),
            people,
            config.seed,
        )
        for name in config.classical
    }


def _listed_people(measured: Measured) -> list[str]:
    pairs = measured.listed
    if pairs is None:
        return []
    rows = np.concatenate([pairs.left, pairs.right])
    return np.unique(measured.roster.identities[rows]).tolist()
