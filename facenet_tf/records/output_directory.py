"""The directory a dataset is built in: claimed, continued, filled, published.

Everything is built in ``.building`` and moved to its place at the end, so that a dataset that is
replaced stays until the new one is complete. In there lie a lock, the fingerprint of the plan,
shards that are being written (``unfinished``), and the new dataset (``dataset``) with a note of
its rows for each finished shard (``notes``). After an interruption the next build continues from
there, also in the midst of the move.
"""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import json
import shutil
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from facenet_tf.errors import InputError
from facenet_tf.records.layout import CONTACT_SHEET, INDEX, MANIFEST, REPORT, ROWS
from facenet_tf.records.rows import Row
from facenet_tf.records.shard import Shard

_LOCK, _PLAN = "lock", "plan.json"


class OutputDirectory:
    """A dataset directory while it is written; as a context it gives its lock back.

    Attributes:
        path: where the dataset will be.
        new: where its files lie until it is complete.
        unfinished: where shards are written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._scratch = path / ".building"
        self.new = self._scratch / "dataset"
        self.unfinished = self._scratch / "unfinished"
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

    def claim(self, overwrite: bool) -> None:
        """Make sure that this build, and no other, writes here; what is there is left alone.

        Raises:
            InputError: it holds a finished dataset and `overwrite` is not set, it holds other
                files, another build is at work in it, or it cannot be written.
        """
        try:
            ours = self._finished or self._scratch.exists()
            if not ours and self.path.exists() and any(self.path.iterdir()):
                raise InputError(
                    f"--output {self.path} holds other files: choose an empty directory"
                )
            if overwrite or not self._finished or self._scratch.exists():
                self._take_lock()
            refused = self._finished and not overwrite
            if refused and self._lock and not any(self.new.glob("*")):
                # Nothing to continue: a build was interrupted after its last step but one.
                shutil.rmtree(self._scratch, ignore_errors=True)
        except OSError as error:
            raise InputError(
                f"--output {self.path} cannot be written ({error.strerror}): choose another"
            ) from error
        if refused:
            raise InputError(
                f"--output {self.path} already holds a dataset: choose another, or --overwrite it"
            )

    def start(self, fingerprint: str) -> None:
        """Begin a build: keep the shards of the same, interrupted one and no others."""
        plan = self._scratch / _PLAN
        shutil.rmtree(self.unfinished, ignore_errors=True)
        if not (plan.exists() and plan.read_text() == fingerprint):
            plan.unlink(missing_ok=True)
            for directory in (self.new, self._notes):
                shutil.rmtree(directory, ignore_errors=True)
        for directory in (self.new, self._notes, self.unfinished):
            directory.mkdir(parents=True, exist_ok=True)
        plan.write_text(fingerprint)

    def keep(self, shard: Shard) -> None:
        """Take a finished shard into the new dataset."""
        (self.unfinished / shard.file).replace(self.new / shard.file)
        note = self._note(shard.file)
        part = note.with_suffix(".part")
        part.write_text(json.dumps(dataclasses.asdict(shard)))
        part.replace(note)

    def kept(self, file: str) -> Shard | None:
        """Return a shard that an interrupted build finished, if its file is intact."""
        note, shard = self._note(file), self.new / file
        if not (note.exists() and shard.exists()):
            return None
        known = json.loads(note.read_text())
        if hashlib.sha256(shard.read_bytes()).hexdigest() != known["sha256"]:
            return None
        return Shard(**{**known, "rows": [Row(**row) for row in known["rows"]]})

    def complete(self, manifest: str) -> None:
        """Write the manifest, the last file of the new dataset."""
        part = self._scratch / f"{MANIFEST}.part"
        part.write_text(manifest, encoding="utf-8")
        part.replace(self.new / MANIFEST)

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
        for file in self.new.iterdir():
            if file.name != MANIFEST:
                file.replace(self.path / file.name)
        (self.new / MANIFEST).replace(self.path / MANIFEST)
        shutil.rmtree(self._scratch)

    @property
    def _finished(self) -> bool:
        return (self.path / MANIFEST).exists()

    def _take_lock(self) -> None:
        self._scratch.mkdir(parents=True, exist_ok=True)
        if self._lock is None:
            self._lock = (self._scratch / _LOCK).open("wb")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"--output {self.path}: another build is at work there; wait for it or end it"
            ) from None

    def _remove_old(self) -> None:
        for name in (MANIFEST, ROWS, INDEX, CONTACT_SHEET, REPORT):
            (self.path / name).unlink(missing_ok=True)
        for shard in self.path.glob("shard-*-of-*.tfrecord"):
            shard.unlink()

    def _note(self, file: str) -> Path:
        return self._notes / f"{file}.json"
