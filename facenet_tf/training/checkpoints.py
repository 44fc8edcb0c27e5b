"""Checkpoints on the disk: whole or not there, checked when they are read, the one before kept."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facenet_tf.errors import InputError, require
from facenet_tf.records import checksums, durable

logger = logging.getLogger(__name__)

_CONTENT = "checkpoint.json"
_AGAIN = ".again"  # of a checkpoint while its predecessor has its name


@dataclass(frozen=True)
class Checkpointing:
    """When a checkpoint is written, besides the beginning and the end of each epoch."""

    steps: int = 0
    """also after every so many steps; 0: not by steps"""
    minutes: float = 10.0
    """also when so many minutes have gone by since the last one; 0: not by time"""
    keep: int = 2
    """how many are kept; two at least, since a damaged one is replaced by the one before"""

    def check(self) -> None:
        """Raise `InputError` for values that make no sense, naming the option."""
        require(self.steps >= 0, "--checkpoint.steps", self.steps, "give 0 or more")
        require(self.minutes >= 0, "--checkpoint.minutes", self.minutes, "give 0 or more")
        require(self.keep >= 2, "--checkpoint.keep", self.keep, "give 2 or more")


class Damaged(Exception):
    """A checkpoint is not as it was written; the message says what of it."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that was found whole.

    Attributes:
        directory: its files, as they were filled in.
        step: of the run, steps that are behind.
        facts: plain values that were written with it.
        hashes: SHA-256 of its files by name.
    """

    directory: Path
    step: int
    facts: dict[str, Any]
    hashes: dict[str, str]


class Checkpoints:
    """The checkpoints of a run, a directory each.

    A checkpoint is written under another name, forced to the disk and then renamed: a kill leaves
    it whole or not there. `checkpoint.json` holds the SHA-256 of its other files and of itself.

    Args:
        directory: of all of them.
        keep: how many stay, the newest; no matter to who only reads.
    """

    def __init__(self, directory: Path, keep: int = 2) -> None:
        self.directory, self.keep = directory, keep

    def write(self, step: int, facts: dict[str, Any], fill: Callable[[Path], None]) -> Checkpoint:
        """Write one and drop those that are too many.

        Args:
            step: of the run, steps that are behind.
            facts: what JSON can hold.
            fill: writes the files of the checkpoint into an empty directory.
        """
        part = self.directory / f".{step:09d}.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        fill(part)
        files = sorted(part.iterdir())
        for file in files:
            durable.sync(file)
        hashes = {file.name: checksums.of_file(file) for file in files}
        content = checksums.sealed({"step": step, "facts": facts, "files": hashes})
        durable.write_json(part / _CONTENT, content)
        durable.sync(part)
        written = self.directory / f"{step:09d}"
        self._put(part, written)
        self.drop_beyond(step)
        return Checkpoint(written, step, facts, hashes)

    def exist(self) -> bool:
        """Whether one was ever written, whole by now or not."""
        return bool(self._directories())

    def newest(self, before: int | None = None) -> Checkpoint | None:
        """The newest that is whole; None if none was ever written.

        Args:
            before: only those of earlier steps are asked for; None: all.

        Raises:
            InputError: there are some, and all of them are damaged.
        """
        problems = []
        for directory in self._directories():
            if before is not None and _step(directory) >= before:
                continue
            try:
                found = _read(directory)
            except Damaged as damage:
                problems.append(f"{directory} is damaged ({damage})")
                continue
            for problem in problems:
                logger.warning("%s: going back to the checkpoint of step %d", problem, found.step)
            return found
        if problems:
            raise InputError(
                f"{'; '.join(problems)}: no checkpoint is left to go on from; "
                "start again with --overwrite"
            )
        return None

    def clear(self) -> None:
        """Remove what is half written, and end what was begun; only who writes the others may."""
        for part in self.directory.glob(".*.part"):
            shutil.rmtree(part, ignore_errors=True)
        self._settle()

    def _put(self, part: Path, written: Path) -> None:
        """Give a checkpoint its name. In the way can be a damaged one, one that the run has gone
        back behind, or a good one: that of the step before its epoch was validated. Until the new
        one is in place it stays."""
        self._settle()
        part.replace(written.with_suffix(_AGAIN) if written.exists() else written)
        durable.sync(self.directory)
        self._settle()

    def _settle(self) -> None:
        """Let those that were written again take the places of their predecessors."""
        for again in self.directory.glob(f"[0-9]*{_AGAIN}"):
            written = again.with_suffix("")
            shutil.rmtree(written, ignore_errors=True)
            again.replace(written)
            durable.sync(self.directory)

    def _directories(self) -> list[Path]:
        """Newest first."""
        found = [path for path in self.directory.glob("[0-9]*") if path.suffix in ("", _AGAIN)]
        return sorted(found, key=lambda path: (_step(path), path.suffix), reverse=True)

    def drop_beyond(self, step: int) -> None:
        """Keep the newest up to a step; what is beyond it is damaged, or was left by going back."""
        behind = [path for path in self._directories() if _step(path) <= step]
        for path in {*self._directories()} - {*behind[: self.keep]}:
            shutil.rmtree(path, ignore_errors=True)


def _step(directory: Path) -> int:
    return int(directory.stem)


def _read(directory: Path) -> Checkpoint:
    """Raises Damaged unless every file is there as it was written."""
    try:
        data = (directory / _CONTENT).read_bytes()
        content = json.loads(data)
        if checksums.CHECKSUM not in content or checksums.is_damaged(content, data):
            raise Damaged(f"{_CONTENT} is not as it was written")
        for name, expected in content["files"].items():
            if checksums.of_file(directory / name) != expected:
                raise Damaged(f"{name} is not as it was written")
    except FileNotFoundError as error:
        raise Damaged(f"{Path(error.filename).name} is missing") from error
    except (OSError, ValueError, TypeError) as error:
        raise Damaged(f"{_CONTENT} cannot be read: {error}") from error
    return Checkpoint(directory, content["step"], content["facts"], content["files"])
