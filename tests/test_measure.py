"""`make results`: what is there is measured, what is not is named; the evaluations are stood in."""

import importlib
import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def module(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(ROOT / "docs")
    module = importlib.import_module("measure")
    monkeypatch.setattr("figures.RESULTS", tmp_path / "results")
    return module


@pytest.fixture
def places(module, tmp_path):
    """Two runs and their dataset; one run is of a dataset that is gone."""
    for run, fingerprint in (("att", "aa"), ("att_long", "aa"), ("stranger", "bb")):
        directory = tmp_path / "runs" / run
        directory.mkdir(parents=True)
        (directory / "model.keras").touch()
        (directory / "config.json").write_text(json.dumps({"fingerprint": fingerprint}))
        (directory / "history.csv").write_text("epoch\n")
    (tmp_path / "data" / "att").mkdir(parents=True)
    (tmp_path / "data" / "att" / "dataset.json").write_text(json.dumps({"fingerprint": "aa"}))
    return module.Places(tmp_path / "runs", tmp_path / "data", tmp_path)


@pytest.fixture
def calls(monkeypatch):
    """Stands in for evaluate.py; that of att_long fails."""
    calls = []

    def run(words):
        calls.append(words)
        output = Path(words[words.index("--output") + 1])
        output.mkdir(parents=True, exist_ok=True)
        (output / "evaluation.json").write_text(json.dumps({"git_revision": "now"}))
        return subprocess.CompletedProcess(words, int("att_long" in words[2]))

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr("measure.git_revision", lambda: "now")
    return calls


def test_what_is_there_is_measured_and_kept(module, places, calls, tmp_path):
    results = module.measure(places)
    assert results["att"] == "measured"
    assert results["att_long"] == "failed"
    assert "pubfig83/model.keras" in results["pubfig83"]
    assert "bb" in results["stranger"]
    assert [call[2] for call in calls] == [str(places.runs / run) for run in ("att", "att_long")]
    assert str(ROOT / "configs" / "att.py") in calls[1]  # as others on this dataset
    kept = {path.name for path in (tmp_path / "results" / "att").iterdir()}
    assert kept == {"evaluation.json", "config.json", "history.csv"}
    assert not (tmp_path / "results" / "att_long").exists()


def test_a_measurement_by_this_commit_need_not_be_repeated(module, places, calls):
    module.measure(places, only=["att"])
    assert module.measure(places, ["att"], go_on=True)["att"].startswith("measured before")
    assert len(calls) == 1
    module.measure(places, ["att"])
    assert len(calls) == 2


def test_a_failure_is_told_by_the_exit_code(module, places, calls, monkeypatch):
    refreshed = []
    monkeypatch.setattr("tables.refresh", lambda: refreshed.append(1))
    words = ["--runs", str(places.runs), "--data", str(places.data)]
    assert module.main([*words, "--only", "att"]) == 0
    assert module.main(words) == 1
    assert len(refreshed) == 2


def test_every_call_parses(module, tmp_path, monkeypatch):
    from facenet_tf import cli
    from facenet_tf.evaluation.config import EvaluateConfig

    places = module.Places(tmp_path / "runs", tmp_path / "data", tmp_path)
    for each in module.MEASUREMENTS:
        words = places.command(each)[2:]
        config = cli.load(EvaluateConfig, "evaluate", words).resolved()
        assert config.dataset == places.data / each.dataset
        assert config.output_directory == places.output(each)
        assert (config.weights is None) == (each.run is not None)
        if each.run:
            assert config.run == places.runs / each.run
        assert (config.pairs is not None) == (config.protocol != "none")


def test_names_are_those_that_the_tables_read(module):
    import tables_of_pretrained
    import tables_of_transfer

    names = {each.name for each in module.MEASUREMENTS}
    assert {name for _, name in tables_of_pretrained.VIEW2} <= names
    assert {name for *_, name in tables_of_transfer.FEW_SHOT} <= names
    assert len(names) == len(module.MEASUREMENTS)


def test_tables_show_every_protocol(module, evaluated, tmp_path):
    import tables_of_protocols

    (tmp_path / "results" / "run").mkdir(parents=True)
    text = (evaluated[0] / "evaluation.json").read_text()
    (tmp_path / "results" / "run" / "evaluation.json").write_text(text)
    written = tables_of_protocols.every_protocol("run")
    for shown in ("**Verification.**", "**Few-shot identification.**", "| enrolled |"):
        assert shown in written
    accuracy = evaluated[1]["svm"]["accuracy"]
    assert f"| trained | {accuracy:.4f} |" in written
