"""From a config to a dataset directory."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import functools
import io
import logging
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from facenet_tf.errors import InputError, Interrupted
from facenet_tf.records import checksums, durable
from facenet_tf.records.changes import changed_options
from facenet_tf.records.config import BuildConfig
from facenet_tf.records.contact_sheet import write_contact_sheet
from facenet_tf.records.dataset import FaceDataset
from facenet_tf.records.detectors import detector_of
from facenet_tf.records.filters import LIMITS
from facenet_tf.records.finished import FinishedDataset
from facenet_tf.records.index import make_index
from facenet_tf.records.layout import CONTACT_SHEET, INDEX, REPORT, ROWS
from facenet_tf.records.manifest import make_manifest
from facenet_tf.records.mirrored_output import MirroredOutput
from facenet_tf.records.output_directory import OutputDirectory
from facenet_tf.records.plan import Plan, ShardTask, make_plan
from facenet_tf.records.report import write_report
from facenet_tf.records.rows import Row, write_rows
from facenet_tf.records.shard import Shard
from facenet_tf.records.source import Source, open_source
from facenet_tf.records.workers import Engine, finished_shards
from facenet_tf.records.writer_factory import DetectorFactory, WriterFactory, describe
from facenet_tf.storage import Store

logger = logging.getLogger(__name__)


def build_dataset(
    config: BuildConfig, make_detector: DetectorFactory = detector_of, *, isolated: bool = False
) -> FaceDataset:
    """Detect, align and store the faces of all pictures.

    A build that was interrupted is continued. Of a finished dataset whose pictures have changed,
    the shards concerned are built again; one that is up to date stays as it is.

    Args:
        config: what to build.
        make_detector: a function of a module, so that worker processes can call it.
        isolated: use worker processes also where one would do, so that a picture that ends a
            process is that picture's loss and not the end of the build.

    Raises:
        InputError: no usable pictures, an output directory that cannot be used, or a finished
            dataset that was built with other options.
        Interrupted: the disk is full.
        RuntimeError: worker processes die whatever they do.
    """
    config = config.resolved()
    assert config.output is not None  # resolved() has seen to it
    if config.directory and config.output.resolve().is_relative_to(config.directory.resolve()):
        raise InputError(f"--output {config.output} lies inside the pictures: choose another")
    try:
        # Whether cluster and store answer is known before the pictures are listed.
        with _engine(config, isolated) as engine, _output(config) as output:
            source = open_source(config)
            output.claim()
            _build(config, source, make_detector, output, engine)
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
    engine: Engine,
) -> None:
    logger.info("%d pictures of %d people", len(source.pictures), len(source.identities))
    about = describe(config, make_detector(config))
    finished = FinishedDataset.find(output, config, about)
    output.check(about)
    plan = make_plan(config, source, about, _shards(finished, output, config, about))
    if finished and finished.is_up_to_date(plan):
        output.decline()
        logger.info("%s is up to date with its pictures: nothing is to be built", output.path)
        return
    output.start(plan)
    if not output.is_complete:
        if finished:
            finished.hand_over(plan)
        factory = WriterFactory(output.unfinished, config, make_detector, about)
        _fill(config, source, output, plan, factory, engine)
    output.publish()


def _engine(config: BuildConfig, isolated: bool) -> contextlib.AbstractContextManager[Engine]:
    if config.engine == "ray":
        from facenet_tf.records.ray_engine import cluster

        return cluster(config.ray_address, config.workers)
    return contextlib.nullcontext(functools.partial(_on_this_machine, config.workers, isolated))


def _output(config: BuildConfig) -> OutputDirectory:
    assert config.output is not None  # resolved() has seen to it
    if config.output_url is None:
        return OutputDirectory(config.output)
    return MirroredOutput(config.output, Store(config.output_url), config)


def _on_this_machine(
    workers: int, isolated: bool, tasks: Sequence[ShardTask], factory: WriterFactory
) -> contextlib.AbstractContextManager[Iterator[Shard]]:
    workers = min(workers or os.cpu_count() or 1, max(1, len(tasks)))
    return finished_shards(tasks, factory, workers if isolated or workers > 1 else 0)


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
    factory: WriterFactory,
    engine: Engine,
) -> None:
    """All files of the new dataset, the manifest last."""
    shards = _build_shards(plan, output, factory, engine)

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
    manifest = make_manifest(config, source, plan.fingerprint, factory.about, shards, rows)
    write_report(output.new / REPORT, manifest, shard_files, rows, source.pictures)
    files = {
        name: checksums.of_file(output.new / name)
        for name in (ROWS, INDEX, CONTACT_SHEET, REPORT)
        if (output.new / name).exists()
    }
    output.complete(checksums.sealed({**manifest, "files": files}))


def _build_shards(
    plan: Plan, output: OutputDirectory, factory: WriterFactory, engine: Engine
) -> list[Shard]:
    """All shards by number; those that are there already are taken over."""
    kept = [shard for task in plan.tasks if (shard := output.kept(task))]
    known = {shard.number for shard in kept}
    missing = [task for task in plan.tasks if task.number not in known]
    done = sum(len(shard.rows) for shard in kept)
    if done:
        logger.info("%d pictures are done, %d shards are to be built", done, len(missing))
    name, total = factory.config.name, len(plan.items)
    with (
        tqdm(total=total, initial=done, unit="img", desc=name) as progress,
        engine(missing, factory) as finished,
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
        limits = [LIMITS[outcome] for outcome in LIMITS if outcome in outcomes]
        options = ", ".join(["--face", "--fallback", *limits])
        raise InputError(f"nobody has two usable pictures ({told}): see {options}")
