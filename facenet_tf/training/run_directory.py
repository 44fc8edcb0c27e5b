"""The run directory: config, checkpoints, logs, history and the best model, complete in itself."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import keras

from facenet_tf.errors import InputError
from facenet_tf.records import durable

# Directories may move between two sittings: what is in them is told by the fingerprint.
_PLACES = ("config.dataset", "config.output")


class RunDirectory:
    """Paths inside a run directory and the rules for starting in one.

    Args:
        path: the directory; it is created by `start`.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.config = self.path / "config.json"
        self.model = self.path / "model.keras"
        self.checkpoints = self.path / "checkpoints"
        self.logs = self.path / "logs"
        self.history = self.path / "history.csv"
        self.identity_errors = self.path / "identity_errors.csv"

    def start(self, resolved: dict[str, Any], *, overwrite: bool, resume: bool) -> None:
        """Make the directory ready for a new run, or check that the old one can go on.

        Raises:
            InputError: there is a run already, there is none to resume, or its config differs.
        """
        if resume:
            self._check_same(resolved)
            return
        try:
            if self.config.exists():
                self._make_room(overwrite)
            self.path.mkdir(parents=True, exist_ok=True)
            durable.write_json(self.config, resolved)
        except OSError as error:
            raise InputError(f"--output {self.path}: {error.strerror}") from error

    def record(self, **facts: Any) -> None:
        """Add what is known only once training has begun to config.json."""
        durable.write_json(self.config, self._read_config() | facts)

    def save_model(self, model: keras.Model) -> None:
        """Write model.keras whole or not at all."""
        partial = self.path / "partial.keras"
        model.save(partial)
        partial.replace(self.model)

    def _read_config(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self.config.read_text()))
        except ValueError as error:
            raise InputError(
                f"{self.config} is damaged ({error}): choose another --output"
            ) from error

    def _check_same(self, resolved: dict[str, Any]) -> None:
        if not self.config.is_file():
            raise InputError(f"--resume: {self.path} holds no run; leave --resume out to start one")
        before = self._read_config()
        for part in ("config", "fingerprint", "dataset"):
            for name, there, now in _differences(before.get(part), resolved[part], part):
                if name in _PLACES:
                    continue
                raise InputError(
                    f"--resume: {name} ({there} there, {now} now) differs from the run in "
                    f"{self.path}; give the same options or another --output"
                )

    def _make_room(self, overwrite: bool) -> None:
        if not overwrite:
            raise InputError(
                f"{self.path} holds a run: give --resume, --overwrite or another --output"
            )
        if "fingerprint" not in self._read_config():
            raise InputError(f"--overwrite: {self.config} is of another program; it stays")
        # An evaluation of the model that goes would be taken for one of the model that comes.
        for directory in (self.checkpoints, self.logs, self.path / "evaluation"):
            shutil.rmtree(directory, ignore_errors=True)
        for file in (self.config, self.model, self.history, self.identity_errors):
            file.unlink(missing_ok=True)


def plain(value: Any) -> Any:
    """A config as JSON can hold it: dataclasses to dicts, paths to strings."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _differences(before: Any, now: Any, name: str) -> list[tuple[str, Any, Any]]:
    if isinstance(before, dict) and isinstance(now, dict):
        names = sorted(before.keys() | now.keys())
        return [
            difference
            for key in names
            for difference in _differences(before.get(key), now.get(key), f"{name}.{key}")
        ]
    return [] if before == now else [(name, before, now)]
