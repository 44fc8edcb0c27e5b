"""Trained weights that a run begins with: the network they belong to, and whom they have seen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras

from facenet_tf import pretrained
from facenet_tf.errors import InputError
from facenet_tf.models import name_of
from facenet_tf.pretrained.saved import MODEL, check_crops
from facenet_tf.records.dataset import FaceDataset
from facenet_tf.training.config import OPTIONS_OF_MODEL, TrainConfig


@dataclass(frozen=True)
class Initial:
    """What `--init` names."""

    source: str
    model: keras.Model
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of the architecture, as the run had them that the weights are of."""
    seen_people: tuple[str, ...] = ()
    """Names of the people whom that run saw."""
    steering_people: tuple[str, ...] = ()
    """Those of them who are known to have steered it only."""
    seen_before: str | None = None
    """Weights of others that these are or began with, by name: whom they saw nobody can say by
    name. None: there are none."""

    @property
    def body(self) -> dict[str, Any]:
        """The network as options of a run have it."""
        network = {"model": name_of(self.model), "embedding_size": int(self.model.output_shape[-1])}
        return {**self.options, **network}


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
    run = _run_of(Path(source))
    if run is None:
        return Initial(source, model, seen_before=Path(source).name)
    return _of_run(source, model, run)


def _options(config: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the architecture that a run's record says; one of before has fewer."""
    options = {name: config[name] for name in OPTIONS_OF_MODEL if config.get(name) is not None}
    return {**options, "model_options": config.get("model_options", {})}


def _run_of(path: Path) -> Path | None:
    """The run directory that a source is, or is the model of."""
    if path.name == MODEL and (path.parent / "config.json").is_file():
        return path.parent
    return path if (path / MODEL).is_file() else None


def _of_run(source: str, model: keras.Model, run: Path) -> Initial:
    try:
        record = json.loads((run / "config.json").read_text())
        config, dataset = record["config"], record["dataset"]
        return Initial(
            source,
            model,
            _options(config),
            tuple(dataset["seen_people"]),
            tuple(dataset.get("steering_people", ())),
            dataset.get("seen_before"),
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(
            f"--init {source}: its config.json does not say whom that run saw ({error!r}), so that "
            "nobody could be measured as unseen; give a run directory of train.py, or the file "
            f"{MODEL} alone"
        ) from error
