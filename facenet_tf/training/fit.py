"""A training run from its config to the best model: stages, resume, and what is written."""

from __future__ import annotations

import dataclasses
import logging
import math
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from facenet_tf import models
from facenet_tf.errors import InputError, Interrupted
from facenet_tf.input_pipeline.augment import Augmentation
from facenet_tf.input_pipeline.pipeline import (
    dense_labels,
    sampling_report,
    training_batches,
)
from facenet_tf.losses.triplet import collapsed_loss
from facenet_tf.records.dataset import FaceDataset
from facenet_tf.training import callbacks as happenings
from facenet_tf.training.config import Stage, TrainConfig
from facenet_tf.training.heads import build_head
from facenet_tf.training.optimizer import build_optimizer
from facenet_tf.training.run_directory import RunDirectory, git_revision, plain, versions
from facenet_tf.training.tensorboard import TensorBoardLog
from facenet_tf.training.trainer import EmbeddingTrainer, compile_checked, step_is_jitted
from facenet_tf.training.validation import Embedder, ValidationPeople

logger = logging.getLogger(__name__)


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
        Interrupted: stopped from outside; the finished epochs are kept.
    """
    config.check()
    dataset = FaceDataset.open(config.dataset)
    records = _training_records(dataset)
    keras.utils.set_random_seed(config.seed)
    keras.mixed_precision.set_global_policy(config.precision)
    run = RunDirectory(config.output)
    run.start(_resolved(config, dataset), overwrite=config.overwrite, resume=config.resume)

    start = time.perf_counter()
    progress = _Progress(config, dataset, records, run)
    try:
        for number in range(len(config.stages)):
            progress.train_stage(number)
    except KeyboardInterrupt:
        raise Interrupted(
            f"interrupted after epoch {progress.epoch}; go on with --resume"
        ) from None
    finally:
        keras.mixed_precision.set_global_policy("float32")
    best = None if progress.people is None else progress.best
    seconds = time.perf_counter() - start
    run.record(finished={"epochs": progress.epoch, "best_val_auc": best, "seconds": round(seconds)})
    return TrainingResult(run, best, progress.epoch, seconds)


def build_model(config: TrainConfig, dataset: FaceDataset) -> keras.Model:
    """The embedding model with fresh weights, for the dataset's crops.

    Raises:
        InputError: unknown architecture or option of it.
    """
    try:
        return models.build(
            config.model,
            preprocessing=dataset.preprocessing,
            embedding_size=config.embedding_size,
            **config.model_options,
        )
    except (TypeError, ValueError) as error:
        options = "".join(f" --{name} {value}" for name, value in config.model_options.items())
        raise InputError(f"--model {config.model}{options}: {error}") from error


class _Progress:
    """A run in its course: the model, the epochs behind it, the best validation figure."""

    def __init__(
        self, config: TrainConfig, dataset: FaceDataset, records: np.ndarray, run: RunDirectory
    ) -> None:
        self.config, self.dataset, self.records, self.run = config, dataset, records, run
        self.model = build_model(config, dataset)
        self.classes = dense_labels(dataset, records).class_count
        self.people = ValidationPeople.of(dataset)
        self.embedder = Embedder(self.model)
        self.epoch, self.best, self.since_best = 0, -math.inf, 0

    def train_stage(self, number: int) -> None:
        """Train one stage, or the rest of it, or nothing where it was finished before."""
        stage = self._fitted(self.config.stages[number])
        first = sum(earlier.epochs for earlier in self.config.stages[:number])
        trainer = self._trainer(stage, seed=self.config.seed + number)
        self.run.record(jit={"asked": self.config.jit, "train_step": step_is_jitted(trainer)})
        manager, state = self._checkpoints(trainer, number)
        if self.config.resume and manager.latest_checkpoint:
            self._restore(manager, state)
        if self.epoch >= first + stage.epochs:
            return
        logger.info(
            "stage %d: %s, epochs %d to %d, %d identities x %d images, XLA %s (step %s)",
            number + 1, stage.objective, self.epoch + 1, first + stage.epochs,
            stage.identities_per_batch, stage.images_per_identity, self.config.jit,
            "jitted" if step_is_jitted(trainer) else "not jitted",
        )  # fmt: skip
        sampling = sampling_report(
            self.dataset,
            self.records,
            stage.identities_per_batch,
            stage.images_per_identity,
            stage.include_singletons,
        )
        logger.info("sampling: %s", sampling)
        self.run.record(**{f"sampling_stage{number + 1}": sampling})
        happenings.keep_history_until(self.run.history, self.epoch)
        validation = happenings.Validation(
            self._measure if self.people else None, self.run, self.best, self.since_best
        )
        steps = self.config.steps_per_epoch
        trainer.fit(
            self._batches(
                stage,
                number,
                (self.epoch - first) * steps,
                stage.epochs * steps,
                self.config.augmentation,
            ),
            initial_epoch=self.epoch,
            epochs=first + stage.epochs,
            steps_per_epoch=steps,
            shuffle=False,  # the pipeline's order is the sampler's
            verbose=0,
            callbacks=self._callbacks(stage, number, validation, manager, state),
        )
        self.epoch = int(state["epoch"].numpy())
        self.best, self.since_best = validation.best, validation.epochs_since_best

    def _fitted(self, stage: Stage) -> Stage:
        """The stage with no more people in a batch than there are: small folders train too."""
        counts = np.unique(self.dataset.labels[self.records], return_counts=True)[1]
        people = int((counts >= (1 if stage.include_singletons else 2)).sum())
        if people >= stage.identities_per_batch:
            return stage
        logger.warning(
            "batches of %d people instead of %d: there are no more to train on",
            people,
            stage.identities_per_batch,
        )
        return dataclasses.replace(stage, identities_per_batch=people)

    def _measure(self) -> dict[str, float]:
        assert self.people is not None
        return self.people.measure(self.embedder)

    def _trainer(self, stage: Stage, seed: int) -> EmbeddingTrainer:
        head = build_head(stage, self.classes, self.config.embedding_size, seed)
        trainer = EmbeddingTrainer(self.model, head, self.config.jit, self.config.clip_norm)
        optimizer = build_optimizer(self.config, stage, trainer.weights_to_train)
        compile_checked(trainer, optimizer, self.config.jit)
        return trainer

    def _checkpoints(
        self, trainer: EmbeddingTrainer, number: int
    ) -> tuple[tf.train.CheckpointManager, dict[str, tf.Variable]]:
        state = {
            "epoch": tf.Variable(0, dtype=tf.int64),
            "best": tf.Variable(-math.inf, dtype=tf.float64),
            "since_best": tf.Variable(0, dtype=tf.int64),
        }
        checkpoint = tf.train.Checkpoint(
            model=trainer.embedding_model, head=trainer.head, optimizer=trainer.optimizer, **state
        )
        directory = str(self.run.checkpoints / f"stage{number + 1}")
        return tf.train.CheckpointManager(checkpoint, directory, max_to_keep=1), state

    def _restore(self, manager: tf.train.CheckpointManager, state: dict[str, tf.Variable]) -> None:
        status = manager.checkpoint.restore(manager.latest_checkpoint)
        status.assert_existing_objects_matched()
        self.epoch = int(state["epoch"].numpy())
        self.best = float(state["best"].numpy())
        self.since_best = int(state["since_best"].numpy())
        logger.info("resumed after epoch %d", self.epoch)

    def _batches(
        self, stage: Stage, number: int, start: int, stop: int, augmentation: Augmentation
    ) -> tf.data.Dataset:
        return training_batches(
            self.dataset,
            self.records,
            identities_per_batch=stage.identities_per_batch,
            images_per_identity=stage.images_per_identity,
            seed=self.config.seed + number,
            start_step=start,
            total_steps=stop,
            augmentation=augmentation,
            include_singletons=stage.include_singletons,
        )

    def _callbacks(
        self,
        stage: Stage,
        number: int,
        validation: happenings.Validation,
        manager: tf.train.CheckpointManager,
        state: dict[str, tf.Variable],
    ) -> list[keras.callbacks.Callback]:
        collapsed = None
        if stage.objective == "batch_hard":
            collapsed = collapsed_loss("soft" if stage.soft_margin else stage.margin)
        total = sum(each.epochs for each in self.config.stages)
        is_last = number == len(self.config.stages) - 1
        patience = self.config.early_stop_epochs if is_last else 0
        return [
            happenings.Throughput(stage.identities_per_batch * stage.images_per_identity),
            happenings.ProgressBar(self.config.steps_per_epoch),
            happenings.HealthGuard(collapsed),
            validation,
            TensorBoardLog(
                self.run.logs, self.embedder, partial(self._last_batch, stage, number), self.people
            ),
            happenings.History(self.run.history, stage.objective, total),
            happenings.Checkpoint(manager, state, validation),
            *([happenings.EarlyStop(validation, patience)] if patience else []),
        ]

    def _last_batch(self, stage: Stage, number: int, epoch: int) -> dict[str, np.ndarray]:
        """The batch of an epoch's last step, without augmentation."""
        first = sum(earlier.epochs for earlier in self.config.stages[:number])
        stop = (epoch + 1 - first) * self.config.steps_per_epoch
        batches = self._batches(stage, number, stop - 1, stop, Augmentation(enabled=False))
        return next(iter(batches.as_numpy_iterator()))


def _training_records(dataset: FaceDataset) -> np.ndarray:
    records = dataset.split("train")
    if not len(records):
        raise InputError(f"{dataset.directory}: no training people; build it with some")
    return records


def _resolved(config: TrainConfig, dataset: FaceDataset) -> dict[str, Any]:
    """What config.json says: everything a reader needs to know or to repeat the run."""
    described = plain(config)
    for how_started in ("overwrite", "resume"):
        described.pop(how_started)
    return {
        "config": described,
        "dataset": {
            "name": dataset.manifest["name"],
            "records": len(dataset.labels),
            "seen_people": _seen_people(dataset),
        },
        "fingerprint": dataset.fingerprint,
        "git_revision": git_revision(),
        "versions": versions(),
    }


def _seen_people(dataset: FaceDataset) -> list[str]:
    """Names of the people that train or steer the training: no test may hold them."""
    seen = np.concatenate([dataset.split("train"), dataset.split("validation")])
    return [dataset.class_names[label] for label in np.unique(dataset.labels[seen])]
