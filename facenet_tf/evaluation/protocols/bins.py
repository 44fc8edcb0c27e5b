"""Pairs of ready-made crops: insightface's .bin files, embedded as they are.

Their crops were cut by others, from faces that another detector found, by the same template. So
they are no pictures to build a dataset from, and only a network that takes such crops can be
measured on them; the figure is that of the network alone, not of a whole system.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facenet_tf import metrics
from facenet_tf.datasets.pair_bin import PairBin, read_bin
from facenet_tf.errors import InputError
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import CUT, FOLDS, Measured
from facenet_tf.evaluation.methods.pair_figures import folded_figures, grid_figures, ranking_figures
from facenet_tf.evaluation.options.bins import BinsOptions
from facenet_tf.evaluation.pair_sets import PairSet, ScoredPairs
from facenet_tf.evaluation.protocol import Protocol
from facenet_tf.evaluation.protocols.verification import points_table
from facenet_tf.evaluation.ready_crops import check_takes_crops, ready_crop
from facenet_tf.evaluation.roster import Roster, Vectors
from facenet_tf.evaluation.systems.embedding import Embedder
from facenet_tf.evaluation.table import Table, share
from facenet_tf.input_pipeline.degraded import degraded

NO_NAMES = "the file does not say who is shown"


def check(measured: Measured, config: EvaluateConfig) -> None:
    """Raises InputError for a bad file."""
    for file in config.bins.files:
        _pairs(file)


def figures(vectors: Vectors, measured: Measured, config: EvaluateConfig) -> dict[str, Any] | None:
    """{name of the file: figures}; None where none is given.

    Raises:
        InputError: the network takes other crops, or a file is damaged.
    """
    if not config.bins.files:
        return None
    if vectors.embed_crops is None or measured.dataset is None:
        return {"skipped": "embeddings alone were given, and crops need a network"}
    check_takes_crops(measured.dataset.preprocessing)
    shape = measured.dataset.preprocessing.shape
    return {
        file.stem: _figures(file, vectors.embed_crops, shape, config) for file in config.bins.files
    }


def _pairs(file: Path) -> PairBin:
    pairs = read_bin(file)
    if pairs.genuine.all() or not pairs.genuine.any():
        raise InputError(f"{file} has pairs of one kind only: no error rates are defined")
    return pairs


def _figures(
    file: Path, embed: Embedder, shape: tuple[int, int, int], config: EvaluateConfig
) -> dict[str, Any]:
    pairs = _pairs(file)
    values = _embedded(file, pairs, embed, shape, config)
    count = len(values)
    roster = Roster(
        keys=np.arange(count).astype(np.str_),
        identities=np.full(count, ""),
        splits=np.full(count, "test"),
        outcomes=np.full(count, "ok"),
        records=np.arange(count),
        duplicate=np.zeros(count, bool),
    )
    chosen = PairSet(
        f"{len(pairs)} pairs of ready crops of {file.name}, embedded as they are",
        np.arange(0, count, 2),
        np.arange(1, count, 2),
        pairs.genuine,
    )
    scored = ScoredPairs.of(Vectors(roster, values), chosen)
    found = {**ranking_figures(scored, fars=config.fars), "bootstrap": {"skipped": NO_NAMES}}
    try:
        fold = metrics.contiguous_folds(pairs.genuine, FOLDS)
    except ValueError as error:
        return {**found, "accuracy_mean": None, "accuracy_protocol": str(error)}
    folded = dataclasses.replace(scored, pairs=dataclasses.replace(chosen, fold=fold))
    return {**found, **folded_figures(folded, CUT), "grid": grid_figures(scored)}


def _embedded(
    file: Path,
    pairs: PairBin,
    embed: Embedder,
    shape: tuple[int, int, int],
    config: EvaluateConfig,
) -> NDArray[np.float32]:
    vectors = []
    for first in range(0, len(pairs.crops), config.batch_size):
        batch = pairs.crops[first : first + config.batch_size]
        crops = [
            ready_crop(data, shape, f"{file}, picture {first + number}")
            for number, data in enumerate(batch)
        ]
        vectors.append(embed(np.stack(list(degraded(crops, config.degrade)))))
    return np.concatenate(vectors)


def tables(results: dict[str, Any]) -> list[Table]:
    """All files in one table; per file the points on the curve."""
    rows = []
    for name, found in results["bins"].items():
        accuracy = share(found["accuracy_mean"])
        if found.get("accuracy_sem") is not None:
            accuracy += f" ± {found['accuracy_sem']:.4f}"
        grid = found.get("grid") or {}
        shares = [grid.get("accuracy_mean"), found["auc"], found["eer"]]
        rows.append([name, accuracy, *map(share, shares), str(found["pairs"])])
    head = ["file", "accuracy", "accuracy, grid rule", "AUC", "EER", "pairs"]
    points = [points_table(name, found) for name, found in results["bins"].items()]
    return [Table(head, rows, f"{NO_NAMES}: no intervals over people"), *points]


BINS = Protocol(
    "bins",
    "Ready-made crops",
    "The same question on pairs of crops that others have cut and aligned, so that networks can be "
    "compared on equal terms.",
    figures,
    tables,
    check=check,
    options=BinsOptions,
)
