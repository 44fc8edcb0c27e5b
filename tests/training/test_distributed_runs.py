"""Whole runs on several replicas: equal to a run on one, and to themselves after a kill.

Two worker processes share this machine; a machine of several devices is one of logical CPUs.
"""

import csv
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
OPTIONS = [
    *("--width", "4", "--embedding-size", "8", "--steps-per-epoch", "6"),
    *("--warm-up.epochs", "0", "--main.epochs", "4"),
    *("--main.identities-per-batch", "2", "--main.images-per-identity", "4"),
    *("--jit", "off", "--threads", "1"),
]
PATIENCE = 600  # for tracing on a busy machine

pytestmark = pytest.mark.slow


def free_addresses(count: int) -> list[str]:
    sockets = [socket.create_server(("localhost", 0)) for _ in range(count)]
    try:
        return [f"localhost:{one.getsockname()[1]}" for one in sockets]
    finally:
        for one in sockets:
            one.close()


class Process:
    """train.py on some logical devices, alone or as one of the workers."""

    def __init__(
        self,
        dataset: Path,
        run: Path,
        log: Path,
        *options: str,
        tf_config: str = "",
        devices: int = 1,
    ):
        program = ["-m", "tests.training.replica_run", str(devices)]
        command = [sys.executable, *program, str(dataset), "--output", str(run)]
        environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1"}
        if tf_config:
            environment["TF_CONFIG"] = tf_config
        self.log = log
        with log.open("w") as file:
            self.process = subprocess.Popen(
                [*command, *OPTIONS, *options],
                cwd=ROOT,
                env=environment,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def ends_with(self, code: int) -> None:
        try:
            assert self.process.wait(PATIENCE) == code, self.log.read_text()[-3000:]
        finally:
            self.process.kill()


def two_workers(dataset: Path, run: Path, logs: Path, *options: str) -> list[Process]:
    cluster = {"worker": free_addresses(2)}
    return [
        Process(
            dataset,
            run,
            logs / f"{run.name}-{index}.log",
            "--distribute",
            "multiworker",
            *options,
            tf_config=json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}}),
        )
        for index in range(2)
    ]


def history(run: Path) -> list[dict[str, str]]:
    if not (run / "history.csv").exists():
        return []
    with (run / "history.csv").open() as file:
        return list(csv.DictReader(file))


def weights(run: Path) -> list[np.ndarray]:
    return keras.saving.load_model(run / "model.keras", safe_mode=True).get_weights()


