"""`make results`: what is there is measured, what is not is named; the evaluations are stood in."""

import dataclasses
import importlib.util
import json
import os
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from facenet_tf.commands import evaluate
from facenet_tf.datasets.template_lists import read_members, read_qualities, read_template_pairs
from facenet_tf.records.rows import Row, write_rows

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
    manifest = {"fingerprint": "aa", "name": "att"}
    (tmp_path / "data" / "att" / "dataset.json").write_text(json.dumps(manifest))
    return module.Places(tmp_path / "runs", tmp_path / "data", tmp_path)


@pytest.fixture
def calls(monkeypatch):
    """Stands in for evaluate.py; that of att_long fails."""
    calls = []

    def run(words):
        calls.append(words)
        config = evaluate.configured(words[2:])
        config.output_directory.mkdir(parents=True, exist_ok=True)
        figures = {"git_revision": "now", "config": config.recorded()}
        (config.output_directory / "evaluation.json").write_text(json.dumps(figures))
        return subprocess.CompletedProcess(words, int("att_long" in words[2]))

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr("measure.git_revision", lambda: "now")
    return calls


def test_what_is_there_is_measured_and_kept(module, places, calls, tmp_path):
    results = module.measure(places, others_too=True)
    assert results["att"].startswith("measured in")
    assert results["att_long"] == "failed"
    assert "pubfig83/model.keras" in results["pubfig83"]
    assert "bb" in results["stranger"]
    assert [call[2] for call in calls] == [str(places.runs / run) for run in ("att", "att_long")]
    assert str(ROOT / "configs" / "att.py") in calls[1]  # as others on this dataset
    kept = {path.name for path in (tmp_path / "results" / "att").iterdir()}
    assert kept == {"evaluation.json", "config.json", "history.csv"}
    assert not (tmp_path / "results" / "att_long").exists()


def test_further_runs_are_measured_where_they_are_asked_for(module, places, calls):
    assert "att_long" not in module.measure(places)
    assert "att_long" in module.measure(places, only=["att_long"])
    with pytest.raises(SystemExit, match="nobody"):
        module.measure(places, only=["nobody"])


def test_what_this_commit_has_measured_with_these_options_is_left(module, places, calls):
    module.measure(places, ["att"])
    assert module.measure(places, ["att"])["att"] == "measured before, by this commit"
    assert len(calls) == 1
    module.measure(places, ["att"], again=True)
    assert len(calls) == 2


@pytest.mark.parametrize("other", [{"git_revision": "before"}, {"config": {"seed": 1}}])
def test_another_commit_or_option_is_measured_anew(module, places, calls, other):
    module.measure(places, ["att"])
    file = places.runs / "att" / "evaluation" / "evaluation.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | other))
    module.measure(places, ["att"])
    assert len(calls) == 2


def test_code_that_is_no_commit_is_measured_anew(module, places, calls, monkeypatch):
    monkeypatch.setattr("measure.git_revision", lambda: "now-dirty")
    for _ in range(2):
        module.measure(places, ["att"])
    assert len(calls) == 2


@pytest.mark.parametrize("name", ["runs/att/model.keras", "data/att/dataset.json"])
def test_what_was_made_anew_is_measured_anew(module, places, calls, tmp_path, name):
    module.measure(places, ["att"])
    os.utime(tmp_path / name, (time.time() + 60,) * 2)
    module.measure(places, ["att"])
    assert len(calls) == 2


def test_copies_name_no_directory_of_this_machine(module, places, calls, tmp_path):
    module.measure(places, ["att"])
    text = (tmp_path / "results" / "att" / "evaluation.json").read_text()
    assert str(tmp_path) not in text
    config = json.loads(text)["config"]
    assert (config["run"], config["dataset"]) == ("runs/att", "data/att")
    assert config["output"] == "runs/att/evaluation"


