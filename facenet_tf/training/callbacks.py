"""What happens at the end of an epoch besides training: measure, keep, stop, write down."""

from __future__ import annotations

import csv
import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from tqdm import tqdm

from facenet_tf.training.run_directory import RunDirectory

logger = logging.getLogger(__name__)

Logs = dict[str, Any]


class TrainingStopped(RuntimeError):
    """Training went wrong in a way that more steps do not mend."""


class Throughput(keras.callbacks.Callback):
    """Adds ``images_per_second`` and ``learning_rate`` to the epoch's logs.

    Args:
        images_per_step: P·K.
    """

    def __init__(self, images_per_step: int) -> None:
        super().__init__()
        self.images_per_step = images_per_step

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._start, self._steps = time.perf_counter(), 0

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._steps += 1

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        assert logs is not None
        seconds = time.perf_counter() - self._start
        logs["images_per_second"] = self._steps * self.images_per_step / seconds
        logs["learning_rate"] = float(tf.convert_to_tensor(self.model.optimizer.learning_rate))


class ProgressBar(keras.callbacks.Callback):
    """A bar per epoch with images per second and time left.

    Args:
        steps: of an epoch.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self.bar = tqdm(total=self.steps, desc=f"epoch {epoch + 1}", unit="step", leave=False)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.bar.update()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.bar.close()


class HealthGuard(keras.callbacks.Callback):
    """Stops on NaN and on collapse with what was seen and what to try.

    Args:
        collapsed_loss: the constant at which the stage's loss stands when all embeddings are
            equal, or None where it has none.
    """

    def __init__(self, collapsed_loss: float | None) -> None:
        super().__init__()
        self.collapsed_loss = collapsed_loss

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            raise TrainingStopped(
                f"the loss became {loss} at step {batch + 1} of the epoch: try a lower "
                "learning rate or a longer learning-rate warm-up of the stage (--warm-up.… or "
                "--main.…), or --clip-norm 1"
            )

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        assert logs is not None
        distance, rank = logs["mean_distance"], logs["effective_rank"]
        if distance < 0.01 or (distance < 0.1 and self._is_constant(logs["loss"])):
            raise TrainingStopped(
                f"the embeddings collapsed: mean distance {distance:.4f}, effective rank "
                f"{rank:.2f}, loss {logs['loss']:.4f}; try a longer margin-softmax stage first "
                "(--warm-up.epochs), a lower --main.learning-rate or --main.soft-margin"
            )

    def _is_constant(self, loss: float) -> bool:
        return self.collapsed_loss is not None and abs(loss - self.collapsed_loss) < 1e-3


class Validation(keras.callbacks.Callback):
    """Embeds the validation people, adds the figures to the logs and keeps the best model.

    Args:
        measure: figures of the model as it is; their ``val_auc`` decides. None: no validation
            people, and the last model is kept.
        run: where the best model goes.
        best: the best ``val_auc`` so far.
        epochs_since_best: how many epochs ago that was.
    """

    def __init__(
        self,
        measure: Callable[[], dict[str, float]] | None,
        run: RunDirectory,
        best: float,
        epochs_since_best: int,
    ) -> None:
        super().__init__()
        self.measure, self.run, self.best = measure, run, best
        self.epochs_since_best = epochs_since_best

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        assert logs is not None
        model = self.model.embedding_model
        if self.measure is None:
            self.run.save_model(model)
            return
        logs.update(self.measure())
        self.epochs_since_best += 1
        if logs["val_auc"] > self.best:
            self.best, self.epochs_since_best = logs["val_auc"], 0
            self.run.save_model(model)
        logs["val_auc_best"] = self.best


class EarlyStop(keras.callbacks.Callback):
    """Ends the stage after `patience` epochs without a better validation.

    Args:
        validation: the callback that counts them.
        patience: in epochs.
    """

    def __init__(self, validation: Validation, patience: int) -> None:
        super().__init__()
        self.validation, self.patience = validation, patience

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.validation.epochs_since_best >= self.patience:
            logger.info("early stop: %d epochs without a better validation", self.patience)
            self.model.stop_training = True


class History(keras.callbacks.Callback):
    """One line per epoch in history.csv and in the log.

    Args:
        path: of history.csv; a resumed run appends.
        stage: name of the stage's objective.
        epochs: of the whole run.
    """

    def __init__(self, path: Path, stage: str, epochs: int) -> None:
        super().__init__()
        self.path, self.stage, self.epochs = path, stage, epochs

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        assert logs is not None
        row = {"epoch": epoch + 1, "stage": self.stage}
        row |= {name: f"{float(value):.6g}" for name, value in sorted(logs.items())}
        known = _header(self.path)
        names = known or list(row)
        with self.path.open("a", newline="") as file:
            writer = csv.DictWriter(file, names, restval="", extrasaction="ignore")
            if not known:
                writer.writeheader()
            writer.writerow(row)
        shown = ("loss", "mean_distance", "active_triplets", "val_auc", "images_per_second")
        figures = "  ".join(f"{name} {logs[name]:.4g}" for name in shown if name in logs)
        logger.info("epoch %d/%d %s  %s", epoch + 1, self.epochs, self.stage, figures)


class Checkpoint(keras.callbacks.Callback):
    """Saves everything that training goes on from, after each epoch.

    Args:
        manager: of the stage's checkpoints.
        state: has the variables ``epoch``, ``best``, ``since_best``, ``stopped`` and ``seconds``,
            which are part of them.
        validation: whose best figure is one of these.
    """

    def __init__(
        self, manager: tf.train.CheckpointManager, state: Any, validation: Validation
    ) -> None:
        super().__init__()
        self.manager, self.state, self.validation = manager, state, validation

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.state.epoch.assign(epoch + 1)
        self.state.best.assign(self.validation.best)
        self.state.since_best.assign(self.validation.epochs_since_best)
        self.state.stopped.assign(bool(self.model.stop_training))
        self.state.seconds.assign_add(time.perf_counter() - self._start)
        self.manager.save(checkpoint_number=epoch + 1)


def keep_history_until(path: Path, epoch: int) -> None:
    """Drop the lines of epochs after `epoch`: the run is about to repeat them."""
    if not path.is_file():
        return
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        return
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(row for row in rows if int(row["epoch"]) <= epoch)
    partial.replace(path)


def _header(path: Path) -> list[str]:
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return next(csv.reader(file), [])
