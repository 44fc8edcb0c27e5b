"""A run in its course: its stages one after the other, and where it goes back to and on from."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import math
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from facenet_tf.errors import InputError, Interrupted
from facenet_tf.input_pipeline.pipeline import told_by_the_pipeline
from facenet_tf.records import durable
from facenet_tf.records.dataset import FaceDataset
from facenet_tf.training import callbacks as happenings
from facenet_tf.training import determinism, distribute
from facenet_tf.training.averaging import average_statistics_as_long
from facenet_tf.training.callbacks import TrainingStopped
from facenet_tf.training.config import TrainConfig
from facenet_tf.training.distribute import Distribution
from facenet_tf.training.fine_tuning import layer_rates
from facenet_tf.training.heads import LossHead
from facenet_tf.training.identity_table import IdentityTable
from facenet_tf.training.initial import Initial
from facenet_tf.training.keeper import Keeper, RunState, not_finite_in
from facenet_tf.training.loop import EpochState, TrainingLoop
from facenet_tf.training.not_finite import NotFinite, write_batches
from facenet_tf.training.plan import StagePlan
from facenet_tf.training.profiler import ProfilerTrace
from facenet_tf.training.run_directory import RunDirectory
from facenet_tf.training.sampling_state import SamplingState
from facenet_tf.training.schedules import Plateau
from facenet_tf.training.sittings import record_sitting
from facenet_tf.training.stage_batches import StageBatches
from facenet_tf.training.stage_trainer import build_trainer, check_stage
from facenet_tf.training.start import build_model, prepare_body
from facenet_tf.training.stop_request import StopRequest, signals_noted
from facenet_tf.training.tensorboard import TensorBoardLog
from facenet_tf.training.trainer import EmbeddingTrainer, jit_state
from facenet_tf.training.validation import Embedder, ValidationPeople

logger = logging.getLogger(__name__)

_ANOTHER = "another worker is asked to stop"


class Progress:
    """The model, the stages, and what a checkpoint holds besides.

    Args:
        config: settled: with the loss of its main stage and its steps per epoch.
        plans: of its stages.
        dataset: what is trained on.
        initial: weights that the body begins with; None: fresh ones.
        run: where this process writes.
        distribution: of the run.

    Attributes:
        state: how far the run has come.

    Raises:
        InputError: anything that makes the run impossible; nothing has been written.
    """

    def __init__(
        self,
        config: TrainConfig,
        plans: Sequence[StagePlan],
        dataset: FaceDataset,
        initial: Initial | None,
        run: RunDirectory,
        distribution: Distribution,
    ) -> None:
        self.config, self.dataset, self.run, self.distribution = config, dataset, run, distribution
        self.plans = plans
        for plan in self.plans:
            distribution.check(plan.stage)
        self.people = ValidationPeople.of(dataset, config.degrade, config.validation_pictures)
        if config.early_stop_epochs and self.people is None:
            raise InputError(f"--early-stop-epochs: {dataset.directory} has no validation people")
        self.model = build_model(config, dataset.preprocessing)
        determinism.check_model(config, self.model)
        distribute.synchronize(self.model)
        prepare_body(self.model, config, initial)
        average_statistics_as_long(self.model, config.descent.ema)
        self.rates = layer_rates(self.model, config.fine_tuning)
        for plan in self.plans:
            check_stage(config, plan.stage, self.model)
            if plan.stage.schedule == "plateau" and self.people is None:
                raise InputError(f"schedule plateau: {dataset.directory} has no validation people")
        self.embedder = Embedder(self.model)
        # What the others write is thrown away, and where they do may be small.
        one = dataclasses.replace(config.checkpoint, keep=1)
        self.keeper = Keeper(run, config.checkpoint if distribution.is_chief else one)
        self.state = RunState()

    def train(self) -> None:
        """Train all stages, or what is left of them.

        Raises:
            InputError: a record is damaged, or all checkpoints are.
            TrainingStopped: a figure was not finite, or the embeddings collapsed.
            Interrupted: it can be gone on with.
        """
        try:
            if self.config.resume:
                self.state = self.keeper.newest()
                # One that no checkpoint has followed yet is in the record alone.
                self.state.rollbacks = self.run.recorded("rollbacks") or []
                self._check_whole_executions()
                self.distribution.check_same(self.state.step)
                self._warn_of_others_validated()
                logger.info("resumed after %s", self._position(self.state.step))
            if self._next_stage():
                record_sitting(self.run, self.state.step, self.config)
            # One request for all stages: what asks between two of them, or while the run goes back,
            # is heeded by the next.
            with signals_noted() as request:
                while plan := self._next_stage():
                    try:
                        self._train_stage(plan, request)
                    except NotFinite as found:
                        self._go_back(plan, found)
        except KeyboardInterrupt:
            raise self._interrupted("interrupted") from None
        except OSError as error:
            if error.errno not in durable.FULL:
                raise
            raise self._interrupted(f"there is no room left ({error.strerror})") from error
        except tf.errors.OpError as error:
            meant = self._meant_by(error)
            if meant is None:
                raise
            raise meant from error

    def _warn_of_others_validated(self) -> None:
        before, now = self.run.recorded("validation"), self.people and self.people.counts
        if before and before != now:
            logger.warning(
                "the run in %s was validated on other pictures before (%s there, %s now): its "
                "figures so far, the best one too, are not comparable to those that follow",
                self.run.path,
                before,
                now,
            )

    def _meant_by(self, error: tf.errors.OpError) -> Exception | None:
        """What an error of TensorFlow means to a user; None where nothing is known."""
        if self.distribution.has_lost_a_worker(error):
            return self._interrupted(f"another worker was lost ({type(error).__name__})")
        if "No space left on device" in error.message:
            return self._interrupted("there is no room left")
        if isinstance(error, tf.errors.ResourceExhaustedError):
            return InputError(
                "there is not enough memory for the batch: give --chunk 64, or fewer "
                "--STAGE.identities-per-batch"
            )
        told = told_by_the_pipeline(error)
        return InputError(told) if told else None

    def _next_stage(self) -> StagePlan | None:
        """The one that the next step, or end of an epoch, belongs to; None if none is to follow."""
        left = (plan for plan in self.plans if self._epochs_behind() < plan.end)
        return None if self.state.stopped else next(left, None)

    def _epochs_behind(self) -> int:
        """Epochs whose end is behind, too."""
        return (self.state.step - self.state.end_is_due) // self.config.steps_per_epoch

    def _train_stage(self, plan: StagePlan, request: StopRequest) -> None:
        """Train what is left of a stage, and write checkpoints.

        Raises:
            NotFinite: a figure or a weight is.
            Interrupted: a signal asked for it, maybe before the first step; a checkpoint is
                written.
        """
        state, steps_per_epoch = self.state, self.config.steps_per_epoch
        first = plan.first * steps_per_epoch
        plateau = Plateau.of(plan.stage)
        trainer = build_trainer(self.config, plan, self.model, self.rates, self._rate(), plateau)
        sampling = SamplingState(plan, trainer.head, self.distribution)
        self.batches = StageBatches(self.config, self.dataset, plan, sampling)
        # What changes at the ends of this stage's epochs and belongs into its checkpoints.
        states: list[EpochState] = [sampling, *([plateau] if plateau else [])]
        self._take_up(plan, trainer, states)
        self._announce(plan, trainer)

        def batches_from(step: int) -> Iterable[Any]:
            return self.distribution.batches(partial(self.batches.from_step, step))

        loop = TrainingLoop(
            trainer,
            batches_from,
            steps_per_epoch,
            epochs=plan.stage.epochs,
            first_epoch=plan.first,
            callbacks=self._callbacks(plan, trainer.head),
            states=states,
            execute=self.distribution.train_function(trainer),
        )
        self._stop_if_asked(request)
        with contextlib.closing(loop.steps(state.step - first, state.end_is_due)) as done:
            for step, end_is_due in done:
                state.step, state.end_is_due = first + step, end_is_due
                state.stopped = bool(trainer.stop_training)
                stop, due = self.distribution.agree(request.by, self.keeper.due(state.step))
                if stop and request.by:
                    logger.info("%s: writing a checkpoint; once more ends at once", request.by)
                epoch_ended = step % steps_per_epoch == 0 and not end_is_due
                # That of an epoch's end follows in any case; only a signal may not wait for it.
                if epoch_ended or stop or (due and not end_is_due):
                    if not epoch_ended:  # at its end it was done before
                        self._check_weights(trainer)
                    self.keeper.save(state, plan.number, trainer, states)
                if stop:
                    raise self._interrupted(request.by or _ANOTHER)
        state.stopped = bool(trainer.stop_training)

    def _stop_if_asked(self, request: StopRequest) -> None:
        """Raise `Interrupted` if a worker was asked to stop since the last checkpoint."""
        if any(self.distribution.agree(request.by)):
            raise self._interrupted(request.by or _ANOTHER)

    def _take_up(
        self, plan: StagePlan, trainer: EmbeddingTrainer, states: Sequence[EpochState]
    ) -> None:
        """Go on from the last checkpoint. The beginning of a run is one too, and so is that of a
        stage: a run that is never interrupted takes the same way as one that is."""
        if self.keeper.last is None:
            self.keeper.save(self.state, plan.number, trainer, states)
        else:
            self.keeper.restore(plan.number, trainer, states)
        if self.state.step == plan.first * self.config.steps_per_epoch:
            self.state.stage_best, self.state.since_stage_best = None, 0

    def _check_weights(self, trainer: EmbeddingTrainer) -> None:
        """No checkpoint is written that cannot be gone back to."""
        if name := not_finite_in(trainer):
            epoch, step = divmod(self.state.step - 1, self.config.steps_per_epoch)
            raise NotFinite(epoch, step, step, name)

    def _go_back(self, plan: StagePlan, found: NotFinite) -> None:
        """Write down what did it, and be where the last checkpoint was, at a lower rate.

        Raises:
            TrainingStopped: that is not asked for, or has been done as often as it was.
        """
        told = self._write_batches(plan, found)
        recovery, rollbacks = self.config.recovery, self.state.rollbacks
        if len(rollbacks) >= recovery.rollbacks:
            tried = f", after {len(rollbacks)} rollbacks" if rollbacks else ""
            half = self.config.precision == "mixed_float16"
            raise TrainingStopped(
                f"{found.what}{tried}; its pictures are named in {told}: try a lower learning rate "
                "or a longer learning-rate warm-up of the stage (--warm-up.… or --main.…), "
                f"--clip-norm 1, {'another --precision, ' if half else ''}or "
                f"--recovery.rollbacks {len(rollbacks) + 1}"
            )
        self.state = self.keeper.before()
        self.distribution.check_same(self.state.step)
        at = found.epoch * self.config.steps_per_epoch + found.first
        rollback = {"at": at, "to": self.state.step, "rate": recovery.rate}
        self.state.rollbacks = [*rollbacks, rollback]
        self.run.record(rollbacks=self.state.rollbacks)
        logger.warning(
            "%s; its pictures are named in %s: back to %s, learning rate times %g",
            found.what,
            told,
            self._position(self.state.step),
            self._rate(),
        )

    def _write_batches(self, plan: StagePlan, found: NotFinite) -> Path:
        begin = (found.epoch - plan.first) * self.config.steps_per_epoch
        steps = range(begin + found.first, begin + found.last + 1)
        path = self.run.report_of(plan.first * self.config.steps_per_epoch + steps.start)
        batches = {step: self.batches.plain(step) for step in steps}
        facts = {"stage": plan.number, "loss": plan.stage.title, "seed": plan.seed}
        write_batches(path, found, self.dataset, batches, **facts)
        return path

    def _rate(self) -> float:
        """What the learning rates of the stages are multiplied by."""
        return math.prod(rollback["rate"] for rollback in self.state.rollbacks)

    def _position(self, step: int) -> str:
        epochs = self.plans[-1].end
        epoch, within = divmod(step, self.config.steps_per_epoch)
        of = f"step {within} of epoch {epoch + 1}" if within else f"epoch {epoch}"
        return f"{of} of {epochs} (step {step})"

    def _interrupted(self, by: str) -> Interrupted:
        last = self.keeper.last
        position = self._position(last.step if last else 0)
        return Interrupted(f"{by}: stopped after {position}; go on with --resume")

    def _announce(self, plan: StagePlan, trainer: EmbeddingTrainer) -> None:
        jit = {"asked": self.config.jit, **jit_state(trainer)}
        learned = {f"losses_stage{plan.number}": [term.describe for term in trainer.head.terms]}
        sampling = {f"sampling_stage{plan.number}": plan.describe()}
        validation = self.people.counts if self.people else None
        distribution = self.distribution.describe()
        self.run.record(
            jit=jit, distribution=distribution, validation=validation, **sampling, **learned
        )
        logger.info(
            "stage %d: %s, epochs %d to %d, %d identities x %d images, XLA: %s",
            plan.number,
            plan.stage.title,
            self._epochs_behind() + 1,
            plan.end,
            plan.stage.identities_per_batch,
            plan.stage.images_per_identity,
            jit,
        )
        logger.info("sampling: %s", dict(plan.sampling))

    def _check_whole_executions(self) -> None:
        """Raise `InputError` if no execution begins at the step that is gone on from."""
        steps = self.config.steps_per_execution
        if self.state.step % steps:
            raise InputError(
                f"--steps-per-execution {steps}: the run goes on from step {self.state.step}, "
                "which is no multiple of it; give a divisor of it until the next epoch"
            )

    def _so_far(self, epoch: int) -> dict[str, float]:
        """What the run has taken by the end of an epoch, from 0 on; the seconds are of training,
        over all sittings."""
        epochs, steps = epoch + 1, self.config.steps_per_epoch
        return {
            "step": epochs * steps,
            "pictures": sum(plan.drawn(epochs, steps) for plan in self.plans),
            "seconds": round(self.keeper.seconds(self.state), 1),
        }

    def _measure(self) -> dict[str, float]:
        assert self.people is not None
        figures = self.people.measure(self.embedder)
        agreed = self.distribution.of_chief(list(figures.values()))
        return dict(zip(figures, agreed.tolist(), strict=True))

    def _callbacks(self, plan: StagePlan, head: LossHead) -> list[keras.callbacks.Callback]:
        stage, state = plan.stage, self.state

        def collapsed(epoch: int) -> float | None:
            return head.collapsed_loss(*plan.shape(epoch - plan.first))

        behind = self._epochs_behind()
        patience = self.config.early_stop_epochs if plan is self.plans[-1] else 0
        return [
            *([ProfilerTrace(self.run.logs, self.config.profile)] if self.config.profile else []),
            happenings.Throughput(stage.identities_per_batch * stage.images_per_identity),
            happenings.ProgressBar(self.config.steps_per_epoch),
            happenings.HealthGuard(collapsed),
            happenings.WeightsGuard(),
            happenings.Validation(self._measure if self.people else None, self.run, state),
            TensorBoardLog(self.run.logs, self.embedder, self.batches.some_of, self.people, behind),
            *([IdentityTable(state, self.people)] if self.people else []),
            happenings.History(state, stage.title, self.plans[-1].end, self._so_far),
            *([happenings.EarlyStop(state, patience)] if patience else []),
        ]