def test_a_dataset_is_found_by_its_name_too(module, places, tmp_path):
    (tmp_path / "data" / "view2").mkdir()
    (tmp_path / "data" / "view2" / "dataset.json").write_text('{"name": "lfw_dlib"}')
    assert places.dataset("lfw_dlib") == tmp_path / "data" / "view2"
    assert places.dataset("att") == tmp_path / "data" / "att"
    assert places.dataset("nowhere") == tmp_path / "data" / "nowhere"


def test_systems_are_compared_as_far_as_they_are_there(module, places, tmp_path):
    each = {each.name: each for each in module.MEASUREMENTS}["lfw_view1"]
    assert "--compare" not in places.words(each)
    (tmp_path / "runs" / "lfw_view1_first").mkdir()
    (tmp_path / "runs" / "lfw_view1_first" / "model.keras").touch()
    for name in ("lfw_view1", "lfw_view1_dlib"):
        (tmp_path / "data" / name).mkdir()
        (tmp_path / "data" / name / "dataset.json").write_text("{}")
    compared = places.words(each)[places.words(each).index("--compare") + 1 :]
    assert compared[0] == str(places.runs / "lfw_view1_first")
    if importlib.util.find_spec("face_recognition_models"):
        assert compared[1:] == [f"dlib@{places.data / 'lfw_view1_dlib'}"]


@pytest.fixture
def of_att(module, monkeypatch):
    """A measurement of att whose strangers are those of another dataset."""
    each = dataclasses.replace(module.MEASUREMENTS[0], strangers="others")
    monkeypatch.setattr(module, "MEASUREMENTS", (each,))
    return each


def test_strangers_of_another_dataset_are_embedded_first(module, places, calls, of_att):
    (places.data / "others").mkdir()
    (places.data / "others" / "dataset.json").write_text("{}")
    for _ in range(2):
        assert set(module.measure(places)) == {"att"}
    (strangers, measured) = calls
    assert strangers[2:4] == [str(places.runs / "att"), str(places.data / "others")]
    config = evaluate.configured(strangers[2:])
    assert config.output == places.runs / "att" / "strangers"
    assert config.include_training and not config.projection.methods
    config = evaluate.configured(measured[2:])
    assert config.distractors.source == places.runs / "att" / "strangers" / "embeddings.npz"


def test_strangers_are_made_up_without_another_dataset(module, places, calls, of_att):
    module.measure(places)
    (measured,) = calls
    assert "--distractors.source" not in measured


def test_thresholds_are_tried_on_others_where_they_are_there(module, places):
    each = next(each for each in module.MEASUREMENTS if each.transfer)
    assert "--operating-points.transfer" not in places.words(each)
    thresholds = places.runs / each.transfer / "thresholds.json"
    thresholds.parent.mkdir()
    thresholds.touch()
    config = evaluate.configured(places.words(each))
    assert config.operating_points.transfer == thresholds


def test_a_failure_is_told_by_the_exit_code(module, places, calls, monkeypatch):
    refreshed = []
    monkeypatch.setattr("tables.refresh", lambda: refreshed.append(1))
    words = ["--runs", str(places.runs), "--data", str(places.data)]
    assert module.main([*words, "--only", "att"]) == 0
    assert module.main([*words, "--others"]) == 1
    assert len(refreshed) == 2


def test_every_call_parses(module, tmp_path, monkeypatch):
    places = module.Places(tmp_path / "runs", tmp_path / "data", tmp_path)
    strangers = [each.of_strangers() for each in module.MEASUREMENTS if each.strangers]
    for each in [*module.MEASUREMENTS, *strangers]:
        config = evaluate.configured(places.words(each))
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


@pytest.mark.parametrize(
    ("pictures", "sizes"), [(1, [1]), (2, [1, 1]), (3, [2, 1]), (6, [3, 3]), (7, [3, 2, 2])]
)
def test_pictures_are_dealt_out_to_few_templates(module, pictures, sizes):
    import template_lists

    rows = [Row(f"p/{n:02}.png", "p", 0, "test", "", "ok") for n in range(pictures)]
    dealt = list(template_lists.dealt_out(rows))
    assert [len(template) for template in dealt] == sizes
    assert sorted(row.path for template in dealt for row in template) == [row.path for row in rows]


