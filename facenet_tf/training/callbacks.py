"""What happens at the end of an epoch besides training: measure, keep, stop, write down."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf
from tqdm import tqdm

from facenet_tf.training.averaging import averaged_weights
from facenet_tf.training.keeper import RunState, not_finite_in
from facenet_tf.training.not_finite import NotFinite
from facenet_tf.training.run_directory import RunDirectory

logger = logging.getLogger(__name__)

Logs = dict[str, Any]

_QUIET = 300.0
"""Seconds after which a log that is no terminal hears how far an epoch is."""


class TrainingStopped(RuntimeError):
    """Training went wrong in a way that more steps do not mend."""


class Throughput(keras.callbacks.Callback):
    """Adds ``images_per_second`` and ``learning_rate`` to the epoch's logs.

    The first is of the steps that this process took; it is missing where it took none.

    Args:
        images_per_step: P·K.
    """

    def __init__(self, images_per_step: int) -> None:
        super().__init__()
        self.images_per_step = images_per_step

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._start, self._first, self._last = time.perf_counter(), -1, -1

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._first = batch if self._first < 0 else self._first

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._last = batch

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        assert logs is not None
        seconds = time.perf_counter() - self._start
        if self._first >= 0:
            steps = self._last + 1 - self._first
            logs["images_per_second"] = steps * self.images_per_step / seconds
        logs["learning_rate"] = float(tf.convert_to_tensor(self.model.optimizer.learning_rate))


class ProgressBar(keras.callbacks.Callback):
    """A bar per epoch with steps per second and time left on a terminal; elsewhere a line of the
    log now and then.

    Args:
        steps: of an epoch.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps
        self.bar: tqdm | None = None

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch, self.bar, self._told = epoch, None, time.monotonic()

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        if self.bar is None:  # an epoch may begin in its middle
            self.bar = tqdm(
                total=self.steps,
                initial=batch,
                desc=f"epoch {self.epoch + 1}",
                unit="step",
                leave=False,
                disable=None,  # in a file each look at it would be a line
            )

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        assert self.bar is not None
        self.bar.update(batch + 1 - self.bar.n)
        if self.bar.disable and time.monotonic() - self._told >= _QUIET:
            self._told = time.monotonic()
            logger.info("epoch %d: step %d of %d", self.epoch + 1, batch + 1, self.steps)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.on_train_end()

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.bar is not None:
            self.bar.close()


class HealthGuard(keras.callbacks.Callback):
    """Raises on NaN and on collapse.

    Args:
        collapsed_loss: epoch of the run → the constant at which its loss stands when all
            embeddings are equal, or None where it has none.
        watched: figures of a step that have to be finite.
    """

    def __init__(
        self,
        collapsed_loss: Callable[[int], float | None],
        watched: Sequence[str] = ("loss", "gradient_norm"),
    ) -> None:
        super().__init__()
        self.collapsed_loss, self.watched = collapsed_loss, watched

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._first = batch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        # They are means since the beginning of the epoch, which one such number spoils for good.
        assert logs is not None
        for name in self.watched:
            value = float(logs[name])
            if not math.isfinite(value):
                raise NotFinite(self._epoch, self._first, batch, name, value)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        assert logs is not None
        distance, rank = logs["mean_distance"], logs["effective_rank"]
        if rank == 0 and logs.get("skipped_steps"):
            return  # means of no step: the scale of float16 came down all the epoch
        if distance < 0.01 or (distance < 0.1 and self._is_constant(epoch, logs["loss"])):
            raise TrainingStopped(
                f"the embeddings collapsed: mean distance {distance:.4f}, effective rank "
                f"{rank:.2f}, loss {logs['loss']:.4f}; try a longer margin-softmax stage first "
                "(--warm-up.epochs), a lower --main.learning-rate or --main.margin soft"
            )

    def _is_constant(self, epoch: int, loss: float) -> bool:
        constant = self.collapsed_loss(epoch)
        return constant is not None and abs(loss - constant) < 1e-3


class WeightsGuard(keras.callbacks.Callback):
    """Raises where an epoch left a weight, or other state, that is not finite.

    That comes before the end of the epoch changes how batches are drawn: the pictures of that step
    can still be named.
    """

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if name := not_finite_in(self.model):
            last = self.params["steps"] - 1
            raise NotFinite(epoch, last, last, name)


class Validation(keras.callbacks.Callback):
    """Embeds the validation people, adds the figures to the logs and saves a better model.

    Where the optimiser keeps a moving average of the weights, that is the model.

    Args:
        measure: figures of the model as it is; their ``val_auc`` decides. None: no validation
            people, and every model is better than the one before.
        run: where the better model goes until a checkpoint holds it.
        state: has the best figure of the run and of the stage so far, and how many epochs ago each
            was.
    """

    def __init__(
        self, measure: Callable[[], dict[str, float]] | None, run: RunDirectory, state: RunState
    ) -> None:
        super().__init__()
        self.measure, self.run, self.state = measure, run, state

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        assert logs is not None
        try:
            with averaged_weights(self.model.optimizer, self.model.weights_to_train):
                self._validate(logs)
        except FloatingPointError as error:
            last = self.params["steps"] - 1
            raise NotFinite(epoch, last, last, str(error)) from error

    def _validate(self, logs: Logs) -> None:
        model, state = self.model.embedding_model, self.state
        if self.measure is None:
            self.run.save_candidate(model)
            return
        logs.update(self.measure())
        state.since_best += 1
        state.since_stage_best += 1
        if state.stage_best is None or logs["val_auc"] > state.stage_best:
            state.stage_best, state.since_stage_best = float(logs["val_auc"]), 0
        if state.best is None or logs["val_auc"] > state.best:
            state.best, state.since_best = float(logs["val_auc"]), 0
            self.run.save_candidate(model)
        logs["val_auc_best"] = state.best


class EarlyStop(keras.callbacks.Callback):
    """Ends the stage after `patience` epochs without a better validation than its own best: a stage
    that begins below the one before may still climb.

    Args:
        state: has the number of these epochs.
        patience: in epochs.
    """

    def __init__(self, state: RunState, patience: int) -> None:
        super().__init__()
        self.state, self.patience = state, patience

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.state.since_stage_best >= self.patience:
            logger.info("early stop: %d epochs without a better validation", self.patience)
            self.model.stop_training = True


class History(keras.callbacks.Callback):
    """One line per epoch in the run's history and in the log.

    Args:
        state: has the lines; the next checkpoint writes them to history.csv.
        stage: name of the stage's objective.
        epochs: of the whole run.
        so_far: what the run has taken at the end of an epoch, from 0 on: steps and the like.
    """

    def __init__(
        self,
        state: RunState,
        stage: str,
        epochs: int,
        so_far: Callable[[int], dict[str, float]],
    ) -> None:
        super().__init__()
        self.state, self.stage, self.epochs, self.so_far = state, stage, epochs, so_far

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        assert logs is not None
        line = {"epoch": str(epoch + 1), "stage": self.stage}
        line |= {name: f"{taken:.12g}" for name, taken in self.so_far(epoch).items()}
        line |= {name: f"{float(value):.6g}" for name, value in sorted(logs.items())}
        self.state.history.append(line)
        shown = ("loss", "mean_distance", "active_triplets", "val_auc", "images_per_second")
        figures = "  ".join(f"{name} {logs[name]:.4g}" for name in shown if name in logs)
        logger.info("epoch %d/%d %s  %s", epoch + 1, self.epochs, self.stage, figures)
