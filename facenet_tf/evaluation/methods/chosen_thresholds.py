"""Thresholds chosen once for each network, and put where every protocol finds them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from facenet_tf import thresholds
from facenet_tf.errors import InputError
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.fixed_thresholds import FixedThresholds
from facenet_tf.evaluation.inputs import MODEL, is_embeddings
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.methods.threshold_figures import calibrate
from facenet_tf.evaluation.pair_sets import ScoredPairs
from facenet_tf.evaluation.roster import Vectors
from facenet_tf.pretrained.dlib_package import WEIGHTS, package_file
from facenet_tf.records.checksums import of_file
from facenet_tf.thresholds import Thresholds


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
        InputError: `--operating-points.transfer` names thresholds of another model.
    """
    model = None if baseline else model_file(config)
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
    )
    brought = None if baseline else _brought(config, measured, model)
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


def dataset_of(measured: Measured) -> dict[str, str]:
    """Name and fingerprint of the measured dataset; empty where there are only embeddings."""
    dataset = measured.dataset
    if dataset is None:
        return {"name": "", "fingerprint": ""}
    return {"name": dataset.manifest["name"], "fingerprint": dataset.fingerprint}


def _brought(config: EvaluateConfig, measured: Measured, model: Path | None) -> Thresholds | None:
    """Thresholds of the same model from another dataset: those asked for, or those beside it."""
    given = config.operating_points.transfer
    if given is not None:
        if model is None:
            raise InputError(
                f"--operating-points.transfer {given}: there is no model to go with it"
            )
        return thresholds.read_for(model, given)
    if config.flip_average or config.jitter:  # those beside it are for embeddings of one look
        return None
    beside = _beside(model)
    if beside is None or beside.dataset["fingerprint"] == dataset_of(measured)["fingerprint"]:
        return None
    return beside


def _beside(model: Path | None) -> Thresholds | None:
    """Those beside the model; those of weights that are gone will be replaced."""
    if model is None or not thresholds.place_beside(model).is_file():
        return None
    found = thresholds.read(thresholds.place_beside(model))
    return found if found.model_sha256 == of_file(model) else None
