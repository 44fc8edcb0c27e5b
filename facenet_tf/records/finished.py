"""A finished dataset in the output directory, to be brought up to date with its pictures."""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

from facenet_tf.errors import InputError
from facenet_tf.records import checksums
from facenet_tf.records.changes import changed_options, changed_pictures
from facenet_tf.records.config import BuildConfig
from facenet_tf.records.dataset import read_manifest
from facenet_tf.records.layout import ROWS
from facenet_tf.records.output_directory import OutputDirectory
from facenet_tf.records.plan import Plan
from facenet_tf.records.rows import read_rows
from facenet_tf.records.shard import Shard

logger = logging.getLogger(__name__)


class FinishedDataset:
    """The dataset that a build finds in its output directory.

    Attributes:
        shards: how many it has; it keeps that number.
    """

    def __init__(self, output: OutputDirectory, manifest: dict[str, Any]) -> None:
        self._output = output
        self._manifest = manifest
        self.shards = len(manifest["shards"])

    @classmethod
    def find(
        cls, output: OutputDirectory, config: BuildConfig, about: dict[str, Any]
    ) -> FinishedDataset | None:
        """Return what is there, or None where there is nothing, or it is to be overwritten.

        Raises:
            InputError: it was built with other options or versions, or cannot be read.
        """
        if config.overwrite or not output.is_finished:
            return None
        manifest = read_manifest(output.path)
        changed = changed_options(manifest, config, about)
        if changed:
            output.decline()
            raise InputError(
                f"--output {output.path} already holds a dataset, built with {', '.join(changed)}: "
                "choose another, or --overwrite it"
            )
        return cls(output, manifest)

    def is_up_to_date(self, plan: Plan) -> bool:
        """Whether the same dataset would be made now, and its files are there."""
        return (
            plan.is_done(self._manifest)
            and not self._incomplete()
            and self._output.is_delivered(self._manifest)
        )

    def hand_over(self, plan: Plan) -> None:
        """Give the shards that a plan has too to the new dataset, and say what has changed."""
        directory, known = self._output.path, self._manifest["files"].get(ROWS)
        try:
            intact = checksums.of_file(directory / ROWS) == known
        except OSError:
            intact = False
        if not intact:
            logger.warning("%s is missing or damaged: all shards are built again", ROWS)
            return
        rows = {row.path: row for row in read_rows(directory / ROWS)}
        changes = changed_pictures(list(rows.values()), plan.items)
        logger.info("pictures changed since the dataset was built: %s", changes)
        shards = {shard["file"]: shard for shard in self._manifest["shards"]}
        for task in plan.tasks:
            old = shards[task.file]
            if old["task"] != task.fingerprint or self._output.kept(task):
                continue
            members = [dataclasses.replace(rows[item.picture.key], split="") for item in task.items]
            size, sha256 = old["bytes"], old["sha256"]
            shard = Shard(task.number, task.file, size, sha256, members, task.fingerprint)
            if not self._output.adopt(shard):
                logger.warning("%s is missing or damaged: it is built again", task.file)

    def _incomplete(self) -> bool:
        """Whether a file is missing or has another size, or the manifest lacks its checksum."""
        directory = self._output.path
        sizes = [(directory / shard["file"], shard["bytes"]) for shard in self._manifest["shards"]]
        return (
            checksums.CHECKSUM not in self._manifest
            or not all((directory / name).is_file() for name in self._manifest["files"])
            or any(not path.is_file() or path.stat().st_size != size for path, size in sizes)
        )
