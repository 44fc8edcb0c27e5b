"""The classical baselines, from before networks, fitted on training people's crops only."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from facenet_tf.errors import InputError
from facenet_tf.evaluation.baselines import eigenfaces, fisherfaces, lbp
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.roster import Roster, Vectors
from facenet_tf.evaluation.systems.embedding import Embedder, embed_roster
from facenet_tf.records.dataset import FaceDataset

logger = logging.getLogger(__name__)

MOST_CROPS = 5000
"""Of more, so many are drawn at random to learn from."""

METHODS = {"eigenfaces": eigenfaces, "fisherfaces": fisherfaces, "lbp": lbp}
LEARN_FROM_NAMES = ("fisherfaces",)
LEARN_NOTHING = ("lbp",)


def described(config: EvaluateConfig, measured: Measured) -> dict[str, dict[str, str]]:
    """What evaluation.json says of each method that the config asks for, besides its figures."""
    found: dict[str, dict[str, str]] = {
        name: {"protocol": METHODS[name].DESCRIPTION} for name in config.classical
    }
    for name in LEARN_FROM_NAMES:
        if name in found and measured.dataset is not None:
            found[name]["trained_on"] = measured.dataset.manifest["name"]
    return found


def classical_vectors(config: EvaluateConfig, measured: Measured) -> dict[str, Vectors]:
    """Vectors of the measured pictures by each method that the config asks for.

    Args:
        config: of the evaluation; crops are degraded as it says.
        measured: whose dataset's training people are learnt from, but for those on a list that is
            measured.

    Raises:
        InputError: nobody is there to learn from, or a package is missing.
    """
    if not config.classical:
        return {}
    from facenet_tf.input_pipeline.pipeline import evaluation_arrays  # TensorFlow: seconds

    vectors: dict[str, Vectors] = {}
    for name in config.classical:
        logger.info("vectors: %s", name)
        dataset, records = _training_crops(config, measured, name not in LEARN_NOTHING)
        embed = METHODS[name].fit(
            evaluation_arrays(dataset, records, config.batch_size, config.degrade),
            np.asarray(dataset.labels[records], np.int64),
            config.seed,
        )
        again = partial(_embedded, embed, dataset, config)
        vectors[name] = dataclasses.replace(again(measured.roster, ()), embed=again)
    return vectors


def _embedded(
    embed: Embedder,
    dataset: FaceDataset,
    config: EvaluateConfig,
    roster: Roster,
    degrade: Sequence[str],
) -> Vectors:
    degrade = (*config.degrade, *degrade)
    return embed_roster(embed, dataset, roster, config.batch_size, degrade)


def _training_crops(
    config: EvaluateConfig, measured: Measured, needed: bool
) -> tuple[FaceDataset, NDArray[np.int64]]:
    """The dataset and the records to learn from, which may be none if they are not needed."""
    dataset = measured.dataset
    assert dataset is not None  # see `EvaluateConfig.check`
    records = dataset.split("train")
    names = np.asarray(dataset.class_names)
    hidden = np.isin(names[dataset.labels[records]], _listed_people(measured))
    records = records[~hidden]
    if needed and len(records) < 2:
        raise InputError(
            f"--classical: {dataset.directory} has no training people to learn from; build it with "
            "some, or leave the option out"
        )
    random = np.random.default_rng([config.seed, len(records)])
    return dataset, np.sort(random.permutation(records)[:MOST_CROPS])


def _listed_people(measured: Measured) -> list[str]:
    pairs = measured.listed
    if pairs is None:
        return []
    rows = np.concatenate([pairs.left, pairs.right])
    return np.unique(measured.roster.identities[rows]).tolist()
