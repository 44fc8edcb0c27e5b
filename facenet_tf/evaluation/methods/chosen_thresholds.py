"""Thresholds chosen once for each network, and put where every protocol finds them."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path
from typing import Any

import numpy as np

from facenet_tf import thresholds
from facenet_tf.errors import InputError
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.fixed_thresholds import FixedThresholds
from facenet_tf.evaluation.inputs import FOREIGN, MODEL, is_embeddings, kind_of
from facenet_tf.evaluation.made import Made
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.methods.threshold_figures import calibrate
from facenet_tf.evaluation.pair_sets import ScoredPairs
from facenet_tf.evaluation.roster import NO_RECORD, Vectors
from facenet_tf.pretrained.dlib_package import WEIGHTS, package_file
from facenet_tf.records.checksums import of_path
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
    model = None if baseline else model_path(config)
    own = _own(measured, vectors, config, model)
    brought = None if baseline else _brought(config, measured, model)
    return dataclasses.replace(measured, thresholds=FixedThresholds(own, brought))


def of_one_look(
    chosen: Thresholds, measured: Measured, vectors: Vectors, config: EvaluateConfig
) -> Thresholds | str:
    """What the validation people choose where nothing is averaged, or why they choose nothing.

    Args:
        chosen: what they chose by `vectors`.
        measured: people and pairs.
        vectors: of the measured model; where the evaluation averages them, the validation
            people's pictures are embedded once more.
        config: of the evaluation.
    """
    if not (config.flip_average or config.jitter):
        return chosen
    # Who chose has pairs, and only pictures are looked at more than once.
    assert measured.validation is not None and vectors.embed_one_look is not None
    roster = measured.roster
    choosing = np.zeros(len(roster), bool)
    choosing[np.concatenate([measured.validation.left, measured.validation.right])] = True
    records = np.where(choosing, roster.records, NO_RECORD)
    plain = vectors.embed_one_look(dataclasses.replace(roster, records=records), ())
    one_look = dataclasses.replace(config, flip_average=False, jitter=0)
    return _own(measured, plain, one_look, model_path(config))


def _own(
    measured: Measured, vectors: Vectors, config: EvaluateConfig, model: Path | None
) -> Thresholds | str:
    validation = None
    if measured.validation is not None:
        validation = ScoredPairs.of(vectors, measured.validation)
    return calibrate(
        validation,
        fars=config.fars,
        draws=config.bootstrap,
        seed=config.seed,
        model_sha256=of_path(model) if model else "",
        dataset=dataset_of(measured),
        steered=measured.steered,
        embedding=embedding_of(config, model),
    )


def model_path(config: EvaluateConfig) -> Path | None:
    """The file that holds the measured model, or the directory of one that is many files; None
    where embeddings are measured."""
    if config.weights == "dlib":
        return package_file(WEIGHTS)
    path = config.run if config.weights is None else Path(config.weights)
    if is_embeddings(path):
        return None
    return next((each for each in (path / MODEL, path) if each.exists()), None)


def embedding_of(config: EvaluateConfig, model: Path | None) -> dict[str, Any]:
    """How the embeddings are made, beside what the model's file says."""
    averaged = {"flip_average": config.flip_average, "jitter": config.jitter}
    if model is None or config.weights is not None or kind_of(model) not in FOREIGN:
        return averaged
    return {**averaged, **dataclasses.asdict(config.foreign)}


def made_by(config: EvaluateConfig) -> Made | None:
    """What makes the embeddings of the measured model; None where a file of them is measured."""
    model = model_path(config)
    if model is None:
        return None
    embedding = {**embedding_of(config, model), "degrade": list(config.degrade)}
    return Made(of_path(model), embedding)


def dataset_of(measured: Measured) -> dict[str, str]:
    """Name and fingerprint of the measured dataset; empty where there are only embeddings."""
    dataset = measured.dataset
    if dataset is None:
        return {"name": "", "fingerprint": ""}
    return {"name": dataset.manifest["name"], "fingerprint": dataset.fingerprint}


def _brought(config: EvaluateConfig, measured: Measured, model: Path | None) -> Thresholds | None:
    """Thresholds of the same model from another dataset: those asked for, or those beside it."""
    given, embedding = config.operating_points.transfer, embedding_of(config, model)
    if given is not None:
        if model is None:
            raise InputError(
                f"--operating-points.transfer {given}: embeddings do not name the model that "
                "thresholds are of; put those that choose into the same file, as `validation`, and "
                "those that are judged as `test`"
            )
        return thresholds.read_for(model, given, embedding)
    return None if model is None else _beside(model, measured, embedding)


def _beside(model: Path, measured: Measured, embedding: dict[str, Any]) -> Thresholds | None:
    """Those beside the model, if they are of it and of another dataset: those of weights that are
    gone will be replaced, and are no reason to stop."""
    path = thresholds.place_beside(model)
    if not path.is_file():
        return None
    found = thresholds.read(path)
    if found.dataset["fingerprint"] == dataset_of(measured)["fingerprint"]:
        return None
    reason = found.unfit_for(model, embedding)
    if reason is not None:
        logger.warning("%s %s: it is not used", path, reason)
        return None
    return found
