"""The training loop: epochs and steps by number, around the step function that `fit` calls too.

`fit` cannot begin in the middle of an epoch, cannot be left in one, and fails on several workers.
What it does besides calling the step function is little, and done here: the callbacks, the metrics
that begin anew with each epoch, the batches.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import keras
import numpy as np
import tensorflow as tf

# Takes as many batches from an iterator as the trainer has steps in an execution.
Execute = Callable[[Iterator[Any]], Mapping[str, Any]]


class EpochState(Protocol):
    """What changes at the end of an epoch and at no other time, and is no variable.

    Whom the last epoch confused, how long the rate has stood on a plateau: the batches and the rate
    of an epoch may depend on it, besides on the step. It is part of every checkpoint.
    """

    @property
    def name(self) -> str:
        """By which a checkpoint finds it again; a word that no other state has."""

    def at_epoch_end(self, epoch: int, logs: Mapping[str, float]) -> bool:
        """Take in an epoch of the run, from 0 on, and its figures, the validation's among them.

        Returns:
            Whether the batches that follow depend on what has changed: they are asked for anew.
        """

    def state(self) -> dict[str, np.ndarray]:
        """All that `at_epoch_end` has made of the epochs so far, as plain arrays by name."""

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Be what another was when its `state` gave this."""


class Done(NamedTuple):
    """What is behind of a stage: so many steps, and of the last epoch's also its end or not yet."""

    steps: int
    end_is_due: bool = False


class TrainingLoop:
    """Trains a stage step by step.

    Args:
        trainer: compiled, with the slots of its optimiser built; its figures are its ``metrics``.
        batches_from: step of the stage → its batch and those that follow, up to the last step.
            Under a strategy a distributed dataset of them.
        steps_per_epoch: a multiple of the trainer's steps per execution.
        epochs: of the stage.
        first_epoch: epochs of the run before it.
        callbacks: Keras' own or others; an epoch's figures go to them as ``logs``.
        states: told of the end of an epoch after the callbacks.
        execute: what takes the steps; None: the function that `fit` would call, which runs the
            train step in the trainer's strategy.
    """

    def __init__(
        self,
        trainer: keras.Model,
        batches_from: Callable[[int], Iterable[Any]],
        steps_per_epoch: int,
        epochs: int,
        first_epoch: int = 0,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        states: Sequence[EpochState] = (),
        execute: Execute | None = None,
    ) -> None:
        self.trainer, self.batches_from = trainer, batches_from
        self.steps_per_epoch, self.epochs, self.first_epoch = steps_per_epoch, epochs, first_epoch
        self.steps_at_once = steps_at_once(trainer)
        self._execute = execute or train_function(trainer)
        self._states = _TellStates(states)
        self.callbacks = keras.callbacks.CallbackList(
            [*callbacks, self._states],
            model=trainer,
            verbose=0,
            epochs=first_epoch + epochs,
            steps=steps_per_epoch,
        )

    def steps(self, start: int, end_is_due: bool = False) -> Generator[Done, None, None]:
        """Train from a step of the stage on, and yield after each execution what is done.

        After the last step of an epoch it yields twice: before its callbacks and states are told
        of its end, which may take long, and after. Between two yields nothing is under way: all
        that comes next depends on may be written down, and who stops iterating has stopped the
        training. An epoch that is begun in its middle, or at its end, keeps the metrics that it
        finds. A callback that sets ``stop_training`` ends the stage, in the middle of an epoch
        without what comes at its end.

        Args:
            start: steps that are behind, a multiple of the steps per execution.
            end_is_due: they end an epoch, whose callbacks and states do not know it yet.

        Raises:
            ValueError: `start` or the length of an epoch is no such multiple.
        """
        self._check(start)
        self.trainer.stop_training = False
        self.callbacks.on_train_begin()
        try:
            batches = iter(self.batches_from(start))
            for epoch in range((start - end_is_due) // self.steps_per_epoch, self.epochs):
                end = (epoch + 1) * self.steps_per_epoch
                yield from self._epoch(epoch, start, end, batches)
                if not self.trainer.stop_training:
                    self._end(epoch)
                    yield Done(end)
                if self.trainer.stop_training:
                    return
                if self._states.changed and epoch + 1 < self.epochs:
                    batches = iter(self.batches_from(end))
        finally:
            self.callbacks.on_train_end()

    def _epoch(self, epoch: int, start: int, end: int, batches: Iterator[Any]) -> Iterator[Done]:
        """The steps of an epoch that are not behind; its end is still to come."""
        begin = end - self.steps_per_epoch
        if start <= begin:
            self.trainer.reset_metrics()
        self.callbacks.on_epoch_begin(self.first_epoch + epoch)
        for step in range(max(start, begin), end, self.steps_at_once):
            done = step + self.steps_at_once
            self.callbacks.on_train_batch_begin(step - begin)
            logs = self._execute(batches)
            self.callbacks.on_train_batch_end(done - begin - 1, logs)
            if self.trainer.stop_training:
                return
            yield Done(done, end_is_due=done == end)

    def _end(self, epoch: int) -> None:
        logs = {metric.name: float(metric.result()) for metric in self.trainer.metrics}
        self.callbacks.on_epoch_end(self.first_epoch + epoch, logs)

    def _check(self, start: int) -> None:
        for name, steps in (("start", start), ("steps_per_epoch", self.steps_per_epoch)):
            if steps % self.steps_at_once:
                raise ValueError(
                    f"{name} {steps} is no multiple of the {self.steps_at_once} steps per execution"
                )


class _TellStates(keras.callbacks.Callback):
    """The last of the callbacks, so that it has the figures that the others have added.

    Attributes:
        changed: whether the batches depend on what changed at the last end of an epoch.
    """

    def __init__(self, states: Sequence[EpochState]) -> None:
        super().__init__()
        self.states, self.changed = states, False

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        wishes = [state.at_epoch_end(epoch, logs or {}) for state in self.states]
        self.changed = any(wishes)


def steps_at_once(trainer: keras.Model) -> int:
    """Its steps per execution: Keras 2 keeps a variable, of which a strategy has several."""
    return int(tf.convert_to_tensor(trainer.steps_per_execution))


def train_function(trainer: keras.Model) -> Execute:
    """The function that `fit` calls for every execution: Keras 2 returns it, Keras 3 keeps it."""
    trainer.make_train_function()
    return trainer.train_function
