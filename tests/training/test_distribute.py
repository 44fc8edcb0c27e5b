"""Several replicas: what they come to is what one would, whoever reads, mines and writes."""

import concurrent.futures
import contextlib
import dataclasses
import functools
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.errors import InputError, Interrupted
from facenet_tf.training import distribute, fit
from facenet_tf.training.checkpoints import Checkpoints
from facenet_tf.training.config import TrainConfig
from facenet_tf.training.run_directory import RunDirectory
from tests.training.replica_steps import CASES, STEPS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def after_steps(tmp_path_factory) -> Callable[[int], dict[str, np.ndarray]]:
    """Number of replicas → what a program with so many leaves; 2: and what one alone does."""

    @functools.cache
    def run(replicas: int) -> dict[str, np.ndarray]:
        file = tmp_path_factory.mktemp("replicas") / "steps.npz"
        program = [sys.executable, "-m", "tests.training.replica_steps", str(file)]
        counts = ["1", "2"] if replicas == 2 else [str(replicas)]
        done = subprocess.run([*program, *counts], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        return dict(np.load(file))

    return run


@pytest.mark.parametrize("replicas", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_replicas_with_parts_come_to_what_one_with_the_whole_batch_does(after_steps, replicas):
    """All cases in one test: two processes of tests would each run the program."""
    expected = {name: value for name, value in after_steps(2).items() if "/1/" in name}
    actual = after_steps(replicas)
    for case in [*CASES, "batch_norm"]:
        assert sum(name.startswith(f"{case}/") for name in expected) >= 4, case
    for name, value in expected.items():
        other = actual[name.replace("/1/", f"/{replicas}/")]
        half = name.startswith("float16")  # its gradients are summed in other parts
        rtol, atol = (1e-2, 2e-3) if half else (1e-3, 1e-4)
        np.testing.assert_allclose(other, value, rtol=rtol, atol=atol, err_msg=name)
    assert actual[f"of_first/{replicas}/most"] == expected["of_first/1/least"] == 3.5
    assert 0 < expected["float16_mixup/1/skipped_steps"] < STEPS


def test_one_device_for_mirrored_training_is_told(monkeypatch, caplog):
    only = tf.config.list_logical_devices("CPU")[:1]
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: only)
    distribute._mirrored.__wrapped__()  # no second strategy for the process
    assert "--distribute mirrored: TensorFlow sees one device" in caplog.text


def test_xla_for_the_whole_step_of_replicas_is_refused():
    with pytest.raises(InputError, match=r"--jit on: .*--distribute mirrored.*--jit loss"):
        distribute.start("mirrored", "on")


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        (None, "set TF_CONFIG"),
        ("{", "TF_CONFIG cannot be read"),
        ('{"cluster": {"worker": ["a:1", "b:1"]}}', "set TF_CONFIG"),
        (
            '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
            "set TF_CONFIG",
        ),
    ],
)
def test_a_worker_that_does_not_know_the_others_is_refused(monkeypatch, variable, said):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if variable is not None:
        monkeypatch.setenv("TF_CONFIG", variable)
    with pytest.raises(InputError, match=rf"^--distribute multiworker: {said}"):
        distribute.start("multiworker", "loss")


def test_an_optimiser_adds_up_no_sums():
    for optimizer in (
        keras.optimizers.SGD(),
        keras.mixed_precision.LossScaleOptimizer(keras.optimizers.Adam()),
    ):
        distribute.let_sums_pass(optimizer)
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        names = ("_all_reduce_sum_gradients", "aggregate_gradients")
        method = next(getattr(inner, name) for name in names if hasattr(inner, name))
        assert method(iter([(1.0, "w")])) == [(1.0, "w")]
    with pytest.raises(RuntimeError, match="object has no method that sums gradients"):
        distribute.let_sums_pass(object())


