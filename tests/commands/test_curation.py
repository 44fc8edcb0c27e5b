"""The passes over finished datasets, from the command line."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from facenet_tf import cli
from facenet_tf.commands import check_overlap, clean_labels, find_duplicates
from facenet_tf.records.exclusions import read_exclusions

COMMANDS = (find_duplicates, check_overlap, clean_labels)


@pytest.fixture
def call(capsys):
    """Runs a command; returns its exit code, output and complaint."""

    def run(command, *arguments):
        with pytest.raises(SystemExit) as left:
            cli.run(command.main, [str(argument) for argument in arguments])
        told = capsys.readouterr()
        errors = [line for line in told.err.splitlines() if line.startswith("error: ")]
        return SimpleNamespace(code=left.value.code, out=told.out, error="".join(errors))

    return run


def test_duplicates_are_listed_once(call, dataset, tmp_path):
    path = tmp_path / "list.csv"
    done = call(find_duplicates, dataset.directory, "--output", path)
    assert (done.code, str(path) in done.out) == (0, True)
    read_exclusions([path])
    again = call(find_duplicates, dataset.directory, "--output", path)
    assert (again.code, "--overwrite" in again.error) == (2, True)
    assert call(find_duplicates, dataset.directory, "--output", path, "--overwrite").code == 0


def test_duplicates_by_a_model(call, dataset, run, tmp_path):
    path = tmp_path / "list.csv"
    arguments = (dataset.directory, "--model", run, "--output", path)
    assert call(find_duplicates, *arguments, "--distance", 4).code == 0
    # Everything is that near: of each person the first picture stays.
    assert len(read_exclusions([path])) == len(dataset) - len(dataset.class_names)


def test_overlap_of_a_dataset_with_itself(call, dataset, run, tmp_path):
    path = tmp_path / "overlap.json"
    directory = dataset.directory
    done = call(check_overlap, directory, directory, "--model", run, "--output", path)
    assert done.code == 0
    found = json.loads(path.read_text())
    people = len(dataset.class_names)
    assert found["counts"]["same_name"] == people
    assert {pair["second"] for pair in found["identities"]["same_face"]} == set(dataset.class_names)
    assert f"{'same_name':<16}{people:>9}" in done.out


def test_labels(call, dataset, run, tmp_path):
    pytest.importorskip("cleanlab")
    done = call(clean_labels, dataset.directory, "--model", run, "--output", tmp_path)
    assert done.code == 0
    assert json.loads((tmp_path / "summary.json").read_text())["people"] == 9
    again = call(clean_labels, dataset.directory, "--model", run, "--output", tmp_path)
    assert (again.code, "reviewed" in again.error) == (2, True)


def test_labels_without_cleanlab(call, dataset, run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "cleanlab", None)
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    done = call(clean_labels, dataset.directory, "--model", run, "--output", tmp_path / "new")
    assert (done.code, "facenet-tf[clean]" in done.error) == (2, True)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        (find_duplicates, ["{}/none"], "none does not exist"),
        (find_duplicates, ["{}", "--distance", "17"], "--distance"),
        (find_duplicates, ["{}", "--model", "{}"], "model.keras"),
        (find_duplicates, ["{}", "--batch-size", "0"], "--batch-size"),
        (check_overlap, ["{}"], "two dataset directories"),
        (check_overlap, ["{}", "{}/none"], "{} has no dataset.json"),
        (check_overlap, ["{}", "{}", "--bits", "-1"], "--bits"),
        (check_overlap, ["{}", "{}", "--false-matches", "-1"], "--false-matches"),
        (clean_labels, ["{}", "--model", "{}"], "model.keras"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(call, tmp_path, command, arguments, message):
    done = call(command, *(argument.format(tmp_path) for argument in arguments))
    assert done.code == cli.BAD_INPUT
    assert message.format(tmp_path) in done.error


def test_labels_refuse_options_that_do_not_fit(call, run, tmp_path):
    for option, value in (("--folds", 1), ("--min-pictures", 2), ("--seed", -1), ("--sheets", -1)):
        done = call(clean_labels, tmp_path, "--model", run, option, value)
        assert (done.code, option in done.error) == (2, True)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
def test_help_needs_no_tensorflow(command):
    script = (
        f"import sys; from {command.__name__} import entry\n"
        "sys.argv = ['command', '--help']\n"
        "try: entry()\n"
        "finally: assert 'tensorflow' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--output" in done.stdout
