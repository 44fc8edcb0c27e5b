"""Builds on a Ray cluster of two nodes on this machine, whole and with losses."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from facenet_tf.errors import InputError
from facenet_tf.records import ray_engine
from facenet_tf.records.builder import build_dataset
from tests.records.fake_faces import (
    SHY,
    FragileDetector,
    SlowDetector,
    SquareDetector,
    draw,
    draw_people,
    make_detector,
    spoil,
)
from tests.records.test_builder import config_for, contents

MEMORY = 80 << 20
ROOT = Path(__file__).parents[2]


def test_without_ray_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    config = config_for(tmp_path, draw_people(tmp_path / "people"), engine="ray")
    with pytest.raises(InputError, match=r"pip install 'facenet-tf\[ray\]'"):
        build_dataset(config, make_detector)
    assert not config.output.exists()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": MEMORY}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    cluster.add_node(**node)
    yield cluster
    cluster.shutdown()


@pytest.fixture
def connected(cluster):
    """A connection of this process, as a program has that uses Ray itself."""
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


class WitnessDetector(SlowDetector):
    """Writes down on which node it is at work."""

    def __init__(self, config):
        super().__init__(config)
        import ray

        self._file = config.output.parent / ray.get_runtime_context().get_node_id()

    def detect(self, images):
        with self._file.open("a") as file:
            file.write("a batch\n")
        return super().detect(images)


def make_witness(config):
    import ray

    on_a_node = ray.get_runtime_context().get_task_id() is not None
    return WitnessDetector(config) if on_a_node else SquareDetector()


@pytest.mark.slow
def test_same_bytes_as_a_local_build_by_both_nodes(connected, root, expected, tmp_path):
    config = config_for(tmp_path, root, shards=8, engine="ray", workers=0)
    dataset = build_dataset(config, make_witness)
    assert contents(dataset.directory) == expected
    nodes = [node["NodeID"] for node in connected.nodes() if node["Alive"]]
    assert {node for node in nodes if (tmp_path / node).exists()} == set(nodes)
    assert len(nodes) == 2


@pytest.mark.slow
def test_a_node_killed_in_the_middle(cluster, connected, root, expected, tmp_path):
    other = cluster.worker_nodes and next(iter(cluster.worker_nodes))
    output = tmp_path / "out"
    at_work = tmp_path / other.node_id

    def kill():
        while not (at_work.exists() and list(output.rglob("notes/*.json"))):
            time.sleep(0.05)
        known.update(path.name for path in output.rglob("notes/*.json"))
        cluster.remove_node(other, allow_graceful=False)

    known: set[str] = set()
    killer = threading.Thread(target=kill)
    killer.start()
    config = config_for(tmp_path, root, shards=8, engine="ray", workers=0)
    try:
        dataset = build_dataset(config, make_witness)
    finally:
        killer.join()
        cluster.add_node(num_cpus=1, object_store_memory=MEMORY)
    assert 0 < len(known) < 8
    assert contents(dataset.directory) == expected


@pytest.mark.slow
def test_a_picture_that_ends_its_process_costs_itself(connected, root, tmp_path):
    people = draw_people(tmp_path / "people", 5, 4)
    spoil(people / "person1" / "2.png", 0)
    spoil(people / "person3" / "1.png", 255)
    local, remote = (
        build_dataset(config_for(tmp_path, people, shards=3, **options), FragileDetector, isolated=True)
        for options in ({"output": "local"}, {"output": "ray", "engine": "ray"})
    )
    assert remote.manifest["outcomes"] == {"crashed": 2, "ok": 18}
    assert contents(remote.directory) == contents(local.directory)


class BrokenDetector(SquareDetector):
    def __init__(self, config):
        super().__init__()

    def detect(self, images):
        raise RuntimeError("out of order")


@pytest.mark.slow
def test_ends_where_nothing_works(connected, root, tmp_path):
    config = config_for(tmp_path, root, shards=2, engine="ray")
    with pytest.raises(RuntimeError, match="first pictures: RuntimeError: out of order"):
        build_dataset(config, BrokenDetector)
    assert not (config.output / "dataset.json").exists()


class OtherThereDetector(SquareDetector):
    """Is not the same on the nodes as where the build was started."""

    def __init__(self, config):
        import ray

        super().__init__(str(ray.get_runtime_context().get_task_id() is None))


@pytest.mark.slow
def test_refuses_nodes_that_would_build_other_records(connected, root, tmp_path):
    config = config_for(tmp_path, root, shards=2, engine="ray")
    with pytest.raises(InputError, match="would build other records: detector .*install the same"):
        build_dataset(config, OtherThereDetector)


def command(root, output, *options):
    words = [root, "--output", output, "--shards", 8, *options]
    return {
        "args": [sys.executable, "-m", "tests.records.fake_command", "SlowDetector", *map(str, words)],
        "cwd": ROOT,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.PIPE,
        "text": True,
    }


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["ended", "killed"])
@pytest.mark.parametrize("engines", ["ray processes", "processes ray"])
def test_interrupted_with_one_engine_continued_with_the_other(
    cluster, root, expected, tmp_path, engines, how
):
    options = {
        "ray": ["--engine", "ray", "--ray-address", cluster.address],
        "processes": ["--workers", "1"],
    }
    first, second = engines.split()
    output = tmp_path / "out"
    process = subprocess.Popen(**command(root, output, *options[first]))
    while process.poll() is None and not list(output.rglob("notes/*.json")):
        time.sleep(0.02)
    process.send_signal(how)
    told = process.communicate()[1]
    assert process.returncode == (75 if how == signal.SIGTERM else -how), told
    assert not (output / "dataset.json").exists()
    done = subprocess.run(**command(root, output, *options[second]), check=False)
    assert done.returncode == 0, done.stderr
    assert "pictures are done" in done.stderr
    assert contents(output) == expected


@pytest.mark.slow
def test_no_cluster_at_the_address(root, tmp_path):
    pytest.importorskip("ray")
    done = subprocess.run(
        **command(root, tmp_path / "out", "--engine", "ray", "--ray-address", "127.0.0.1:1"),
        check=False,
    )
    assert done.returncode == 2
    assert "error: --ray-address 127.0.0.1:1: no cluster answers" in done.stderr


def test_room_follows_the_cluster():
    class Ray:
        processors = 3.0

        @classmethod
        def cluster_resources(cls):
            return {"CPU": cls.processors} if cls.processors else {}

    assert ray_engine._room(Ray) == 6
    Ray.processors = 0
    assert ray_engine._room(Ray) == 1
