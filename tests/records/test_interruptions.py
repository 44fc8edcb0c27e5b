"""Builds that are ended at any moment, and full disks: nothing is lost, no byte differs."""

import contextlib
import dataclasses
import errno
import functools
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks import counted_build, disturbed
from benchmarks.disturbed import contents, largest_file
from facenet_tf.errors import Interrupted
from facenet_tf.records.builder import build_dataset
from facenet_tf.records.output_directory import OutputDirectory
from facenet_tf.records.shard import ShardWriter
from facenet_tf.records.writer_factory import describe
from tests.records.fake_faces import FACE, SHY, SlowDetector, draw, draw_people, make_detector
from tests.records.test_builder import config_for

ROOT = Path(__file__).parents[2]


def test_the_pictures_of_a_second_look_are_counted_too(tmp_path, monkeypatch):
    monkeypatch.setattr(counted_build, "detector_of", make_detector)
    config, notes = config_for(tmp_path, tmp_path), tmp_path / "notes"
    detector = counted_build.CountingDetector(notes, config)
    assert describe(config, detector)["recovery"]
    nothing = np.zeros((40, 40, 3), np.uint8)
    detector.detect([nothing, nothing])
    assert detector.relaxed().detect([nothing]) == [[]]
    assert counted_build.pictures_shown(notes) == 3


class Ended(BaseException):
    """What a kill is to a build in this process."""


def is_ended(monkeypatch, build, steps, error=Ended):
    """Whether an error ends a build before it changes the disk once more than so many times."""

    def counted(function):
        def call(*arguments, **options):
            nonlocal steps
            if steps == 0:
                raise error
            steps -= 1
            return function(*arguments, **options)

        return call

    changes = (os, "fsync"), (os, "link"), (Path, "replace"), (Path, "unlink"), (shutil, "rmtree")
    with monkeypatch.context() as patch:
        for owner, name in changes:
            patch.setattr(owner, name, counted(getattr(owner, name)))
        try:
            build()
        except (Ended, Interrupted):
            return True
    return False


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """Pictures, and a finished dataset of them."""
    path = tmp_path_factory.mktemp("before")
    root = draw_people(path / "people", 2, 3)
    draw(root / "person0" / "recovered.png", (SHY, 30, 40, 36))
    build_dataset(config_for(path, root, shards=3), make_detector)
    return path


@pytest.fixture(scope="module")
def after(before, tmp_path_factory):
    """The same with changed pictures; both datasets are built from nothing."""
    path = tmp_path_factory.mktemp("after")
    root = shutil.copytree(before / "people", path / "people")
    draw(root / "person1" / "new.png", (FACE, 30, 40, 48), seed=7)
    (root / "person0" / "0.png").unlink()
    build_dataset(config_for(path, root, shards=3), make_detector)
    return path


# A few of all moments in every run, the others where there is time.
MOMENTS = [pytest.param(n, marks=pytest.mark.slow if n % 12 else ()) for n in range(70)]


@pytest.mark.parametrize("steps", MOMENTS)
@pytest.mark.parametrize("finished", [False, True], ids=["new", "changed"])
def test_ended_before_any_change_of_the_disk(before, after, tmp_path, monkeypatch, finished, steps):
    config = config_for(tmp_path, after / "people", shards=3)
    if finished:
        shutil.copytree(before / "out", config.output)
    ended = is_ended(monkeypatch, lambda: build_dataset(config, make_detector), steps)
    build_dataset(config, make_detector)
    assert contents(config.output) == contents(after / "out")
    assert ended or steps > 45


@pytest.mark.parametrize("steps", [0, 5, 12])
def test_other_words_after_an_end_while_publishing(after, tmp_path, monkeypatch, steps):
    config = config_for(tmp_path, after / "people", shards=3)
    publish, write, built = OutputDirectory.publish, ShardWriter.write, []

    def ended(output):
        assert is_ended(monkeypatch, lambda: publish(output), steps)
        raise Ended

    with monkeypatch.context() as patch, contextlib.suppress(Ended):
        patch.setattr(OutputDirectory, "publish", ended)
        build_dataset(config, make_detector)
    drawn = dataclasses.replace(config, variant="drawn")
    with monkeypatch.context() as patch:
        patch.setattr(
            ShardWriter, "write", lambda self, task: (built.append(task), write(self, task))[1]
        )
        assert build_dataset(drawn, make_detector).manifest["variant"] == "drawn"
    assert not built
    fresh = dataclasses.replace(drawn, output=tmp_path / "fresh")
    assert contents(config.output) == contents(build_dataset(fresh, make_detector).directory)