@pytest.fixture(scope="module")
def alone(dataset, tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("alone")
    Process(
        dataset.directory, directory / "run", directory / "log", "--checkpoint.keep", "9"
    ).ends_with(0)
    return directory / "run"


@pytest.fixture(scope="module")
def undisturbed(dataset, tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("undisturbed")
    for worker in two_workers(dataset.directory, directory / "run", directory):
        worker.ends_with(0)
    return directory / "run"


def assert_nearly_equal(run: Path, other: Path) -> None:
    for mine, theirs in zip(history(run), history(other), strict=True):
        for name in ("loss", "gradient_norm", "mean_distance", "val_auc"):
            assert float(mine[name]) == pytest.approx(float(theirs[name]), rel=1e-3, abs=1e-4), name
    for mine, theirs in zip(weights(run), weights(other), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-2, atol=1e-3)


def assert_equal(run: Path, other: Path) -> None:
    names = ("epoch", "loss", "gradient_norm", "val_auc")
    for mine, theirs in zip(history(run), history(other), strict=True):
        assert [mine[name] for name in names] == [theirs[name] for name in names]
    for mine, theirs in zip(weights(run), weights(other), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def wait_for(what: Callable[[], object], worker: Process) -> None:
    """Until it is so, or the worker has ended."""
    end = time.monotonic() + PATIENCE
    while not what() and time.monotonic() < end and worker.process.poll() is None:
        time.sleep(0.05)


def test_two_workers_come_to_what_one_process_does(undisturbed, alone):
    assert_nearly_equal(undisturbed, alone)
    record = json.loads((undisturbed / "config.json").read_text())["distribution"]
    assert (record["replicas"], record["workers"]) == (2, 2)


def test_a_run_on_one_device_goes_on_on_two(dataset, alone, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(alone, run)
    kept = sorted((run / "checkpoints").iterdir())
    for newer in kept[-2:]:
        shutil.rmtree(newer)
    options = ("--resume", "--distribute", "mirrored", "--checkpoint.keep", "9")
    Process(dataset.directory, run, tmp_path / "log", *options, devices=2).ends_with(0)
    assert "resumed after" in (tmp_path / "log").read_text()
    assert json.loads((run / "config.json").read_text())["distribution"]["replicas"] == 2
    assert_nearly_equal(run, alone)


def test_a_batch_that_does_not_divide_is_refused_in_a_line(dataset, tmp_path):
    options = ("--distribute", "mirrored", "--main.images-per-identity", "3")
    Process(dataset.directory, tmp_path / "run", tmp_path / "log", *options, devices=8).ends_with(2)
    lines = (tmp_path / "log").read_text().splitlines()
    said = [line for line in lines if line.startswith("error:")]
    assert len(said) == 1
    assert "images-per-identity 3: a batch has to divide by the 8 replicas" in said[0]
    assert not (tmp_path / "run").exists()


def test_what_each_worker_found_by_itself_is_the_chiefs():
    cluster = {"worker": free_addresses(2)}
    numbers = [["7", "0.1", "-1"], ["3", "nan", "1e30"]]
    workers = []
    for index, own in enumerate(numbers):
        task = {"cluster": cluster, "task": {"type": "worker", "index": index}}
        variables = {"TF_CONFIG": json.dumps(task), "CUDA_VISIBLE_DEVICES": "-1"}
        program = [sys.executable, "-m", "tests.training.replica_talk", *own]
        workers.append(
            subprocess.Popen(
                program, cwd=ROOT, env={**os.environ, **variables}, stdout=subprocess.PIPE
            )
        )
    told = [json.loads(worker.communicate(timeout=PATIENCE)[0]) for worker in workers]
    assert told == [[[7.0, 0.1, -1.0]]] * 2


def test_two_workers_draw_the_same_confused_people(dataset, alone, tmp_path):
    hard = ("--main.sampling.hard", "0.5")
    Process(dataset.directory, tmp_path / "one", tmp_path / "log", *hard).ends_with(0)
    for worker in two_workers(dataset.directory, tmp_path / "two", tmp_path, *hard):
        worker.ends_with(0)
    assert_nearly_equal(tmp_path / "two", tmp_path / "one")
    assert history(tmp_path / "one")[-1]["loss"] != history(alone)[-1]["loss"]


def stopped_at(worker: Process) -> int:
    """The step of the run that a worker says it stopped after."""
    (found,) = re.findall(r"stopped after .*\(step (\d+)\)", worker.log.read_text())
    return int(found)


def test_workers_stop_after_the_same_step_whichever_is_asked(dataset, undisturbed, tmp_path):
    run = tmp_path / "run"
    for asked in (1, 0):
        resume = ["--resume"] if run.exists() else []
        lines = len(history(run))
        workers = two_workers(dataset.directory, run, tmp_path, *resume)
        wait_for(lambda lines=lines: len(history(run)) > lines, workers[0])
        workers[asked].process.send_signal(signal.SIGTERM)
        for worker in workers:
            worker.ends_with(75)
        assert "SIGTERM: stopped after" in workers[asked].log.read_text()
        assert "another worker is asked to stop" in workers[1 - asked].log.read_text()
        steps = {stopped_at(worker) for worker in workers}
        assert steps == {max(int(kept.name) for kept in (run / "checkpoints").iterdir())}
    for worker in two_workers(dataset.directory, run, tmp_path, "--resume"):
        worker.ends_with(0)
    assert_equal(run, undisturbed)


@pytest.mark.parametrize("killed", [0, 1], ids=["chief", "other"])
def test_whichever_is_killed_all_start_again_as_if_nothing_was(
    dataset, undisturbed, tmp_path, killed
):
    run = tmp_path / "run"
    workers = two_workers(dataset.directory, run, tmp_path)
    wait_for(lambda: history(run), workers[0])
    workers[killed].process.kill()
    left = workers[1 - killed]
    left.ends_with(75)
    assert "another worker was lost" in left.log.read_text()
    assert "--resume" in left.log.read_text()
    assert 1 <= len(history(run)) < 4
    for worker in two_workers(dataset.directory, run, tmp_path, "--resume"):
        worker.ends_with(0)
    assert_equal(run, undisturbed)
