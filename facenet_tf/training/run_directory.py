"""The run directory: config, checkpoints, logs, history and the best model, complete in itself."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import json
import logging
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facenet_tf.errors import InputError, Interrupted
from facenet_tf.records import checksums, durable, locks
from facenet_tf.training.checkpoints import Checkpoints
from facenet_tf.training.config import TrainConfig

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)

OF_THE_MACHINE = ("threads", "jit", "steps_per_execution")
"""Options that suit a machine: what is learnt differs by rounding, and where XLA compiles the whole
step, by dropout's masks."""

_OF_ONE_SITTING = ("overwrite", "resume", "profile", "distribute")

# Directories may move between two sittings: what is in them is told by the fingerprint.
_PLACES = ("config.dataset", "config.output")
# What decides when something is written, or what follows a mishap, but no step; and what is told
# of the people beside, which runs of before did not.
_CARE = ("config.checkpoint.", "config.recovery.", "dataset.steering_people")


class RunDirectory:
    """Paths inside a run directory and the rules for starting in one.

    Args:
        path: the directory; it is created by `start`.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.config = self.path / "config.json"
        self.model = self.path / "model.keras"
        self.candidate = self.path / "candidate.keras"
        self.checkpoints = self.path / "checkpoints"
        self.logs = self.path / "logs"
        self.history = self.path / "history.csv"
        self.identity_errors = self.path / "identity_errors.csv"

    def start(self, resolved: dict[str, Any], *, overwrite: bool, resume: bool) -> None:
        """Make the directory ready for a new run, or check that the old one can go on.

        Raises:
            InputError: there is a run already, there is none to resume, or its config differs.
        """
        self.check_free(overwrite=overwrite, resume=resume)
        if resume:
            self._check_same(resolved)
            return
        try:
            if self.config.exists():
                self._make_room()
            self.path.mkdir(parents=True, exist_ok=True)
            durable.write_json(self.config, resolved)
        except OSError as error:
            raise InputError(f"--output {self.path}: {error.strerror}") from error

    @contextlib.contextmanager
    def locked(self, resume: bool) -> Iterator[None]:
        """Let no other process train in the directory, which is made if it is not there.

        Two of them would remove each other's checkpoints.

        Raises:
            InputError: one does.
            Interrupted: one does in the run that is to be resumed, which can wait for its end.
        """
        with contextlib.ExitStack() as stack:
            try:
                self.path.mkdir(parents=True, exist_ok=True)
                stack.enter_context(locks.locked(self.path / ".lock"))
            except BlockingIOError:
                at_work = f"{self.path}: another training is at work there"
                if resume:
                    raise Interrupted(f"{at_work}; go on with --resume when it has ended") from None
                raise InputError(f"{at_work}; wait for it or end it") from None
            except OSError as error:
                logger.warning(
                    "%s cannot be locked (%s): start no other training there meanwhile",
                    self.path,
                    error.strerror,
                )
            yield

    def check_free(self, *, overwrite: bool, resume: bool) -> None:
        """Refuse a directory that a run is in, or in which there is none to resume, or no longer.

        Raises:
            InputError: that is so.
        """
        holds_one = self.config.is_file()
        if resume and not holds_one:
            raise InputError(f"--resume: {self.path} holds no run; leave --resume out to start one")
        if resume and self._has_results() and not Checkpoints(self.checkpoints).exist():
            raise InputError(
                f"--resume: {self.path} has results, but none of the checkpoints that they are of: "
                "put them back, or start again with --overwrite"
            )
        if holds_one and not resume and not overwrite:
            raise InputError(
                f"{self.path} holds a run: give --resume, --overwrite or another --output"
            )
        if overwrite and holds_one and "fingerprint" not in self._read_config():
            raise InputError(f"--overwrite: {self.config} is of another program; it stays")

    def record(self, **facts: Any) -> None:
        """Add what is known only once training has begun to config.json."""
        durable.write_json(self.config, self._read_config() | facts)

    def recorded(self, name: str) -> Any:
        """What config.json says of something; None if there is no run or it says nothing."""
        return self._read_config().get(name) if self.config.is_file() else None

    def report_of(self, step: int) -> Path:
        """Where the batch of a step of the run is named that gave a number that is not finite."""
        return self.path / f"not_finite_{step:09d}.json"

    def save_candidate(self, model: keras.Model) -> None:
        """Write the model of an epoch; it becomes model.keras when a checkpoint holds it too."""
        model.save(self.candidate)

    def publish_model(self, model: Path, sha256: str) -> None:
        """Let model.keras be a copy of a checkpoint's model, unless it is already."""
        if self.model.exists() and checksums.of_file(self.model) == sha256:
            return
        durable.copy(model, self.model)

    def publish_history(self, lines: Sequence[dict[str, str]]) -> None:
        """Let history.csv have these lines, unless it has."""
        if not lines:
            _make_equal(self.history, b"")
            return
        names = list(dict.fromkeys(name for line in lines for name in line))
        table = io.StringIO(newline="")
        writer = csv.DictWriter(table, names, restval="")
        writer.writeheader()
        writer.writerows(lines)
        _make_equal(self.history, table.getvalue().encode())

    def publish_identity_errors(self, table: str) -> None:
        """Let identity_errors.csv be this table, unless it is."""
        _make_equal(self.identity_errors, table.encode())

    def _has_results(self) -> bool:
        """Whether there was a checkpoint that is more than the run's beginning."""
        steps = [sitting["step"] for sitting in self.recorded("sittings") or []]
        return self.history.exists() or self.model.exists() or any(steps)

    def _read_config(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self.config.read_text()))
        except ValueError as error:
            raise InputError(
                f"{self.config} is damaged ({error}): choose another --output"
            ) from error

    def _check_same(self, resolved: dict[str, Any]) -> None:
        before, defaults = self._read_config(), {"config": plain(TrainConfig())}
        found = {
            name: f"{name} ({there} there, {now} now)"
            for part in ("config", "fingerprint", "dataset")
            for name, there, now in _differences(
                before.get(part), resolved[part], defaults.get(part), part
            )
            if name not in _PLACES and not name.startswith(_CARE)
        }
        deterministic = resolved["config"].get("deterministic")
        free = () if deterministic else [f"config.{name}" for name in OF_THE_MACHINE]
        changed = [found.pop(name) for name in free if name in found]
        if found:
            raise InputError(
                f"--resume: the run in {self.path} differs in {', '.join(found.values())}; "
                "give the same options or another --output"
            )
        if changed:
            logger.warning(
                "the run in %s goes on with other %s: not to the last bits what it would have been",
                self.path,
                ", ".join(changed),
            )

    def _make_room(self) -> None:
        # An evaluation of the model that goes would be taken for one of the model that comes.
        for directory in (self.checkpoints, self.logs, self.path / "evaluation"):
            shutil.rmtree(directory, ignore_errors=True)
        # The config goes last: until then it is known whose files these are.
        told = (self.identity_errors, *self.path.glob("not_finite_*.json"))
        for file in (self.candidate, self.model, self.history, *told, self.config):
            file.unlink(missing_ok=True)


def described(config: TrainConfig) -> dict[str, Any]:
    """A config as config.json has it: without what is of one sitting alone."""
    return {name: value for name, value in plain(config).items() if name not in _OF_ONE_SITTING}


def plain(value: Any) -> Any:
    """A config as JSON can hold it: dataclasses to dicts, paths to strings."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _make_equal(path: Path, content: bytes) -> None:
    """Let a file have this content; none while there is nothing in it."""
    if not content:
        path.unlink(missing_ok=True)
    elif not path.exists() or path.read_bytes() != content:
        durable.write(path, content)


def _differences(before: Any, now: Any, default: Any, name: str) -> list[tuple[str, Any, Any]]:
    """What differs, by name; what the record of an earlier version lacks counts as its default."""
    if not isinstance(now, dict) or not isinstance(before, dict | None):
        return [] if before == now else [(name, before, now)]
    before, default = before or {}, default if isinstance(default, dict) else {}
    return [
        difference
        for key in sorted(before.keys() | now.keys())
        for difference in _differences(
            before.get(key, default.get(key)), now.get(key), default.get(key), f"{name}.{key}"
        )
    ]
