"""From a config to a dataset directory."""

from __future__ import annotations

import collections
import functools
import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tensorflow as tf
from tqdm import tqdm

import facenet_tf
from facenet_tf.detection import Detector, recovery
from facenet_tf.errors import InputError
from facenet_tf.records.config import BuildConfig
from facenet_tf.records.contact_sheet import write_contact_sheet
from facenet_tf.records.dataset import FaceDataset
from facenet_tf.records.detectors import detector_of
from facenet_tf.records.layout import CONTACT_SHEET, INDEX, ROWS
from facenet_tf.records.manifest import make_index, make_manifest
from facenet_tf.records.output_directory import OutputDirectory
from facenet_tf.records.plan import Plan, make_plan
from facenet_tf.records.rows import Row, write_rows
from facenet_tf.records.shard import Shard, ShardWriter
from facenet_tf.records.source import Source, open_source
from facenet_tf.records.workers import WriterFactory, finished_shards, use_one_thread

logger = logging.getLogger(__name__)

DetectorFactory = Callable[[BuildConfig], Detector]


def build_dataset(config: BuildConfig, make_detector: DetectorFactory = detector_of) -> FaceDataset:
    """Detect, align and store the faces of all pictures; continue a build that was interrupted.

    Args:
        config: what to build.
        make_detector: a function of a module, so that worker processes can call it.

    Raises:
        InputError: no usable pictures, or an output directory that cannot be used.
        RuntimeError: a worker process was ended from outside.
    """
    config = config.resolved()
    assert config.output is not None  # resolved() has seen to it
    if config.directory and config.output.resolve().is_relative_to(config.directory.resolve()):
        raise InputError(f"--output {config.output} lies inside the pictures: choose another")
    source = open_source(config)
    with OutputDirectory(config.output) as output:
        output.claim(config.overwrite)
        _build(config, source, make_detector, output)
    return FaceDataset.open(config.output)


def _build(
    config: BuildConfig, source: Source, make_detector: DetectorFactory, output: OutputDirectory
) -> None:
    logger.info("%d pictures of %d people", len(source.pictures), len(source.identities))

    use_one_thread()
    about = {
        "detector": make_detector(config).describe(),
        "recovery": recovery.describe() if config.recover else None,
        "versions": _versions(),
    }
    plan = make_plan(config, source, about)
    output.start(plan.fingerprint)
    if not output.is_complete:
        _fill(config, source, make_detector, output, plan, about)
    output.publish()


def _fill(
    config: BuildConfig,
    source: Source,
    make_detector: DetectorFactory,
    output: OutputDirectory,
    plan: Plan,
    about: dict[str, Any],
) -> None:
    """All files of the new dataset, the manifest last."""
    splits = [person.split for person in source.identities]
    make_writer = functools.partial(_make_writer, config, make_detector, splits, output.unfinished)
    shards = _build_shards(config, plan, output, make_writer)

    rows = sorted((row for shard in shards for row in shard.rows), key=lambda row: row.path)
    _check_usable(rows)
    write_rows(output.new / ROWS, rows)
    np.save(output.new / INDEX, make_index(rows))
    files = [output.new / shard.file for shard in shards]
    write_contact_sheet(output.new / CONTACT_SHEET, files, rows)
    output.complete(make_manifest(config, source, plan.fingerprint, about, shards, rows))


def _make_writer(
    config: BuildConfig, make_detector: DetectorFactory, splits: list[str], directory: Path
) -> ShardWriter:
    return ShardWriter(config, make_detector(config), splits, directory)


def _build_shards(
    config: BuildConfig, plan: Plan, output: OutputDirectory, make_writer: WriterFactory
) -> list[Shard]:
    """All shards by number; those that an interrupted build finished are taken over."""
    kept = [shard for task in plan.tasks if (shard := output.kept(task.file))]
    known = {shard.number for shard in kept}
    missing = [task for task in plan.tasks if task.number not in known]
    done = sum(len(shard.rows) for shard in kept)
    if done:
        logger.info("continuing an interrupted build: %d pictures are done", done)
    workers = min(config.workers or os.cpu_count() or 1, max(1, len(missing)))
    with (
        tqdm(total=plan.pictures, initial=done, unit="img", desc=config.name) as progress,
        finished_shards(missing, make_writer, workers) as finished,
    ):
        try:
            for shard in finished:
                output.keep(shard)
                kept.append(shard)
                progress.update(len(shard.rows))
        except BrokenProcessPool as error:
            begun = sorted(path.name for path in output.unfinished.iterdir())
            raise RuntimeError(
                f"a worker process died at {' or '.join(begun) or 'its start'}; the same command "
                "continues, fewer --workers need less memory"
            ) from error
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
