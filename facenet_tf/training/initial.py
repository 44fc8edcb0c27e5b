"""Trained weights that a run begins with: the network they belong to, and whom they have seen."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from facenet_tf import pretrained
from facenet_tf.errors import InputError
from facenet_tf.models import name_of
from facenet_tf.pretrained.saved import MODEL, check_crops
from facenet_tf.records.dataset import FaceDataset
from facenet_tf.training.checkpoints import Checkpoints
from facenet_tf.training.config import OPTIONS_OF_MODEL, TrainConfig
from facenet_tf.training.run_directory import RunDirectory


@dataclass(frozen=True)
class Initial:
    """What `--init` names."""

    source: str
    model: keras.Model | None
    """None: not read, see `resumed_initial`."""
    body: Mapping[str, Any]
    """The network as options of a run have it; those of the architecture as the run had them that
    the weights are of."""
    sha256: str = ""
    """Of the weights."""
    seen_people: tuple[str, ...] = ()
    """Names of the people whom that run saw."""
    steering_people: tuple[str, ...] = ()
    """Those of them who are known to have steered it only."""
    seen_before: str | None = None
    """Weights of others that these are or began with, by name: whom they saw nobody can say by
    name. None: there are none."""


def resumed_initial(config: TrainConfig, run: RunDirectory) -> Initial | None:
    """What the record of a run that is resumed says of the weights that it began with.

    Its checkpoints hold what has become of them. The file is not opened: by now it may be gone, or
    be another. None: it has to be, or there is none.
    """
    source = config.fine_tuning.init
    kept = Checkpoints(run.checkpoints, config.checkpoint.keep)
    if not config.resume or source is None or not kept.exist():
        return None
    recorded, dataset = run.recorded("config"), run.recorded("dataset")
    if not recorded or not dataset:
        return None
    network = {name: recorded[name] for name in ("model", "embedding_size")}
    initial = Initial(source, None, {**_options(recorded), **network})
    return _knowing(initial, dataset)


def open_initial(config: TrainConfig, dataset: FaceDataset) -> Initial | None:
    """The weights that a run on a dataset begins with; None: fresh ones.

    Raises:
        InputError: they cannot be loaded, are of another architecture or other crops, or of a run
            that does not say whom it saw.
    """
    source = config.fine_tuning.init
    if source is None:
        return None
    model = pretrained.load(source)
    name = name_of(model)
    if config.model not in (None, name):
        raise InputError(
            f"--model {config.model}: the weights of --init {source} are of {name}; leave --model "
            "out"
        )
    check_crops(model, f"{source} (--init)", dataset)
    network = {"model": name, "embedding_size": int(model.output_shape[-1])}
    initial, run = Initial(source, model, network, _sha256(model)), _run_of(Path(source))
    if run is None:
        return dataclasses.replace(initial, seen_before=Path(source).name)
    return _of_run(initial, run)


def _options(config: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the architecture that a run's record says; one of before has fewer."""
    options = {name: config[name] for name in OPTIONS_OF_MODEL if config.get(name) is not None}
    return {**options, "model_options": config.get("model_options", {})}


def _run_of(path: Path) -> Path | None:
    """The run directory that a source is, or is the model of."""
    if path.name == MODEL and (path.parent / "config.json").is_file():
        return path.parent
    return path if (path / MODEL).is_file() else None


def _of_run(initial: Initial, run: Path) -> Initial:
    try:
        record = json.loads((run / "config.json").read_text())
        body = {**_options(record["config"]), **initial.body}
        return _knowing(dataclasses.replace(initial, body=body), record["dataset"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(
            f"--init {initial.source}: its config.json does not say whom that run saw ({error!r}), "
            "so that nobody could be measured as unseen; give a run directory of train.py, or the "
            f"file {MODEL} alone"
        ) from error


def _knowing(initial: Initial, dataset: Mapping[str, Any]) -> Initial:
    """The same with the people of a run's record."""
    return dataclasses.replace(
        initial,
        seen_people=tuple(dataset["seen_people"]),
        steering_people=tuple(dataset.get("steering_people", ())),
        seen_before=dataset.get("seen_before"),
    )


def _sha256(model: keras.Model) -> str:
    """Of all weights as bytes, in their order: the same of whatever kind of file they come."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(weight.tobytes())
    return digest.hexdigest()
