"""The directory a dataset is built in: claimed, continued, cleared, finished.

Until ``dataset.json`` is there the dataset does not exist. What a build needs to continue after an
interruption lies in ``.building``: the fingerprint of its plan, and per finished shard its rows.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

from facenet_tf.errors import InputError
from facenet_tf.records.layout import CONTACT_SHEET, INDEX, MANIFEST, ROWS
from facenet_tf.records.rows import Row
from facenet_tf.records.shard import Shard

_PLAN = "plan.json"


class OutputDirectory:
    """A dataset directory while it is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.scratch = path / ".building"

    def claim(self, overwrite: bool) -> None:
        """Make sure that a build may write here; what it would replace is still left alone.

        Raises:
            InputError: it holds a finished dataset and `overwrite` is not set, it holds other
                files, or it cannot be written.
        """
        try:
            finished = (self.path / MANIFEST).exists()
            ours = finished or self.scratch.exists()
            used = self.path.exists() and any(self.path.iterdir())
            if not (finished and not overwrite) and (ours or not used):
                self.scratch.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"--output {self.path} cannot be written ({error.strerror}): choose another"
            ) from error
        if finished and not overwrite:
            raise InputError(
                f"--output {self.path} already holds a dataset: choose another, or --overwrite it"
            )
        if used and not ours:
            raise InputError(f"--output {self.path} holds other files: choose an empty directory")

    def start(self, fingerprint: str) -> None:
        """Begin a build: keep the shards of the same, interrupted one and remove all others."""
        plan = self.scratch / _PLAN
        same = plan.exists() and plan.read_text() == fingerprint
        if not same or (self.path / MANIFEST).exists():
            self.clear()
        self.scratch.mkdir(exist_ok=True)
        plan.write_text(fingerprint)

    def clear(self) -> None:
        """Remove all that a build writes, the manifest first; other files stay."""
        for name in (MANIFEST, ROWS, INDEX, CONTACT_SHEET):
            (self.path / name).unlink(missing_ok=True)
        for shard in self.path.glob("shard-*-of-*.tfrecord"):
            shard.unlink()
        if self.scratch.exists():
            shutil.rmtree(self.scratch)

    def keep(self, shard: Shard) -> None:
        """Move a finished shard from the scratch directory to its place."""
        (self.scratch / shard.file).replace(self.path / shard.file)
        note = self._note(shard.file)
        unfinished = note.with_suffix(".part")
        unfinished.write_text(json.dumps(dataclasses.asdict(shard)))
        unfinished.replace(note)

    def kept(self, file: str) -> Shard | None:
        """Return a shard that an interrupted build finished, if its file is intact."""
        note, shard = self._note(file), self.path / file
        if not (note.exists() and shard.exists()):
            return None
        known = json.loads(note.read_text())
        if hashlib.sha256(shard.read_bytes()).hexdigest() != known["sha256"]:
            return None
        return Shard(**{**known, "rows": [Row(**row) for row in known["rows"]]})

    def finish(self, manifest: str) -> None:
        """Write the manifest, last of all; from here on the dataset exists."""
        unfinished = self.path / f"{MANIFEST}.part"
        unfinished.write_text(manifest, encoding="utf-8")
        shutil.rmtree(self.scratch)
        unfinished.replace(self.path / MANIFEST)

    def _note(self, file: str) -> Path:
        return self.scratch / f"{file}.json"
