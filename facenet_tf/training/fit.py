"""A training run from its config to the best model: stages, resume, and what is written."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from facenet_tf import models
from facenet_tf.errors import InputError, Interrupted
from facenet_tf.input_pipeline.augment import Augmentation
from facenet_tf.input_pipeline.pipeline import told_by_the_pipeline, training_batches
from facenet_tf.provenance import git_revision, versions
from facenet_tf.records.dataset import FaceDataset
from facenet_tf.training import callbacks as happenings
from facenet_tf.training.config import TrainConfig
from facenet_tf.training.heads import LossHead, build_head, check_head
from facenet_tf.training.identity_table import IdentityTable
from facenet_tf.training.optimizer import build_optimizer
from facenet_tf.training.plan import StagePlan, plan_stages, training_records
from facenet_tf.training.profiler import ProfilerTrace
from facenet_tf.training.run_directory import RunDirectory, plain
from facenet_tf.training.tensorboard import TensorBoardLog
from facenet_tf.training.trainer import EmbeddingTrainer, compile_checked, jit_state
from facenet_tf.training.validation import Embedder, ValidationPeople

logger = logging.getLogger(__name__)

# Of an epoch, where the hardest triplets are looked for.
_BATCHES_SHOWN = 4


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
    config = config.with_loss()
    for prefix, stage in config.stages.items():
        check_head(stage, prefix)
    dataset = FaceDataset.open(config.dataset)
    config = config.with_steps(len(training_records(dataset)))
    keras.utils.set_random_seed(config.seed)
    keras.mixed_precision.set_global_policy(config.precision)
    run = RunDirectory(config.run_directory)
    try:
        # All that can be refused is refused before an earlier run is touched.
        progress = _Progress(config, dataset, run)
        run.start(_resolved(config, dataset), overwrite=config.overwrite, resume=config.resume)
        return progress.train()
    finally:
        keras.mixed_precision.set_global_policy("float32")


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


class _RunState(tf.Module):
    """Host-side numbers that are part of every checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.epoch = tf.Variable(0, dtype=tf.int64)
        self.best = tf.Variable(-math.inf, dtype=tf.float64)
        self.since_best = tf.Variable(0, dtype=tf.int64)
        self.stopped = tf.Variable(False)
        self.seconds = tf.Variable(0.0, dtype=tf.float64)