def test_lists_of_templates_are_those_that_are_read(module, tmp_path, monkeypatch):
    """Three test people with 7, 2 and 1 pictures, beside a copy and somebody of the training."""
    import template_lists

    rows = [
        *(Row(f"a b/{n}.png", "a b", 0, "test", "", "ok", sharpness=f"{n}9") for n in range(7)),
        *(Row(f"c/{n}.png", "c", 1, "test", "", "no_face") for n in range(2)),
        Row("d/0.png", "d", 2, "test", "", "ok", sharpness="100.5"),
        Row("d/1.png", "d", 2, "test", "", "duplicate"),
        Row("e/0.png", "e", 3, "train", "", "ok"),
    ]
    write_rows(tmp_path / "images.csv", rows)
    template_lists.write(tmp_path, tmp_path / "lists")
    members, pairs, quality = (tmp_path / "lists" / f"{name}.csv" for name in template_lists.FILES)
    read = read_members([members])
    assert sorted(read.keys) == [row.path for row in rows[:10]]
    assert read.subject == {0: "a b", 1: "a b", 2: "a b", 3: "c", 4: "c", 5: "d"}
    assert len(set(read.medium)) == 10
    compared = read_template_pairs(pairs, read)
    assert (len(compared.genuine), compared.genuine.sum()) == (15, 4)
    assert read_qualities(quality, ["a b/3.png", "c/1.png", "d/0.png"]).tolist() == [0.6, 0.2, 1.0]

    monkeypatch.setattr(template_lists, "IMPOSTORS", 3)
    template_lists.write(tmp_path, tmp_path / "fewer")
    fewer = read_template_pairs(tmp_path / "fewer" / "pairs.csv", read)
    assert (len(fewer.genuine), fewer.genuine.sum()) == (7, 4)


def test_attributes_part_the_pictures_in_thirds_and_are_those_that_are_read(module, tmp_path):
    import attribute_lists

    from facenet_tf.evaluation.methods.attributes import UNKNOWN, read_attributes
    from facenet_tf.evaluation.roster import Roster

    def row(n, yaw, split="test"):
        measured = {"yaw": str(yaw), "exposure": str(n / 10), "sharpness": str(9 - n)}
        return Row(f"a/{n}.png", "a", 0, split, "", "ok", **measured)

    rows = [
        *(row(n, yaw) for n, yaw in enumerate([-60, 5, -1, 20, -18, 40])),
        Row("a/6.png", "a", 0, "test", "", "no_face"),
        row(7, 0, split="train"),
    ]
    write_rows(tmp_path / "images.csv", rows)
    attribute_lists.write(tmp_path, tmp_path / "lists" / "attributes.csv")
    keys = np.array([row.path for row in rows])
    text, numbers = (np.full(8, "a"), np.full(8, "test"), np.full(8, "ok")), np.arange(8)
    roster = Roster(keys, *text, numbers, numbers < 0)
    read = read_attributes(tmp_path / "lists" / "attributes.csv", (), roster)
    third = {name: [group[:1] for group in groups] for name, groups in read.items()}
    nobody = [UNKNOWN, UNKNOWN]  # one without a face, one of the training
    assert third == {
        "pose": [*"311223", *nobody],
        "light": [*"112233", *nobody],
        "sharpness": [*"332211", *nobody],
    }


def test_groups_are_measured_by_a_file_of_attributes(module, places, calls, monkeypatch):
    each = dataclasses.replace(module.MEASUREMENTS[0], groups=True)
    monkeypatch.setattr(module, "MEASUREMENTS", (each,))
    write_rows(
        places.data / "att" / "images.csv",
        [Row("a/0.png", "a", 0, "test", "", "ok", yaw="1", exposure="1", sharpness="1")],
    )
    module.measure(places)
    attributes = evaluate.configured(calls[0][2:]).fairness.attributes
    assert attributes.read_text().startswith("key,pose,light,sharpness\na/0.png,")
