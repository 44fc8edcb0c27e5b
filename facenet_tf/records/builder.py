"""From a config to a dataset directory."""

from __future__ import annotations

import collections
import dataclasses
import functools
import hashlib
import io
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tensorflow as tf
from tqdm import tqdm

import facenet_tf
from facenet_tf.detection import Detector, recovery
from facenet_tf.errors import InputError, Interrupted
from facenet_tf.records import durable
from facenet_tf.records.changes import changed_options
from facenet_tf.records.config import BuildConfig
from facenet_tf.records.contact_sheet import write_contact_sheet
from facenet_tf.records.dataset import FaceDataset
from facenet_tf.records.detectors import detector_of
from facenet_tf.records.finished import FinishedDataset
from facenet_tf.records.index import make_index
from facenet_tf.records.layout import CONTACT_SHEET, INDEX, REPORT, ROWS
from facenet_tf.records.manifest import make_manifest
from facenet_tf.records.output_directory import OutputDirectory
from facenet_tf.records.plan import Plan, make_plan
from facenet_tf.records.report import write_report
from facenet_tf.records.rows import Row, write_rows
from facenet_tf.records.shard import Shard, ShardWriter
from facenet_tf.records.source import Source, open_source
from facenet_tf.records.workers import WriterFactory, finished_shards

logger = logging.getLogger(__name__)

DetectorFactory = Callable[[BuildConfig], Detector]


def build_dataset(
    config: BuildConfig, make_detector: DetectorFactory = detector_of, *, isolated: bool = False
) -> FaceDataset:
    """Detect, align and store the faces of all pictures.

    A build that was interrupted is continued. Of a finished dataset whose pictures have changed,
    the shards concerned are built again.

    Args:
        config: what to build.
        make_detector: a function of a module, so that worker processes can call it.
        isolated: use worker processes also where one would do, so that a picture that ends a
            process is that picture's loss and not the end of the build.

    Raises:
        InputError: no usable pictures, an output directory that cannot be used, or a finished
            dataset that is up to date or was built with other options.
        Interrupted: the disk is full.
        RuntimeError: worker processes die whatever they do.
    """
    config = config.resolved()
    assert config.output is not None  # resolved() has seen to it
    if config.directory and config.output.resolve().is_relative_to(config.directory.resolve()):
        raise InputError(f"--output {config.output} lies inside the pictures: choose another")
    source = open_source(config)
    try:
        with OutputDirectory(config.output) as output:
            output.claim()
            _build(config, source, make_detector, output, isolated)
    except OSError as error:
        if error.errno not in durable.FULL:
            raise
        raise Interrupted(
            f"--output {config.output}: there is no room left ({error.strerror}): make some, and "
            "the same command continues the build"
        ) from error
    return FaceDataset.open(config.output)


def _build(
    config: BuildConfig,
    source: Source,
    make_detector: DetectorFactory,
    output: OutputDirectory,
    isolated: bool,
) -> None:
    logger.info("%d pictures of %d people", len(source.pictures), len(source.identities))

    detector = make_detector(config)
    about = {
        "detector": detector.describe(),
        "recovery": recovery.describe(detector) if config.recover else None,
        "versions": _versions(),
    }
    finished = FinishedDataset.find(output, config, about)
    plan = make_plan(config, source, about, _shards(finished, output, config, about))
    if finished and finished.is_up_to_date(plan, source):
        output.decline()
        raise InputError(
            f"--output {output.path} already holds a dataset, up to date with its pictures: choose "
            "another, or --overwrite it"
        )
    output.start(plan)
    if not output.is_complete:
        if finished:
            finished.hand_over(plan)
        make_writer = functools.partial(_make_writer, config, make_detector, output.unfinished)
        _fill(config, source, output, plan, about, make_writer, isolated)
    output.publish()


def _shards(
    finished: FinishedDataset | None,
    output: OutputDirectory,
    config: BuildConfig,
    about: dict[str, Any],
) -> int | None:
    """How many shards the dataset has that is brought up to date; None if there is none."""
    if finished:
        return finished.shards
    manifest = output.unpublished()
    if manifest is None or changed_options(manifest, config, about):
        return None
    return len(manifest["shards"])


def _fill(
    config: BuildConfig,
    source: Source,
    output: OutputDirectory,
    plan: Plan,
    about: dict[str, Any],
    make_writer: WriterFactory,
    isolated: bool,
) -> None:
    """All files of the new dataset, the manifest last."""
    shards = _build_shards(config, plan, output, make_writer, isolated)

    splits = [person.split for person in source.identities]
    rows = [
        dataclasses.replace(row, split=splits[row.label]) for shard in shards for row in shard.rows
    ]
    rows.sort(key=lambda row: row.path)
    _check_usable(rows)
    write_rows(output.new / ROWS, rows)
    index = io.BytesIO()
    np.save(index, make_index(rows))
    durable.write(output.new / INDEX, index.getbuffer())
    shard_files = [output.new / shard.file for shard in shards]
    write_contact_sheet(output.new / CONTACT_SHEET, shard_files, rows)
    manifest = make_manifest(config, source, plan.fingerprint, about, shards, rows)
    write_report(output.new / REPORT, manifest, shard_files, rows, source.pictures)
    files = {
        name: hashlib.sha256((output.new / name).read_bytes()).hexdigest()
        for name in (ROWS, INDEX, CONTACT_SHEET, REPORT)
        if (output.new / name).exists()
    }
    output.complete({**manifest, "files": files})


def _make_writer(
    config: BuildConfig, make_detector: DetectorFactory, directory: Path
) -> ShardWriter:
    return ShardWriter(config, make_detector(config), directory)


def _build_shards(
    config: BuildConfig,
    plan: Plan,
    output: OutputDirectory,
    make_writer: WriterFactory,
    isolated: bool,
) -> list[Shard]:
    """All shards by number; those that are there already are taken over."""
    kept = [shard for task in plan.tasks if (shard := output.kept(task))]
    known = {shard.number for shard in kept}
    missing = [task for task in plan.tasks if task.number not in known]
    done = sum(len(shard.rows) for shard in kept)
    if done:
        logger.info("%d pictures are done, %d shards are to be built", done, len(missing))
    workers = min(config.workers or os.cpu_count() or 1, max(1, len(missing)))
    with (
        tqdm(total=len(plan.items), initial=done, unit="img", desc=config.name) as progress,
        finished_shards(
            missing, make_writer, workers if isolated or workers > 1 else 0
        ) as finished,
    ):
        for shard in finished:
            output.keep(shard)
            kept.append(shard)
            progress.update(len(shard.rows))
    return sorted(kept, key=lambda shard: shard.number)


def _check_usable(rows: Sequence[Row]) -> None:
    records = collections.Counter(row.identity for row in rows if row.stored)
    if max(records.values(), default=0) < 2:
        outcomes = collections.Counter(row.outcome for row in rows)
        told = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())
        raise InputError(f"nobody has two usable pictures ({told}): see --face and --fallback")


def _versions() -> dict[str, str]:
    return {
        "facenet_tf": facenet_tf.__version__,
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "tensorflow": tf.__version__,
    }
