"""Builds on a Ray cluster of two nodes on this machine, whole and with losses."""

import dataclasses
import multiprocessing
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from facenet_tf.errors import InputError
from facenet_tf.records import ray_engine, workers
from facenet_tf.records.builder import build_dataset
from facenet_tf.records.output_directory import OutputDirectory
from tests.records.fake_faces import (
    SHY,
    FragileDetector,
    SquareDetector,
    draw,
    draw_people,
    make_detector,
    spoil,
)
from tests.records.test_builder import config_for, contents

NODE = {"num_cpus": 1, "object_store_memory": 80 << 20}
ROOT = Path(__file__).parents[2]


def test_without_ray_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    config = config_for(tmp_path, draw_people(tmp_path / "people"), engine="ray")
    with pytest.raises(InputError, match=r"pip install 'facenet-tf\[ray\]'"):
        build_dataset(config, make_detector)
    assert not config.output.exists()


@pytest.mark.parametrize(
    ("address", "complaint"),
    [("127.0.0.1:1", "no cluster answers"), ("head", "give HOST:PORT"), ("h:x", "give HOST:PORT")],
)
def test_no_cluster_at_the_address(tmp_path, address, complaint):
    pytest.importorskip("ray")
    people = draw_people(tmp_path / "people")
    config = config_for(tmp_path, people, engine="ray", ray_address=address)
    with pytest.raises(InputError, match=f"--ray-address {address}: {complaint}"):
        build_dataset(config, make_detector)
    assert not config.output.exists()


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory):
    """Pictures of which one cannot be done, and what a local build makes of them."""
    path = tmp_path_factory.mktemp("poisoned")
    people = draw_people(path / "people", 5, 4)
    spoil(people / "person1" / "2.png", 0)
    with pytest.MonkeyPatch.context() as patch:
        # A fork is there at once, and does well as long as TensorFlow computes nothing.
        fork = multiprocessing.get_context("fork")
        patch.setattr(workers.multiprocessing, "get_context", lambda kind: fork)
        config = config_for(path, people, shards=2)
        build_dataset(config, FragileDetector, isolated=True)
    return people, contents(config.output)


@pytest.fixture(scope="module")
def cluster(poisoned):  # which forks, and comes before there are threads
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args=NODE)
    cluster.add_node(**NODE)
    yield cluster
    cluster.shutdown()


@pytest.fixture(scope="module")
def connected(cluster):
    """A connection of this process, as a program has that uses Ray itself: one for all tests, so
    that the cluster's processes import TensorFlow once."""
    import ray

    ray.init(cluster.address, log_to_driver=False)
    yield ray
    ray.shutdown()


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = draw_people(tmp_path_factory.mktemp("pictures") / "people", 8, 5)
    draw(root / "person0" / "recovered.png", (SHY, 30, 40, 36))
    return root


@pytest.fixture(scope="module")
def expected(root, tmp_path_factory):
    config = config_for(tmp_path_factory.mktemp("local"), root, shards=8)
    return contents(build_dataset(config, make_detector).directory)


class WitnessDetector(SquareDetector):
    """Says on which node it is at work, and waits for the other; is stuck where it shall be."""

    def __init__(self, config):
        super().__init__()
        self._nodes = config.output.parent / "nodes"
        self._file = self._nodes / ray_node()
        self._file.touch()
        while len(list(self._nodes.iterdir())) < 2:
            time.sleep(0.05)

    def detect(self, images):
        while (self._nodes.parent / f"stuck-{self._file.name}").exists():
            time.sleep(0.05)
        with self._file.open("a") as file:
            file.write(f"{len(images)} pictures\n")
        return super().detect(images)


def ray_node():
    """Id of the node whose task this process does; None if it does none."""
    import ray

    context = ray.get_runtime_context()
    return context.get_node_id() if context.get_task_id() else None


def make_witness(config):
    return WitnessDetector(config) if ray_node() else SquareDetector()


@pytest.fixture
def witnessed(root, tmp_path):
    (tmp_path / "nodes").mkdir()
    return config_for(tmp_path, root, shards=8, engine="ray", workers=0)


@pytest.mark.slow
def test_same_bytes_as_a_local_build_by_both_nodes(connected, witnessed, expected, tmp_path):
    pytest.importorskip("fsspec")
    url = f"file://{witnessed.directory}"  # each process reads the pictures by URL
    config = dataclasses.replace(witnessed, directory=None, source_url=url)
    dataset = build_dataset(config, make_witness)
    assert contents(dataset.directory) == expected
    alive = {node["NodeID"] for node in connected.nodes() if node["Alive"]}
    did = {path.name: path.read_text() for path in (tmp_path / "nodes").iterdir()}
    assert did.keys() == alive
    assert len(did) == 2
    assert all(did.values())


