"""Builds whose worker processes are interrupted, killed or fail."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from facenet_tf.records.builder import build_dataset
from tests.records.fake_faces import SquareDetector, draw_people, make_detector
from tests.records.test_builder import config_for, contents


@pytest.mark.slow
def test_sigterm_with_two_workers_is_continued(tmp_path):
    root = draw_people(tmp_path / "people", 6, 3)
    expected = build_dataset(config_for(tmp_path, root, "expected", shards=6), make_detector)
    output = tmp_path / "out"
    script = (
        "import functools\n"
        "from facenet_tf import cli\n"
        "from facenet_tf.commands import build_tfrecords\n"
        "from facenet_tf.records import builder\n"
        "from tests.records.fake_faces import StuckDetector\n"
        "build = builder.build_dataset\n"
        "builder.build_dataset = functools.partial(build, make_detector=StuckDetector)\n"
        "cli.run(build_tfrecords.main)\n"
    )
    options = [root, "--output", output, "--shards", "6", "--workers", "2"]
    command = [sys.executable, "-c", script, *map(str, options)]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2], stderr=subprocess.PIPE)
    while process.poll() is None and not list(output.rglob("notes/*.json")):
        time.sleep(0.1)
    process.terminate()
    told = process.communicate()[1].decode()
    assert process.returncode == 75, told
    assert "the same command continues" in told
    config = config_for(tmp_path, root, shards=6)
    assert contents(build_dataset(config, make_detector).directory) == contents(expected.directory)


@pytest.mark.slow
def test_killed_worker_names_the_shard(tmp_path):
    root = draw_people(tmp_path / "people")
    config = config_for(tmp_path, root, workers=2, shards=2)
    with pytest.raises(RuntimeError, match=r"worker process died at shard-0000\d-of-00002"):
        build_dataset(config, DeadlyDetector)


class DeadlyDetector(SquareDetector):
    def __init__(self, config):
        super().__init__()

    def detect(self, images):
        os.kill(os.getpid(), signal.SIGKILL)


def test_failing_worker_ends_the_build(tmp_path):
    root = draw_people(tmp_path / "people")
    config = config_for(tmp_path, root, workers=2, shards=4)
    with pytest.raises(RuntimeError, match="out of order"):
        build_dataset(config, BrokenDetector)
    assert not (config.output / "dataset.json").exists()


class BrokenDetector(SquareDetector):
    def __init__(self, config):
        super().__init__()

    def detect(self, images):
        raise RuntimeError("out of order")
