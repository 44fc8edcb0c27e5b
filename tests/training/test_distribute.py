"""Several replicas: what they come to is what one would, whoever reads, mines and writes."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from facenet_tf.errors import InputError
from facenet_tf.training import distribute
from tests.training.replica_steps import CASES

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def after_steps(tmp_path_factory) -> dict[str, np.ndarray]:
    left = {}
    for replicas in (["1", "2"], ["4"]):
        file = tmp_path_factory.mktemp("replicas") / "steps.npz"
        command = [sys.executable, "-m", "tests.training.replica_steps", str(file), *replicas]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        left |= np.load(file)
    return left


def left(after_steps, case: str, replicas: int) -> dict[str, np.ndarray]:
    prefix = f"{case}/{replicas}/"
    found = {name: value for name, value in after_steps.items() if name.startswith(prefix)}
    return {name.removeprefix(prefix): value for name, value in found.items()}


@pytest.mark.parametrize("case", [*CASES, "batch_norm"])
@pytest.mark.parametrize("replicas", [2, 4])
def test_replicas_with_parts_come_to_what_one_with_the_whole_batch_does(
    after_steps, case, replicas
):
    expected, actual = left(after_steps, case, 1), left(after_steps, case, replicas)
    assert len(expected) >= 4
    assert expected.keys() == actual.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(actual[name], value, rtol=1e-3, atol=1e-4, err_msg=name)


def test_xla_for_the_whole_step_of_replicas_is_refused():
    with pytest.raises(InputError, match=r"--jit on: .* --distribute mirrored.* --jit loss"):
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


def test_who_is_not_the_chief_writes_into_a_copy_that_is_thrown_away(tmp_path):
    run = tmp_path / "run"
    (run / "logs").mkdir(parents=True)
    (run / "checkpoints" / "7").mkdir(parents=True)
    (run / "checkpoints" / "7" / "model.keras").touch()
    (run / "config.json").write_text("{}")
    single = distribute.start("none", "on")
    helper = distribute.Distribution(single.strategy, is_chief=False, workers=2)
    with single.place(run, resume=True) as mine, helper.place(run, resume=True) as theirs:
        assert mine == run
        assert {file.name for file in theirs.iterdir()} == {"config.json", "checkpoints"}
        assert (theirs / "checkpoints" / "7" / "model.keras").exists()
        (theirs / "config.json").write_text(json.dumps({"changed": True}))
    assert (run / "config.json").read_text() == "{}"
    assert not theirs.exists()
    with helper.place(run, resume=False) as fresh:
        assert not fresh.exists()