@pytest.mark.slow
def test_a_node_killed_in_the_middle(cluster, connected, witnessed, expected, tmp_path, caplog):
    other = next(iter(cluster.worker_nodes))
    (tmp_path / f"stuck-{other.node_id}").touch()
    finished = []

    def kill():
        while not finished:
            time.sleep(0.05)
            finished.extend(witnessed.output.rglob("notes/*.json"))
        cluster.remove_node(other, allow_graceful=False)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    dataset = build_dataset(witnessed, make_witness)
    killer.join()
    cluster.add_node(**NODE)
    assert 0 < len(finished) < 8
    assert "is done again" in caplog.text
    assert contents(dataset.directory) == expected


@pytest.mark.slow
def test_a_picture_that_ends_its_process_costs_itself(connected, poisoned, tmp_path):
    people, expected = poisoned
    dataset = build_dataset(config_for(tmp_path, people, shards=2, engine="ray"), FragileDetector)
    assert dataset.manifest["outcomes"] == {"crashed": 1, "ok": 19}
    assert contents(dataset.directory) == expected


class BrokenDetector(SquareDetector):
    def __init__(self, config):
        super().__init__()

    def detect(self, images):
        raise RuntimeError("out of order")


@pytest.mark.slow
def test_ends_where_nothing_works(connected, root, tmp_path):
    config = config_for(tmp_path, root, shards=1, engine="ray")
    with pytest.raises(RuntimeError, match="first pictures: RuntimeError: out of order"):
        build_dataset(config, BrokenDetector)
    assert not (config.output / "dataset.json").exists()


class OtherThereDetector(SquareDetector):
    """Is not the same on the nodes as where the build was started."""

    def __init__(self, config):
        super().__init__("a node" if ray_node() else "here")


@pytest.mark.slow
def test_refuses_nodes_that_would_build_other_records(connected, root, tmp_path):
    config = config_for(tmp_path, root, shards=2, engine="ray")
    with pytest.raises(InputError, match=r"would build other records: detector .*install the same"):
        build_dataset(config, OtherThereDetector)


def command(root, output, *options):
    words = [root, "--output", output, "--shards", 8, *options]
    return {
        "args": [
            sys.executable,
            "-m",
            "tests.records.fake_command",
            "SlowDetector",
            *map(str, words),
        ],
        "cwd": ROOT,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.PIPE,
        "text": True,
    }


@pytest.mark.slow
@pytest.mark.parametrize("engines", [("ray", "processes"), ("processes", "ray")])
def test_interrupted_with_one_engine_continued_with_the_other(
    connected, root, expected, tmp_path, monkeypatch, engines
):
    first, second = (config_for(tmp_path, root, shards=8, engine=engine) for engine in engines)
    keep, kept = OutputDirectory.keep, []

    def interrupted(output, shard):
        if len(kept) == 3:
            raise KeyboardInterrupt
        kept.append(shard.file)
        keep(output, shard)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(OutputDirectory, "keep", interrupted)
        build_dataset(first, make_detector)
    assert len(list(first.output.rglob("notes/*.json"))) == 3

    def counted(output, shard):
        kept.append(shard.file)
        keep(output, shard)

    monkeypatch.setattr(OutputDirectory, "keep", counted)
    assert contents(build_dataset(second, make_detector).directory) == expected
    assert len(kept) == len(set(kept)) == 8


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["ended", "killed"])
def test_command_ended_while_ray_is_at_work(cluster, root, expected, tmp_path, how):
    output = tmp_path / "out"
    address = ["--engine", "ray", "--ray-address", cluster.address]
    process = subprocess.Popen(**command(root, output, *address))
    while process.poll() is None and not list(output.rglob("notes/*.json")):
        time.sleep(0.02)
    process.send_signal(how)
    told = process.communicate()[1]
    assert process.returncode == (75 if how == signal.SIGTERM else -how), told
    assert not (output / "dataset.json").exists()
    config = config_for(tmp_path, root, shards=8)
    assert contents(build_dataset(config, make_detector).directory) == expected


def test_room_follows_the_cluster():
    class Ray:
        processors = 3.0

        @classmethod
        def cluster_resources(cls):
            return {"CPU": cls.processors} if cls.processors else {}

    assert ray_engine._room(Ray) == 6
    Ray.processors = 0
    assert ray_engine._room(Ray) == 1
