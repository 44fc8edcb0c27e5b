"""Runs, models and weights opened as subjects: one function for each kind of source.

They are given the source, its kind, the option that named it (for messages), the config, and the
dataset whose crops it will get; all raise InputError where it cannot be opened or takes others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from facenet_tf import pretrained
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.inputs import FOREIGN, Kind
from facenet_tf.evaluation.systems import embedding, foreign, networks
from facenet_tf.evaluation.systems.subject import Subject
from facenet_tf.pretrained import origin
from facenet_tf.pretrained.saved import check_crops
from facenet_tf.records.dataset import FaceDataset


def open_keras(
    source: str, kind: Kind, option: str, config: EvaluateConfig, dataset: FaceDataset
) -> Subject:
    """A run directory or a `.keras`."""
    path = Path(source)
    model = networks.load_checked(path, dataset)
    record = embedding.run_record(path if path.is_dir() else path.parent)
    return _of_model(model, kind, config, dataset, run=record, name=source)


def open_weights(
    source: str, kind: Kind, option: str, config: EvaluateConfig, dataset: FaceDataset
) -> Subject:
    """Weights that others have trained, of networks that this package knows."""
    model = pretrained.load(source)
    check_crops(model, f"{option}{source}", dataset)
    manifest = dataset.manifest
    weights = origin.described(source, manifest["source"], manifest["name"])
    return _of_model(model, kind, config, dataset, weights=weights, name=source)


def open_foreign(
    source: str, kind: Kind, option: str, config: EvaluateConfig, dataset: FaceDataset
) -> Subject:
    """A SavedModel, a LiteRT or an ONNX file."""
    config.foreign.check(Path(source))
    path, crops = Path(source), dataset.preprocessing
    forward, engine = foreign.open_foreign(path, kind, config.foreign, crops)
    return Subject(
        name=source,
        kind=kind,
        engine=engine,
        parameters=None,
        dataset=dataset,
        config=config,
        embed=lambda crops: embedding.unit_rows(forward(crops)),
    )


def _of_model(
    model: keras.Model,
    kind: Kind,
    config: EvaluateConfig,
    dataset: FaceDataset,
    *,
    name: str,
    run: dict[str, Any] | None = None,
    weights: dict[str, str] | None = None,
) -> Subject:
    return Subject(
        name=name,
        kind=kind,
        engine=f"Keras {keras.__version__}",
        parameters=model.count_params(),
        dataset=dataset,
        config=config,
        embed=networks.network_embedder(model),
        model=model,
        run=run or {},
        weights=weights,
    )


OPENERS = {
    "run": open_keras,
    "keras": open_keras,
    "weights": open_weights,
    **dict.fromkeys(FOREIGN, open_foreign),
}
