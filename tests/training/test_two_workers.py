"""Two worker processes on one machine: equal to one process, and to themselves after a kill."""

import csv
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
OPTIONS = (
    "--width 4 --embedding-size 8 --steps-per-epoch 6 --warm-up.epochs 0 --main.epochs 4 "
    "--main.identities-per-batch 4 --main.images-per-identity 2 --jit off --threads 1"
).split()
PATIENCE = 300

pytestmark = pytest.mark.slow


def free_addresses(count: int) -> list[str]:
    sockets = [socket.create_server(("localhost", 0)) for _ in range(count)]
    try:
        return [f"localhost:{one.getsockname()[1]}" for one in sockets]
    finally:
        for one in sockets:
            one.close()


class Process:
    """train.py as one of the workers, or alone."""

    def __init__(self, dataset: Path, run: Path, log: Path, *options: str, tf_config: str = ""):
        command = [sys.executable, "train.py", str(dataset), "--output", str(run)]
        environment = {**os.environ, "TF_CONFIG": tf_config, "CUDA_VISIBLE_DEVICES": "-1"}
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
def undisturbed(dataset, tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("undisturbed")
    for worker in two_workers(dataset.directory, directory / "run", directory):
        worker.ends_with(0)
    return directory / "run"


def test_two_workers_come_to_what_one_process_does(dataset, undisturbed, tmp_path):
    Process(dataset.directory, tmp_path / "run", tmp_path / "log").ends_with(0)
    for mine, theirs in zip(history(undisturbed), history(tmp_path / "run"), strict=True):
        for name in ("loss", "gradient_norm", "mean_distance", "val_auc"):
            assert float(mine[name]) == pytest.approx(float(theirs[name]), rel=1e-3, abs=1e-4), name
    for mine, theirs in zip(weights(undisturbed), weights(tmp_path / "run"), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-2, atol=1e-3)


def test_a_worker_that_is_killed_and_started_again_changes_nothing(dataset, undisturbed, tmp_path):
    run = tmp_path / "run"
    chief, other = two_workers(dataset.directory, run, tmp_path)
    end = time.monotonic() + PATIENCE
    while not history(run) and time.monotonic() < end and chief.process.poll() is None:
        time.sleep(0.05)
    other.process.kill()
    chief.ends_with(75)
    assert "--resume" in chief.log.read_text()
    assert 1 <= len(history(run)) < 4
    for worker in two_workers(dataset.directory, run, tmp_path, "--resume"):
        worker.ends_with(0)
    names = ("epoch", "loss", "gradient_norm", "val_auc")
    for mine, theirs in zip(history(run), history(undisturbed), strict=True):
        assert [mine[name] for name in names] == [theirs[name] for name in names]
    for mine, theirs in zip(weights(run), weights(undisturbed), strict=True):
        np.testing.assert_array_equal(mine, theirs)