@pytest.mark.parametrize(("resume", "ends"), [(True, Interrupted), (False, tf.errors.OpError)])
def test_a_worker_that_is_lost_while_a_resumed_run_starts_is_an_interruption(
    dataset, tmp_path, monkeypatch, resume, ends
):
    def lost(*_):
        raise tf.errors.UnavailableError(None, None, "no other worker")

    two = dataclasses.replace(distribute.start("none", "off"), workers=2)
    monkeypatch.setattr(distribute, "start", lambda *_: two)
    monkeypatch.setattr(fit, "Progress", lost)
    with pytest.raises(ends, match="go on with --resume" if resume else "no other worker"):
        fit.train(TrainConfig(dataset=dataset.directory, output=tmp_path, resume=resume, jit="off"))


@pytest.mark.parametrize("steps", [[4, 4, 4], [4, 5, 6], [5, 4, 6], [2**24, 2**24 + 1, 2**24 + 2]])
def test_workers_go_on_from_one_step_or_are_all_refused(monkeypatch, steps):
    """Of three, the middle one is at the mean of all. They are threads here."""
    told, barrier = {}, threading.Barrier(len(steps), timeout=60)
    number = threading.local()

    def together(own):
        barrier.wait()
        told[number.own] = own.numpy()
        barrier.wait()
        return [told[worker] for worker in range(len(steps))]

    monkeypatch.setattr(distribute.Distribution, "_votes", lambda _, own: sum(together(own)))
    monkeypatch.setattr(
        distribute.Distribution, "_firsts", lambda _, own: tf.constant(together(own)[0])
    )
    several = dataclasses.replace(distribute.start("none", "off"), workers=len(steps))

    def refused(worker):
        number.own = worker
        with contextlib.suppress(InputError):
            several.check_same(steps[worker])
            return False
        return True

    with concurrent.futures.ThreadPoolExecutor(len(steps)) as pool:
        found = [*pool.map(refused, range(len(steps)))]
    assert found == [len({*steps}) > 1] * len(steps)


def test_who_is_not_the_chief_writes_into_a_copy_that_is_thrown_away(tmp_path):
    run = RunDirectory(tmp_path / "run")
    (run.path / "logs").mkdir(parents=True)
    run.config.write_text("{}")
    run.model.touch()
    for step in (4, 7):
        Checkpoints(run.checkpoints).write(step, {}, lambda directory: (directory / "x").touch())
    unfinished = run.checkpoints / ".000000009.part"
    unfinished.mkdir()
    single = distribute.start("none", "on")
    helper = distribute.Distribution(single.strategy, is_chief=False, workers=2)
    with single.place(run.path, resume=True) as mine, helper.place(run.path, resume=True) as theirs:
        assert mine == run.path
        copy = RunDirectory(theirs)
        assert {*theirs.iterdir()} == {copy.config, copy.checkpoints}
        assert [kept.name for kept in copy.checkpoints.iterdir()] == ["000000007"]
        assert Checkpoints(copy.checkpoints).newest().step == 7
        copy.config.write_text(json.dumps({"changed": True}))
    assert run.config.read_text() == "{}"
    assert unfinished.exists()
    assert not theirs.exists()
    with helper.place(run.path, resume=False) as fresh:
        assert not fresh.exists()


def test_a_helper_without_room_for_what_is_gone_on_from_is_interrupted(tmp_path, monkeypatch):
    def no_room(*_):  # as copytree tells of several files
        raise shutil.Error([("a", "b", "[Errno 28] No space left on device")])

    run = RunDirectory(tmp_path / "run")
    helper = distribute.Distribution(tf.distribute.get_strategy(), is_chief=False, workers=2)
    with pytest.raises(InputError, match=r"config\.json is not there: all workers"):
        helper.place(run.path, resume=True).__enter__()
    Checkpoints(run.checkpoints).write(4, {}, lambda directory: None)
    run.config.write_text("{}")
    monkeypatch.setattr(shutil, "copytree", no_room)
    with pytest.raises(Interrupted, match=r"No space left on device.* or set TMPDIR, and go on"):
        helper.place(run.path, resume=True).__enter__()
