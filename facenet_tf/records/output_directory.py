"""The directory a dataset is built in: claimed, continued, filled, published.

Everything is built in ``.building`` and moved to its place at the end, so that a dataset that is
replaced stays until the new one is complete. In there lie a lock, shards that are being written
(``unfinished-…``), and the new dataset (``dataset``) with a note for each finished shard
(``notes``): its rows, its hash and the fingerprint of its task. After an interruption the next
build continues from there, also in the midst of the move.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NoReturn

from facenet_tf.errors import InputError
from facenet_tf.records import checksums, durable, locks
from facenet_tf.records.layout import CONTACT_SHEET, INDEX, MANIFEST, REPORT, ROWS
from facenet_tf.records.plan import Plan, ShardTask
from facenet_tf.records.rows import Row
from facenet_tf.records.shard import Shard

_LOCK = "lock"


class OutputDirectory:
    """A dataset directory while it is written; as a context it gives its lock back.

    Attributes:
        path: where the dataset will be.
        new: where its files lie until it is complete.
        unfinished: where shards are written; there from `start` on.
    """

    unfinished: Path

    def __init__(self, path: Path) -> None:
        self.path = path
        self._scratch = path / ".building"
        self.new = self._scratch / "dataset"
        self._notes = self._scratch / "notes"
        self._lock: BinaryIO | None = None

    def __enter__(self) -> OutputDirectory:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def is_finished(self) -> bool:
        """Whether a finished dataset is in place."""
        return (self.path / MANIFEST).exists()

    def claim(self) -> None:
        """Make sure that this build, and no other, writes here; what is there is left alone.

        A finished dataset on which no build has begun is not locked: nothing may have to be done.

        Raises:
            InputError: it holds other files, another build is at work in it, or it cannot be
                written.
        """
        try:
            ours = self.is_finished or self._scratch.exists()
            if not ours and self.path.exists() and any(self.path.iterdir()):
                raise InputError(
                    f"--output {self.path} holds other files: choose an empty directory"
                )
            if not self.is_finished or self._scratch.exists():
                self._take_lock()
        except OSError as error:
            self._refuse(error)

    def decline(self) -> None:
        """Leave a finished dataset as it is, without the remains of the build that made it."""
        if self._lock and not any(self.new.glob("*")):
            shutil.rmtree(self._scratch, ignore_errors=True)

    def unpublished(self) -> dict[str, Any] | None:
        """Return the manifest of a new dataset that is complete and not at its place yet."""
        try:
            return json.loads((self.new / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def check(self, about: Mapping[str, Any]) -> None:
        """Refuse to replace a dataset of other options wherever else the new one shall be.

        Args:
            about: the detector and whatever else decides the records.
        """

    def is_delivered(self, manifest: Mapping[str, Any]) -> bool:
        """Whether a finished dataset is wherever else it shall be."""
        return True

    def start(self, plan: Plan) -> None:
        """Begin a build, and keep what an interrupted one has done of the same tasks.

        Raises:
            InputError: another build is at work in it, or it cannot be written.
        """
        try:
            self._take_lock()
            for directory in self._scratch.glob("unfinished-*"):
                shutil.rmtree(directory)
            for directory in (self.new, self._notes):
                directory.mkdir(parents=True, exist_ok=True)
            # A name of its own: a worker of a killed build may not have noticed it yet.
            self.unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=self._scratch))
            manifest = self.unpublished()
            if manifest is None or not plan.is_done(manifest):
                self._take_back()
                self._keep_only(plan.tasks)
        except OSError as error:
            self._refuse(error)

    def keep(self, shard: Shard) -> None:
        """Take a finished shard, which lies in `unfinished`, into the new dataset."""
        (self.unfinished / shard.file).replace(self.new / shard.file)
        self._write_note(shard)

    def adopt(self, shard: Shard) -> bool:
        """Take a shard of the finished dataset into the new one; False if its file is damaged."""
        file = self.path / shard.file
        if sha256_of(file) != shard.sha256:
            return False
        durable.link(file, self.new / shard.file)
        self._write_note(shard)
        return True

    def kept(self, task: ShardTask) -> Shard | None:
        """Return the shard of a task that an interrupted build finished, if its file is intact."""
        note = self._read_note(task.file)
        if note is None or note["task"] != task.fingerprint:
            return None
        if sha256_of(self.new / task.file) != note["sha256"]:
            return None
        return shard_of(note)

    def complete(self, manifest: Mapping[str, Any]) -> None:
        """Write the manifest, the last file of the new dataset."""
        durable.sync(self.new)
        durable.write_json(self.new / MANIFEST, manifest)
        durable.sync(self.new)

    @property
    def is_complete(self) -> bool:
        """Whether the new dataset only has to be published."""
        return (self.new / MANIFEST).exists()

    def publish(self) -> None:
        """Put the new dataset in the place of the old one; may be repeated when interrupted.

        The manifest goes first and comes last: without it there is no dataset.
        """
        if (self.new / INDEX).exists():  # it is moved first: nothing new is at its place yet
            self._remove_old()
            (self.new / INDEX).replace(self.path / INDEX)
            self._sync_names()
        for file in self.new.iterdir():
            if file.name != MANIFEST:
                file.replace(self.path / file.name)
        self._sync_names()
        (self.new / MANIFEST).replace(self.path / MANIFEST)
        self._sync_names()
        durable.sync(self.path.parent)
        shutil.rmtree(self._scratch)

    def _take_back(self) -> None:
        """Return to the new dataset the shards that were at their place already."""
        if not self.is_finished:  # else they are those of the old dataset
            for note in self._notes.iterdir():
                shard, new = self.path / note.stem, self.new / note.stem
                if shard.is_file() and not new.exists():
                    shard.replace(new)

    def _keep_only(self, tasks: Sequence[ShardTask]) -> None:
        """Remove what is no finished shard of these tasks, the manifest first."""
        (self.new / MANIFEST).unlink(missing_ok=True)
        wanted = {task.file: task.fingerprint for task in tasks}
        for file in self.new.iterdir():
            note = self._read_note(file.name)
            if note is None or note["task"] != wanted.get(file.name):
                file.unlink()

    def _write_note(self, shard: Shard) -> None:
        durable.write(self._note(shard.file), note_of(shard))

    def _read_note(self, file: str) -> dict[str, Any] | None:
        try:
            return json.loads(self._note(file).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def _note(self, file: str) -> Path:
        return self._notes / f"{file}.json"

    def _take_lock(self) -> None:
        self._scratch.mkdir(parents=True, exist_ok=True)
        try:
            self._lock = self._lock or locks.locked(self._scratch / _LOCK)
        except BlockingIOError:
            raise InputError(
                f"--output {self.path}: another build is at work there; wait for it or end it"
            ) from None

    def _remove_old(self) -> None:
        (self.path / MANIFEST).unlink(missing_ok=True)
        durable.sync(self.path)
        for name in (ROWS, INDEX, CONTACT_SHEET, REPORT):
            (self.path / name).unlink(missing_ok=True)
        for shard in self.path.glob("shard-*-of-*.tfrecord"):
            shard.unlink()

    def _sync_names(self) -> None:
        durable.sync(self.path)
        durable.sync(self.new)

    def _refuse(self, error: OSError) -> NoReturn:
        if error.errno in durable.FULL:
            raise error
        raise InputError(
            f"--output {self.path} cannot be written ({error.strerror}): choose another"
        ) from error


def sha256_of(file: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal; empty if it cannot be read."""
    try:
        return checksums.of_file(file)
    except OSError:
        return ""


def note_of(shard: Shard) -> bytes:
    """What is written down of a finished shard, as JSON."""
    return json.dumps(dataclasses.asdict(shard)).encode()


def shard_of(note: Mapping[str, Any]) -> Shard:
    """The shard of which this was written down."""
    return Shard(**{**note, "rows": [Row(**row) for row in note["rows"]]})
