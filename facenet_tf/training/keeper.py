"""What a run goes on from: into a checkpoint, and out of it again."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from facenet_tf.errors import InputError, Interrupted
from facenet_tf.records import checksums, durable
from facenet_tf.training.checkpoints import Checkpoint, Checkpointing, Checkpoints
from facenet_tf.training.loop import EpochState
from facenet_tf.training.run_directory import RunDirectory
from facenet_tf.training.trainer import EmbeddingTrainer

logger = logging.getLogger(__name__)

_MODEL, _STATES, _VARIABLES = "model.keras", "states.npz", "variables"


@dataclass
class RunState:
    """What is plain numbers and words of all that a run goes on from.

    Attributes:
        step: of the run, steps that are behind.
        end_is_due: they end an epoch of which no more is behind: its validation is to follow.
        best: the best ``val_auc`` so far; None before the first validation.
        since_best: epochs that were validated since.
        stage_best: the best ``val_auc`` of the stage so far.
        since_stage_best: epochs of the stage that were validated since.
        stopped: nothing is to follow, though epochs are left.
        seconds: of training, over all sittings.
        history: the lines of ``history.csv``.
        rollbacks: each time that a loss was not finite: from which step to which.
        identity_errors: the content of ``identity_errors.csv``, of the best epoch.
    """

    step: int = 0
    best: float | None = None
    since_best: int = 0
    stage_best: float | None = None
    since_stage_best: int = 0
    stopped: bool = False
    seconds: float = 0.0
    history: list[dict[str, str]] = field(default_factory=list)
    rollbacks: list[dict[str, float]] = field(default_factory=list)
    identity_errors: str = ""
    end_is_due: bool = False

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> RunState:
        """What a checkpoint says; what only a later version knows is left out, with a warning."""
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(facts.keys() - known)
        if unknown:
            logger.warning(
                "the checkpoint is of another version: its %s is left out", ", ".join(unknown)
            )
        return cls(**{name: value for name, value in facts.items() if name in known})


class Keeper:
    """Writes the checkpoints of a run, and what others read of it.

    The checkpoint decides: ``model.keras`` and the CSVs are brought to what the newest one
    says, after it has been written and before training goes on from it. So they never tell of
    steps that a kill has undone.

    Args:
        run: where it is all kept.
        options: when a checkpoint is due.
    """

    def __init__(self, run: RunDirectory, options: Checkpointing) -> None:
        self._run, self._options = run, options
        self._checkpoints = Checkpoints(run.checkpoints, options.keep)
        self.last: Checkpoint | None = None
        self._begun = self._written = time.monotonic()

    def newest(self) -> RunState:
        """The state of the newest checkpoint, which `restore` then reads; a new one if none is.

        Raises:
            InputError: all checkpoints are damaged.
        """
        self._run.candidate.unlink(missing_ok=True)
        self._checkpoints.clear()
        return self._go_to(self._checkpoints.newest())

    def before(self) -> RunState:
        """The state of the newest checkpoint that steps follow.

        One at whose step the end of an epoch is due would come to that same end again; it goes,
        if there is one before.

        Raises:
            InputError: all checkpoints are damaged.
        """
        state = self.newest()
        if not state.end_is_due:
            return state
        earlier = self._checkpoints.newest(before=state.step)
        if earlier is None:
            return state
        self._checkpoints.drop_beyond(earlier.step)
        return self._go_to(earlier)

    def _go_to(self, kept: Checkpoint | None) -> RunState:
        self.last = kept
        self._begun = self._written = time.monotonic()
        if kept is None:
            return RunState()
        self._publish(kept)
        return RunState.of(kept.facts["run"])

    def due(self, step: int) -> bool:
        """Whether it is time for a checkpoint at a step that does not end an epoch."""
        steps, minutes = self._options.steps, self._options.minutes
        behind = self.last.step if self.last else 0
        late = time.monotonic() - self._written >= 60 * minutes
        return (steps > 0 and step - behind >= steps) or (minutes > 0 and late)

    def seconds(self, state: RunState) -> float:
        """Of training until now, over all sittings."""
        return state.seconds + time.monotonic() - self._begun

    def save(
        self,
        state: RunState,
        stage: int,
        trainer: EmbeddingTrainer,
        states: Sequence[EpochState],
    ) -> None:
        """Write a checkpoint; the model of an epoch that has just ended becomes a part of it.

        Raises:
            Interrupted: there is no room left, or the best model was damaged on the disk; the
                checkpoint before is as it was.
        """
        state.seconds, self._begun = self.seconds(state), time.monotonic()
        epoch_ended = self._run.candidate.exists()
        best = self._run.candidate if epoch_ended else self._best()

        def fill(directory: Path) -> None:
            if best is not None:
                # No link: damage to one checkpoint must leave the one before whole.
                durable.copy(best, directory / _MODEL)
                if not epoch_ended:
                    self._check_copy(directory / _MODEL)
            _write_states(directory / _STATES, states)
            _variables(trainer).write(str(directory / _VARIABLES))

        facts = {"stage": stage, "run": dataclasses.asdict(state)}
        try:
            self.last = self._checkpoints.write(state.step, facts, fill)
            self._publish(self.last)
        except (OSError, tf.errors.OpError) as error:
            raise Interrupted(
                f"{self._run.checkpoints}: no checkpoint could be written "
                f"({str(error).splitlines()[0]}): mend it and go on with --resume"
            ) from error
        self._written = time.monotonic()

    def restore(self, stage: int, trainer: EmbeddingTrainer, states: Sequence[EpochState]) -> None:
        """Take over what `last` holds: all of it, or the model alone if it is of another stage.

        Raises:
            InputError: it does not fit, since another version has other variables.
        """
        assert self.last is not None
        try:
            self._restore(stage, trainer, states)
        # By TensorFlow and by a state of epochs: one is missing, has another shape or type.
        except (AssertionError, KeyError, ValueError, tf.errors.InvalidArgumentError) as error:
            raise InputError(
                f"--resume: {self.last.directory} is of another version of Keras or of this "
                f"package ({str(error).partition(': [')[0]}): go on with the versions that "
                "config.json names, or give another --output"
            ) from error

    def _restore(self, stage: int, trainer: EmbeddingTrainer, states: Sequence[EpochState]) -> None:
        assert self.last is not None
        kept = str(self.last.directory / _VARIABLES)
        if self.last.facts["stage"] != stage:
            body = tf.train.Checkpoint(**_body(trainer))
            body.read(kept).assert_existing_objects_matched().expect_partial()
            return
        _variables(trainer).read(kept).assert_existing_objects_matched()
        _read_states(self.last.directory / _STATES, states)

    def _best(self) -> Path | None:
        """The best model so far, as the last checkpoint holds it."""
        model = self.last and self.last.directory / _MODEL
        return model if model and model.exists() else None

    def _check_copy(self, copy: Path) -> None:
        """Raise OSError for a copy of the best model that is not what the last checkpoint held:
        hashed anew, it would pass for whole."""
        assert self.last is not None
        if checksums.of_file(copy) != self.last.hashes[_MODEL]:
            raise OSError(f"{self.last.directory / _MODEL} is damaged")

    def _publish(self, kept: Checkpoint) -> None:
        best = self._best()
        if best is not None:
            self._run.publish_model(best, kept.hashes[_MODEL])
        self._run.publish_history(kept.facts["run"]["history"])
        self._run.publish_identity_errors(kept.facts["run"].get("identity_errors", ""))
        self._run.candidate.unlink(missing_ok=True)


def not_finite_in(trainer: EmbeddingTrainer) -> str | None:
    """The first of what steps go on from that is infinite or NaN, by name; None: nothing is.

    Looked at are weights and their averages, statistics of norms, slots of the optimiser, and what
    the losses keep.
    """
    head = [*trainer.head.trainable_variables, *trainer.head.kept]
    held = [*trainer.embedding_model.variables, *head, *trainer.optimizer.variables]
    numbers = [each for each in held if tf.as_dtype(each.dtype).is_floating]
    finite = tf.stack([tf.reduce_all(tf.math.is_finite(each)) for each in numbers]).numpy()
    spoiled = [each for each, good in zip(numbers, finite, strict=True) if not good]
    return getattr(spoiled[0], "path", spoiled[0].name) if spoiled else None


def _variables(trainer: EmbeddingTrainer) -> tf.train.Checkpoint:
    """All that a step reads and changes."""
    return tf.train.Checkpoint(
        **_body(trainer),
        head=trainer.head,
        optimizer=trainer.optimizer,
        metrics=[variable for metric in trainer.metrics for variable in metric.variables],
    )


def _body(trainer: EmbeddingTrainer) -> dict[str, Any]:
    """What outlives a stage: the model, and where its random numbers have come to.

    Keras 3 keeps the latter in variables that are no weights and that a checkpoint overlooks.
    """
    model = trainer.embedding_model
    weights = {id(weight) for weight in model.weights}
    seeds = [variable for variable in model.variables if id(variable) not in weights]
    return {"model": model, "seeds": seeds}


def _write_states(path: Path, states: Sequence[EpochState]) -> None:
    arrays: dict[str, Any] = {
        f"{state.name}/{key}": value for state in states for key, value in state.state().items()
    }
    if arrays:
        np.savez(path, **arrays)


def _read_states(path: Path, states: Sequence[EpochState]) -> None:
    if not path.exists():
        return
    with np.load(path, allow_pickle=False) as arrays:
        for state in states:
            own = f"{state.name}/"
            state.restore(
                {key[len(own) :]: arrays[key] for key in arrays.files if key.startswith(own)}
            )
