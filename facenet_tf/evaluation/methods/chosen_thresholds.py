"""Thresholds chosen once for each network, and put where every protocol finds them."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path
from typing import Any

from facenet_tf import thresholds
from facenet_tf.errors import InputError
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.fixed_thresholds import FixedThresholds
from facenet_tf.evaluation.inputs import FOREIGN, MODEL, is_embeddings, kind_of
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.methods.threshold_figures import calibrate
from facenet_tf.evaluation.pair_sets import ScoredPairs
from facenet_tf.evaluation.roster import Vectors
from facenet_tf.pretrained.dlib_package import WEIGHTS, package_file
from facenet_tf.records.checksums import of_file
from facenet_tf.thresholds import Thresholds

logger = logging.getLogger(__name__)


def calibrated(
    measured: Measured, vectors: Vectors, config: EvaluateConfig, *, baseline: bool = False
) -> Measured:
    """What is measured, with the thresholds that these vectors are judged by.

    Args:
        measured: people and pairs.
        vectors: of one network.
        config: of the evaluation.
        baseline: whether the vectors are not those of the measured model, so that thresholds
            beside it are not theirs.

    Raises:
        InputError: `--operating-points.transfer` names thresholds of another model, or of
            embeddings that were made in another way.
    """
    model = None if baseline else model_file(config)
    embedding = embedding_of(config, model)
    validation = None
    if measured.validation is not None:
        validation = ScoredPairs.of(vectors, measured.validation)
    own = calibrate(
        validation,
        fars=config.fars,
        draws=config.bootstrap,
        seed=config.seed,
        model_sha256=of_file(model) if model else "",
        dataset=dataset_of(measured),
        steered=measured.steered,
        embedding=embedding,
    )
    brought = None if baseline else _brought(config, measured, model, embedding)
    return dataclasses.replace(measured, thresholds=FixedThresholds(own, brought))


def model_file(config: EvaluateConfig) -> Path | None:
    """The file that holds the measured model; None where there is no such single file."""
    if config.weights == "dlib":
        return package_file(WEIGHTS)
    path = config.run if config.weights is None else Path(config.weights)
    if is_embeddings(path):
        return None
    file = path / MODEL if path.is_dir() else path
    return file if file.is_file() else None


def embedding_of(config: EvaluateConfig, model: Path | None) -> dict[str, Any]:
    """How the embeddings are made, beside what the model's file says."""
    averaged = {"flip_average": config.flip_average, "jitter": config.jitter}
    if model is None or config.weights is not None or kind_of(model) not in FOREIGN:
        return averaged
    return {**averaged, **dataclasses.asdict(config.foreign)}


def dataset_of(measured: Measured) -> dict[str, str]:
    """Name and fingerprint of the measured dataset; empty where there are only embeddings."""
    dataset = measured.dataset
    if dataset is None:
        return {"name": "", "fingerprint": ""}
    return {"name": dataset.manifest["name"], "fingerprint": dataset.fingerprint}


def _brought(
    config: EvaluateConfig, measured: Measured, model: Path | None, embedding: dict[str, Any]
) -> Thresholds | None:
    """Thresholds of the same model from another dataset: those asked for, or those beside it."""
    given = config.operating_points.transfer
    if given is not None:
        if model is None:
            raise InputError(
                f"--operating-points.transfer {given}: there is no model to go with it"
            )
        return thresholds.read_for(model, given, embedding)
    beside = _beside(model, embedding)
    if beside is None or beside.dataset["fingerprint"] == dataset_of(measured)["fingerprint"]:
        return None
    return beside


def _beside(model: Path | None, embedding: dict[str, Any]) -> Thresholds | None:
    """Those beside the model, if they are of it: those of weights that are gone will be replaced,
    and are no reason to stop."""
    path = None if model is None else thresholds.place_beside(model)
    if model is None or path is None or not path.is_file():
        return None
    found = thresholds.read(path)
    reason = found.unfit_for(model, embedding)
    if reason is not None:
        logger.warning("%s %s: it is not used", path, reason)
        return None
    return found
