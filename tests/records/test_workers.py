"""Builds whose worker processes are interrupted, killed or fail."""

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.disturbed import contents
from facenet_tf.datasets.picture import Picture
from facenet_tf.records import workers
from facenet_tf.records.builder import build_dataset
from facenet_tf.records.plan import Item, ShardTask
from facenet_tf.records.schema import parse
from tests.records.fake_faces import (
    FragileDetector,
    SquareDetector,
    draw_people,
    make_detector,
    spoil,
)
from tests.records.test_builder import config_for


@pytest.mark.slow
def test_sigterm_with_two_workers_is_continued(tmp_path):
    root = draw_people(tmp_path / "people", 6, 3)
    expected = build_dataset(config_for(tmp_path, root, "expected", shards=6), make_detector)
    output = tmp_path / "out"
    options = [root, "--output", output, "--shards", "6", "--workers", "2"]
    command = [sys.executable, "-m", "tests.records.fake_command", "StuckDetector"]
    command += map(str, options)
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


@pytest.mark.slow
def test_failing_worker_ends_the_build(tmp_path):
    root = draw_people(tmp_path / "people")
    config = config_for(tmp_path, root, workers=2, shards=2)
    with pytest.raises(RuntimeError, match="first pictures: RuntimeError: out of order"):
        build_dataset(config, BrokenDetector)
    assert not (config.output / "dataset.json").exists()


def test_picture_that_ends_a_worker_costs_itself(tmp_path, monkeypatch):
    # A fork is there at once, and does well as long as TensorFlow computes nothing.
    fork = multiprocessing.get_context("fork")
    monkeypatch.setattr(workers.multiprocessing, "get_context", lambda kind: fork)
    root = draw_people(tmp_path / "people", 5, 4)
    spoil(root / "person1" / "2.png", 0)
    spoil(root / "person3" / "0.png", 0)
    spoil(root / "person3" / "1.png", 255)
    one, dataset = (
        build_dataset(
            config_for(tmp_path, root, f"{count}", workers=count, shards=3),
            FragileDetector,
            isolated=True,
        )
        for count in (1, 2)
    )
    assert contents(one.directory) == contents(dataset.directory)
    crashed = {row.path: row.detail for row in dataset.rows if row.outcome == "crashed"}
    assert crashed == {
        "person1/2.png": "it ended the process that tried it",
        "person3/0.png": "it ended the process that tried it",
        "person3/1.png": "ValueError: a white corner",
    }
    assert dataset.manifest["outcomes"] == {"crashed": 3, "ok": 17}
    whole = build_dataset(config_for(tmp_path, root, "whole", shards=3), make_detector)
    expected = {key: crop_of(whole, number) for number, key in enumerate(whole.keys())}
    found = {key: crop_of(dataset, number) for number, key in enumerate(dataset.keys())}
    assert found == {key: expected[key] for key in expected if key not in crashed}


def crop_of(dataset, record):
    return parse(dataset.read([record])[0]).encoded


class TestMarking:
    """Which picture is guilty, decided without processes."""

    @pytest.fixture
    def rehearsed(self, monkeypatch):
        tried = []

        def rehearse(pool, item):
            tried.append(item.sha256)
            return ("it failed", False) if item.sha256.startswith("bad") else ("", True)

        monkeypatch.setattr(workers, "_rehearse_in", rehearse)
        monkeypatch.setattr(workers, "_processes", lambda *_: contextlib.nullcontext())
        return tried

    @staticmethod
    def task(*names):
        items = tuple(Item(Picture(name, "a", Path(name)), 0, name) for name in names)
        return ShardTask(0, "shard", items, "")

    def test_only_the_guilty_are_marked_and_each_is_tried_once(self, rehearsed):
        names = ["good1", "bad1", "good2", "bad2", "bad3", "good3"]
        marked = workers._marked(self.task(*names), None)
        assert [bool(item.crash) for item in marked.items] == [n.startswith("bad") for n in names]
        assert rehearsed == names

    def test_a_shard_of_guilty_ones_only(self, rehearsed):
        names = [f"bad{number}" for number in range(4)]
        assert all(item.crash for item in workers._marked(self.task(*names), None).items)

    def test_gives_up_where_nothing_works(self, rehearsed):
        names = [f"bad{number}" for number in range(40)]
        with pytest.raises(RuntimeError, match="at each of its first pictures: it failed"):
            workers._marked(self.task(*names), None)
        assert len(rehearsed) == 5


class BrokenDetector(SquareDetector):
    def __init__(self, config):
        super().__init__()

    def detect(self, images):
        raise RuntimeError("out of order")