def test_no_room_for_a_shard(after, tmp_path):
    config = config_for(tmp_path, after / "people", shards=3)
    with largest_file(5_000), pytest.raises(Interrupted, match=r"no room left .* same command"):
        build_dataset(config, make_detector)
    assert not (config.output / "dataset.json").exists()
    build_dataset(config, make_detector)
    assert contents(config.output) == contents(after / "out")


@pytest.mark.parametrize("steps", [5, 13, 18])
def test_no_room_for_what_follows(after, tmp_path, monkeypatch, steps):
    config = config_for(tmp_path, after / "people", shards=3)
    full = OSError(errno.ENOSPC, "No space left on device")
    assert is_ended(monkeypatch, lambda: build_dataset(config, make_detector), steps, full)
    build_dataset(config, make_detector)
    assert contents(config.output) == contents(after / "out")


def command(root, output, workers, shards):
    options = [root, "--output", output, "--workers", workers, "--shards", shards]
    return [sys.executable, "-m", "tests.records.fake_command", "SlowDetector", *options]


@pytest.mark.slow
def test_full_disk_with_workers(tmp_path):
    root = draw_people(tmp_path / "people", 4, 5)
    expected = build_dataset(config_for(tmp_path, root, "expected", shards=2), make_detector)
    output = tmp_path / "out"
    build = command(root, output, 2, 2)
    with largest_file(20_000):  # the child inherits it
        stopped = disturbed.run(build, ROOT)
    assert stopped.code == 75, stopped.told
    assert "no room left (File too large)" in stopped.complaint
    assert disturbed.run(build, ROOT).code == 0
    assert contents(output) == contents(expected.directory)


def forked(config):
    """Start a build in a process that has all modules already; returns its id."""
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        build_dataset(config, SlowDetector)
        code = 0
    finally:
        os._exit(code)


@pytest.mark.slow
def test_killed_at_twenty_random_moments(tmp_path):
    root = draw_people(tmp_path / "people", 4, 4)
    draw(root / "person0" / "recovered.png", (SHY, 30, 40, 36))
    begun = time.monotonic()
    config = config_for(tmp_path, root, "expected", shards=4)
    assert os.waitpid(forked(config), 0)[1] == 0
    duration = time.monotonic() - begun
    expected = contents(config.output)
    chance = random.Random(20)
    config, killed, finished = config_for(tmp_path, root, shards=4), 0, 0
    while killed < 20 or config.output.exists():
        process = forked(config)
        if killed < 20:
            time.sleep(chance.uniform(0, duration))
            os.kill(process, signal.SIGKILL)
        status = os.waitpid(process, 0)[1]
        if os.WIFSIGNALED(status):
            killed += 1
            continue
        assert os.waitstatus_to_exitcode(status) == 0
        assert contents(config.output) == expected
        shutil.rmtree(config.output)
        finished += 1
    assert finished >= 1


@pytest.mark.slow
def test_killed_with_workers_at_twenty_random_moments(tmp_path):
    root = draw_people(tmp_path / "people", 8, 5)
    draw(root / "person0" / "recovered.png", (SHY, 30, 40, 36))
    expected = build_dataset(config_for(tmp_path, root, "expected", shards=8), make_detector)
    chance = random.Random(20)
    output, killed, finished = tmp_path / "out", 0, 0
    while killed < 20 or output.exists():
        build = command(root, output, chance.choice((1, 2)), 8)
        moment = functools.partial(wait_for_a_moment, output, chance) if killed < 20 else None
        ended = disturbed.run(build, ROOT, moment)
        if ended.killed:
            killed += 1
            continue
        assert ended.code == 0, ended.told
        assert contents(output) == contents(expected.directory)
        shutil.rmtree(output)
        finished += 1
    assert finished >= 1


def wait_for_a_moment(output, chance, process):
    """Wait until it works, half of the times until a further shard is finished, and a while."""

    def done():
        return len(list(output.rglob("notes/*.json")))

    known, for_a_shard = done(), chance.random() < 0.5
    while process.poll() is None:
        time.sleep(0.02)
        if (done() > known) if for_a_shard else (output / ".building").exists():
            break
    time.sleep(chance.uniform(0, 0.5 if for_a_shard else 6))
