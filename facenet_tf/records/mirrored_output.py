"""A dataset that is put into a store as well, while it is built in its output directory.

A shard goes to the store as soon as it is finished, and after it its note: whoever continues the
build, also with an empty directory on another machine, takes from there what has the task's
fingerprint and the note's SHA-256. ``dataset.json`` comes last and is the first that is removed:
without it there is no dataset in the store.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from facenet_tf.errors import InputError
from facenet_tf.records import durable
from facenet_tf.records.changes import changed_options
from facenet_tf.records.config import BuildConfig
from facenet_tf.records.layout import MANIFEST
from facenet_tf.records.output_directory import OutputDirectory, note_of, sha256_of, shard_of
from facenet_tf.records.plan import ShardTask
from facenet_tf.records.shard import Shard
from facenet_tf.storage import Store

logger = logging.getLogger(__name__)

_SCRATCH = ".building"
_BEGUN, _NOTES = f"{_SCRATCH}/begun", f"{_SCRATCH}/notes"


class MirroredOutput(OutputDirectory):
    """An output directory and the folder of a store that becomes equal to it."""

    def __init__(self, path: Path, store: Store, config: BuildConfig) -> None:
        """Raises InputError if the kind of store is not known here."""
        super().__init__(path)
        self._store, self._config = store, config
        self._begun = False
        self._sizes: dict[str, int] = {}
        self._known: dict[str, str] = {}  # shard file → SHA-256 of what the store has
        store.connect()

    def claim(self) -> None:
        """Claim the directory, and see what is in the store.

        Raises:
            InputError: see `OutputDirectory.claim`, or the store holds something else.
        """
        super().claim()
        self._sizes = self._store.sizes()
        manifest = self._manifest()
        if manifest is None:
            if self._sizes and not any(name.startswith(_SCRATCH) for name in self._sizes):
                self._refuse_store("holds other files: choose an empty place")
            return
        self._known = {shard["file"]: shard["sha256"] for shard in manifest["shards"]}

    def check(self, about: Mapping[str, Any]) -> None:
        """Raises InputError if the store holds a dataset of other options or versions."""
        manifest = self._manifest()
        if manifest is None or self._config.overwrite:
            return
        changed = changed_options(manifest, self._config, about)
        if changed:
            self._refuse_store(
                f"already holds a dataset, built with {', '.join(changed)}: choose another, or "
                "--overwrite it"
            )

    def is_delivered(self, manifest: Mapping[str, Any]) -> bool:
        """Whether the finished dataset is in the store too, with all shards in their sizes."""
        return self._manifest() == manifest and all(
            self._sizes.get(shard["file"]) == shard["bytes"] for shard in manifest["shards"]
        )

    def keep(self, shard: Shard) -> None:
        """Take a finished shard into the new dataset, and put it into the store."""
        super().keep(shard)
        self._put(shard)

    def kept(self, task: ShardTask) -> Shard | None:
        """Return the shard of a task that was finished before, here or in the store."""
        shard = super().kept(task)
        if shard is None:
            return self._fetched(task)
        self._put(shard)
        return shard

    def publish(self) -> None:
        """Complete the store, then put the new dataset in the place of the old one."""
        manifest = self.unpublished()
        if manifest is not None and not self.is_delivered(manifest):
            self._complete(manifest)
        for name in sorted(self._store.sizes(), reverse=True):  # the notes before `_BEGUN`
            if name.startswith(_SCRATCH):
                self._store.remove(name)
        super().publish()

    def _complete(self, manifest: dict[str, Any]) -> None:
        self._begin()
        files = {shard["file"] for shard in manifest["shards"]}
        for name in self._store.sizes():
            if name.endswith(".tfrecord") and name not in files:
                self._store.remove(name)
        # Shards come here only if the build that made them did not know of the store.
        missing = [entry["file"] for entry in manifest["shards"] if not self._has(**entry)]
        for name in (*missing, *manifest["files"], MANIFEST):
            here = self.new / name
            self._store.upload(here if here.exists() else self.path / name, name)

    def _put(self, shard: Shard) -> None:
        if self._has(shard.file, shard.bytes, shard.sha256):
            return
        self._begin()
        self._store.upload(self.new / shard.file, shard.file)
        self._store.write(f"{_NOTES}/{shard.file}.json", note_of(shard))
        self._known[shard.file], self._sizes[shard.file] = shard.sha256, shard.bytes

    def _begin(self) -> None:
        """Say that a build is at work in the store, and no longer that there is a dataset."""
        if self._begun:
            return
        self._store.write(_BEGUN, b"")
        self._store.remove(MANIFEST)
        self._begun = True

    def _has(self, file: str, bytes: int, sha256: str, **_: object) -> bool:
        known = self._known.get(file) or self._note_there(file).get("sha256")
        return known == sha256 and self._sizes.get(file) == bytes

    def _fetched(self, task: ShardTask) -> Shard | None:
        """The shard as the store has it, taken into the new dataset."""
        note = self._note_there(task.file)
        if note.get("task") != task.fingerprint:
            return None
        shard, file = shard_of(note), self.unfinished / task.file
        try:
            self._store.download(task.file, file)
        except OSError:
            return None
        if sha256_of(file) != shard.sha256:
            self._sizes.pop(task.file, None)
            logger.warning("%s is damaged in %s: it is built again", task.file, self._store.url)
            return None
        durable.sync(file)
        super().keep(shard)
        return shard

    def _note_there(self, file: str) -> dict[str, Any]:
        """The store's note of a shard; empty if it has none."""
        name = f"{_NOTES}/{file}.json"
        return self._json(name) or {} if name in self._sizes else {}

    def _manifest(self) -> dict[str, Any] | None:
        return self._json(MANIFEST)

    def _json(self, name: str) -> dict[str, Any] | None:
        try:
            return json.loads(self._store.read(name))
        except (OSError, ValueError):
            return None

    def _refuse_store(self, problem: str) -> NoReturn:
        raise InputError(f"--output-url {self._store.url} {problem}")