class _Progress:
    """A run in its course: the model, the stages, and the state that a checkpoint holds."""

    def __init__(self, config: TrainConfig, dataset: FaceDataset, run: RunDirectory) -> None:
        self.config, self.dataset, self.run = config, dataset, run
        self.plans = plan_stages(config, dataset, training_records(dataset))
        self.people = ValidationPeople.of(dataset)
        if config.early_stop_epochs and self.people is None:
            raise InputError(f"--early-stop-epochs: {dataset.directory} has no validation people")
        self.model = build_model(config, dataset)
        self.embedder = Embedder(self.model)
        self.state = _RunState()

    @property
    def epoch(self) -> int:
        """Epochs that are behind."""
        return int(self.state.epoch.numpy())

    def train(self) -> TrainingResult:
        """Train all stages, or what is left of them."""
        try:
            for plan in self.plans:
                self._train_stage(plan)
        except KeyboardInterrupt:
            raise Interrupted(
                f"interrupted after epoch {self.epoch}; go on with --resume"
            ) from None
        except tf.errors.OpError as error:
            raise InputError(told_by_the_pipeline(error)) from error
        best = None if self.people is None else float(self.state.best.numpy())
        seconds = float(self.state.seconds.numpy())
        finished = {"epochs": self.epoch, "best_val_auc": best, "seconds": round(seconds)}
        self.run.record(finished=finished)
        return TrainingResult(self.run, best, self.epoch, seconds)

    def _train_stage(self, plan: StagePlan) -> None:
        trainer = self._trainer(plan)
        manager = self._checkpoints(trainer, plan)
        if self.config.resume and manager.latest_checkpoint:
            status = manager.checkpoint.restore(manager.latest_checkpoint)
            status.assert_existing_objects_matched()
            logger.info("resumed after epoch %d", self.epoch)
        else:
            self.state.since_best.assign(0)  # patience is the stage's own
        if self.epoch >= plan.end or bool(self.state.stopped.numpy()):
            return
        self._announce(plan, trainer)
        happenings.keep_history_until(self.run.history, self.epoch)
        steps = self.config.steps_per_epoch
        trainer.fit(
            self._batches(
                plan,
                (self.epoch - plan.first) * steps,
                plan.stage.epochs * steps,
                self.config.augmentation,
            ),
            initial_epoch=self.epoch,
            epochs=plan.end,
            steps_per_epoch=steps,
            shuffle=False,  # the pipeline's order is the sampler's
            verbose=0,
            callbacks=self._callbacks(plan, manager, trainer.head),
        )

    def _announce(self, plan: StagePlan, trainer: EmbeddingTrainer) -> None:
        jit = {"asked": self.config.jit, **jit_state(trainer)}
        learned = {f"losses_stage{plan.number}": [term.describe for term in trainer.head.terms]}
        sampling = {f"sampling_stage{plan.number}": dict(plan.sampling)}
        self.run.record(jit=jit, **sampling, **learned)
        logger.info(
            "stage %d: %s, epochs %d to %d, %d identities x %d images, XLA: %s",
            plan.number,
            plan.stage.title,
            self.epoch + 1,
            plan.end,
            plan.stage.identities_per_batch,
            plan.stage.images_per_identity,
            jit,
        )
        logger.info("sampling: %s", dict(plan.sampling))

    def _measure(self) -> dict[str, float]:
        assert self.people is not None
        return self.people.measure(self.embedder)

    def _trainer(self, plan: StagePlan) -> EmbeddingTrainer:
        head = build_head(plan.stage, plan.classes, self.config.embedding_size, plan.seed)
        trainer = EmbeddingTrainer(self.model, head, self.config.jit, self.config.clip_norm)
        optimizer = build_optimizer(self.config, plan.stage, trainer.weights_to_train)
        compile_checked(trainer, optimizer, self.config.jit)
        return trainer

    def _checkpoints(
        self, trainer: EmbeddingTrainer, plan: StagePlan
    ) -> tf.train.CheckpointManager:
        checkpoint = tf.train.Checkpoint(
            model=trainer.embedding_model,
            head=trainer.head,
            optimizer=trainer.optimizer,
            state=self.state,
        )
        directory = str(self.run.checkpoints / f"stage{plan.number}")
        return tf.train.CheckpointManager(checkpoint, directory, max_to_keep=1)

    def _batches(
        self, plan: StagePlan, start: int, stop: int, augmentation: Augmentation
    ) -> tf.data.Dataset:
        return training_batches(
            self.dataset,
            plan.records,
            identities_per_batch=plan.stage.identities_per_batch,
            images_per_identity=plan.stage.images_per_identity,
            seed=plan.seed,
            start_step=start,
            total_steps=stop,
            augmentation=augmentation,
            include_singletons=plan.stage.include_singletons,
        )

    def _some_batches(self, plan: StagePlan, epoch: int) -> list[dict[str, np.ndarray]]:
        """A few of an epoch's batches, spread over its steps, without augmentation."""
        steps = self.config.steps_per_epoch
        first = (epoch - plan.first) * steps
        chosen = np.unique(np.linspace(first, first + steps - 1, _BATCHES_SHOWN).astype(int))
        plainly = Augmentation(enabled=False)
        return [
            next(iter(self._batches(plan, step, step + 1, plainly).as_numpy_iterator()))
            for step in chosen.tolist()
        ]

    def _callbacks(
        self, plan: StagePlan, manager: tf.train.CheckpointManager, head: LossHead
    ) -> list[keras.callbacks.Callback]:
        stage, state = plan.stage, self.state
        collapsed = head.collapsed_loss(stage.identities_per_batch, stage.images_per_identity)
        patience = self.config.early_stop_epochs if plan is self.plans[-1] else 0
        validation = happenings.Validation(
            self._measure if self.people else None,
            self.run,
            float(state.best.numpy()),
            int(state.since_best.numpy()),
        )
        return [
            *([ProfilerTrace(self.run.logs, self.config.profile)] if self.config.profile else []),
            happenings.Throughput(stage.identities_per_batch * stage.images_per_identity),
            happenings.ProgressBar(self.config.steps_per_epoch),
            happenings.HealthGuard(collapsed),
            validation,
            TensorBoardLog(
                self.run.logs, self.embedder, partial(self._some_batches, plan), self.people
            ),
            *([self._identity_table(validation)] if self.people else []),
            happenings.History(self.run.history, stage.title, self.plans[-1].end),
            *([happenings.EarlyStop(validation, patience)] if patience else []),
            happenings.Checkpoint(manager, state, validation),
        ]

    def _identity_table(self, validation: happenings.Validation) -> IdentityTable:
        assert self.people is not None
        path = self.run.identity_errors
        return IdentityTable(path, self.people, lambda: validation.epochs_since_best == 0)


def _resolved(config: TrainConfig, dataset: FaceDataset) -> dict[str, Any]:
    """What config.json says: everything a reader needs to know or to repeat the run."""
    described = plain(config)
    for of_one_sitting in ("overwrite", "resume", "profile"):
        described.pop(of_one_sitting)
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
