"""A training run from its config to the best model, and what is written of it besides."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from facenet_tf.errors import Interrupted
from facenet_tf.input_pipeline.degraded import check_degradations
from facenet_tf.provenance import git_revision, versions
from facenet_tf.records import durable
from facenet_tf.records.dataset import FaceDataset
from facenet_tf.training import determinism, distribute
from facenet_tf.training.config import TrainConfig
from facenet_tf.training.heads import check_head
from facenet_tf.training.initial import Initial, open_initial, resumed_initial
from facenet_tf.training.optimizer import optimizer_class
from facenet_tf.training.plan import StagePlan, plan_stages, training_records
from facenet_tf.training.progress import Progress
from facenet_tf.training.run_directory import RunDirectory, described
from facenet_tf.training.sittings import check_kernels, check_sitting
from facenet_tf.training.start import with_network


@dataclass(frozen=True)
class TrainingResult:
    """Where a run ended: its directory, the best validation figure (None without), the seconds."""

    run: RunDirectory
    best_auc: float | None
    epochs: int
    seconds: float


def train(config: TrainConfig) -> TrainingResult:
    """Train as the config says and leave a complete run directory.

    Raises:
        InputError: bad config, dataset or output directory.
        TrainingStopped: the loss became NaN or the embeddings collapsed.
        Interrupted: stopped from outside; the last checkpoint is kept.
    """
    config.check()
    config = config.with_loss()
    run = RunDirectory(config.run_directory)
    config = determinism.settled(config, run)
    determinism.set_up(config)
    distribution = distribute.start(config.distribute, config.jit)
    for prefix, stage in config.stages.items():
        check_head(stage, prefix)
    optimizer_class(config.optimizer)
    dataset = FaceDataset.open(config.dataset)
    check_degradations(config.degrade, dataset.preprocessing)
    initial = resumed_initial(config, run) or open_initial(config, dataset)
    config = with_network(config, initial)
    plans = plan_stages(config, dataset, training_records(config, dataset))
    config = _with_steps(config, plans[0], run)
    keras.utils.set_random_seed(config.seed)
    keras.mixed_precision.set_global_policy(config.precision)
    try:
        with distribution.place(run.path, config.resume) as place, distribution.strategy.scope():
            here = RunDirectory(place)
            progress = Progress(config, plans, dataset, initial, here, distribution)
            result = _trained(progress, _resolved(config, dataset, initial))
        return dataclasses.replace(result, run=run)
    except OSError as error:  # while what is gone on from is read and noted
        if config.resume and error.errno in durable.FULL:
            raise Interrupted(
                f"there is no room left ({error.strerror}): make some and go on with --resume"
            ) from error
        raise
    except tf.errors.OpError as error:  # while the network is built, which takes collectives
        if config.resume and distribution.has_lost_a_worker(error):
            lost = f"another worker was lost ({type(error).__name__})"
            raise Interrupted(f"{lost} before a step was taken: go on with --resume") from error
        raise
    finally:
        keras.mixed_precision.set_global_policy("float32")


def _with_steps(config: TrainConfig, first: StagePlan, run: RunDirectory) -> TrainConfig:
    """The config with the steps of an epoch settled; those of a run that is resumed are its own."""
    begun = config.resume and (run.recorded("config") or {}).get("steps_per_epoch")
    if config.steps_per_epoch or not begun:
        return config.with_steps(len(first.records), first.stage)
    config = dataclasses.replace(config, steps_per_epoch=begun)
    config.check()  # they may not divide by the steps of an execution
    return config


def _trained(progress: Progress, resolved: dict[str, Any]) -> TrainingResult:
    config, run = progress.config, progress.run
    # All that can be refused was refused before an earlier run is touched.
    if config.resume:
        check_sitting(run, config.deterministic)
        # Of several workers it is the chief's that the record has.
        if config.deterministic and progress.distribution.is_chief:
            check_kernels(run)
    with run.locked(config.resume):
        run.start(resolved, overwrite=config.overwrite, resume=config.resume)
        progress.train()
        state, epochs = progress.state, progress.state.step // config.steps_per_epoch
        finished = {"epochs": epochs, "best_val_auc": state.best, "seconds": round(state.seconds)}
        run.record(finished=finished)
    return TrainingResult(run, state.best, epochs, state.seconds)


def _resolved(config: TrainConfig, dataset: FaceDataset, initial: Initial | None) -> dict[str, Any]:
    """What config.json says: everything a reader needs to know or to repeat the run."""
    seen, steering = _seen_people(dataset, initial)
    return {
        "config": described(config),
        "dataset": {
            "name": dataset.manifest["name"],
            "records": len(dataset.labels),
            "seen_people": seen,
            "steering_people": steering,
            "seen_before": initial.seen_before if initial else None,
        },
        "init": {"source": initial.source, "sha256": initial.sha256} if initial else None,
        "fingerprint": dataset.fingerprint,
        "git_revision": git_revision(),
        "versions": versions(),
    }


def _seen_people(dataset: FaceDataset, initial: Initial | None) -> tuple[list[str], list[str]]:
    """Names of the people that train or steer the training, or did so for the run whose weights
    this one begins with: no test may hold them. And those of them who only ever steered."""
    seen = np.concatenate([dataset.split("train"), dataset.split("validation")])
    now, trained = (_names(dataset, records) for records in (seen, dataset.split("train")))
    before, steered = (initial.seen_people, initial.steering_people) if initial else ((), ())
    trained_on = {*trained, *before} - ({*steered} - {*trained})
    people = list(dict.fromkeys([*now, *before]))
    return people, [name for name in people if name not in trained_on]


def _names(dataset: FaceDataset, records: np.ndarray) -> list[str]:
    return [dataset.class_names[label] for label in np.unique(dataset.labels[records])]
