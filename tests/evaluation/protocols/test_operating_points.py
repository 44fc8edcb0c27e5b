"""Where thresholds are written, who finds them there, and what those of another set do here."""

import dataclasses
import json
import shutil
from types import SimpleNamespace

import pytest

from facenet_tf import cli, thresholds
from facenet_tf.commands import find_duplicates
from facenet_tf.curation.config import SQUARED, DuplicatesConfig
from facenet_tf.errors import InputError
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.options.classification import ClassificationOptions
from facenet_tf.evaluation.options.open_set import OpenSetOptions
from facenet_tf.evaluation.options.operating_points import ThresholdOptions
from facenet_tf.evaluation.options.probabilities import ProbabilitiesOptions
from facenet_tf.evaluation.options.projection import ProjectionOptions
from facenet_tf.evaluation.protocols import operating_points
from facenet_tf.records.checksums import of_file

from ...conftest import evaluate_without_plots

QUICK = {
    "repeats": 2,
    "bootstrap": 5,
    "baselines": False,
    "few_shot": (),
    "fars": (0.2, 1e-3),
    "classification": ClassificationOptions(folds=0),
    "open_set": OpenSetOptions(draws=0),
    "probabilities": ProbabilitiesOptions(folds=0),
    "projection": ProjectionOptions(methods=()),
}


@pytest.fixture
def own_run(run, tmp_path):
    """A copy of the run as it was trained, so that what is written beside it disturbs nobody."""
    written = shutil.ignore_patterns("*.thresholds.json")
    return shutil.copytree(run, tmp_path / "run", ignore=written)


@pytest.fixture
def measure(own_run, dataset, tmp_path):
    """Evaluates the run; returns evaluation.json's content and the file beside the model."""

    def evaluate(**options):
        group = {name: options.pop(name) for name in ("transfer", "save") if name in options}
        config = EvaluateConfig(
            own_run,
            dataset.directory,
            output=tmp_path / "evaluation",
            operating_points=ThresholdOptions(**group),
            **{**QUICK, **options},
        )
        evaluate_without_plots(config)
        figures = json.loads((tmp_path / "evaluation" / "evaluation.json").read_text())
        return figures["operating_points"], own_run / "model.keras.thresholds.json"

    return evaluate


def test_thresholds_stand_in_the_evaluation_and_beside_the_model(
    measure, own_run, dataset, tmp_path
):
    figures, beside = measure()
    found = thresholds.of_model(own_run / "model.keras")
    assert found == thresholds.read(tmp_path / "evaluation" / "thresholds.json")
    assert found.model_sha256 == of_file(own_run / "model.keras")
    assert found.dataset["fingerprint"] == dataset.fingerprint
    assert beside.is_file()
    chosen = figures["chosen"]
    assert found.points == chosen["points"]
    assert found.at(0.2) == chosen["achieved"]["unseen_people"]["0.2"]["threshold"]
    assert "need 10000" in found.points["0.001"]["skipped"]
    assert "transfer" not in figures


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, True),
        ({"save": "never"}, False),
        ({"save": "always"}, True),
        ({"jitter": 2}, True),
        ({"flip_average": True}, True),
        ({"degrade": ("grey",)}, False),
        ({"save": "always", "degrade": ("grey",)}, False),
        ({"weights": "theirs.h5"}, False),
        ({"save": "always", "weights": "theirs.h5"}, True),
    ],
)
def test_thresholds_beside_the_model_are_its_own(own_run, dataset, options, expected):
    group = ThresholdOptions(save=options.pop("save", "own"))
    config = EvaluateConfig(own_run, dataset.directory, operating_points=group, **options)
    measured = SimpleNamespace(dataset=dataset)
    model = own_run / "model.keras"
    assert operating_points.belongs_beside(model, config, measured) is expected


def test_another_model_in_the_run_s_directory_is_not_the_run_s_own(own_run, dataset):
    measured = SimpleNamespace(dataset=dataset)
    for model in ("model.tflite", "older.keras"):
        config = EvaluateConfig(own_run / model, dataset.directory)
        assert not operating_points.belongs_beside(own_run / model, config, measured)


@pytest.mark.parametrize("averaged", [{"flip_average": True}, {"jitter": 2}])
def test_beside_the_model_are_those_for_one_look(measure, tmp_path, averaged):
    """As an evaluation that averages nothing writes them."""
    measure()
    plain = thresholds.read(tmp_path / "evaluation" / "thresholds.json")
    figures, beside = measure(**averaged)
    assert thresholds.read(beside) == plain
    assert figures["chosen"]["embedding"] == {**plain.embedding, **averaged}
    assert figures["chosen"]["points"] != plain.points


def test_nothing_beside_the_model_where_that_is_not_wanted(measure, tmp_path):
    _, beside = measure(save="never")
    assert not beside.exists()
    assert (tmp_path / "evaluation" / "thresholds.json").is_file()


def test_a_run_of_another_dataset_keeps_its_own(measure, own_run):
    """Those beside the model are tried on the other dataset's pairs, and stay."""
    record = json.loads((own_run / "config.json").read_text())
    measure()
    place = own_run / "model.keras.thresholds.json"
    mine = thresholds.read(place)
    elsewhere = dataclasses.replace(
        mine, dataset={**mine.dataset, "name": "elsewhere", "fingerprint": "another"}
    )
    elsewhere.write(place)
    (own_run / "config.json").write_text(json.dumps({**record, "fingerprint": "another"}))
    figures, _ = measure()
    assert thresholds.read(place) == elsewhere
    assert figures["transfer"]["dataset"]["name"] == "elsewhere"
    assert figures["transfer"]["achieved"] == figures["chosen"]["achieved"]
    measure(save="always")
    written = thresholds.read(place)
    assert written.points == mine.points and written.dataset["name"] == "small"
    # Of its own dataset it is known that the validation people steered; of another nothing is.
    steered = [each.dataset["steered_people"] for each in (mine, written)]
    assert steered == [2, 0]


def test_given_thresholds_are_tried(measure, tmp_path):
    measure(save="never")
    given = shutil.copy(tmp_path / "evaluation" / "thresholds.json", tmp_path / "given.json")
    content = json.loads(given.read_text())
    point = content["points"]["0.2"]
    content["points"] = {"0.1": {**point, "threshold": 0.0}, "0.5": {**point, "threshold": 4.0}}
    given.write_text(json.dumps(content))
    figures, _ = measure(save="never", transfer=given)
    achieved = figures["transfer"]["achieved"]["unseen_people"]
    assert achieved["0.5"]["tar"] == pytest.approx(1, abs=0.1)  # but for a lost picture
    assert achieved["0.1"]["tar"] < 0.1
    report = (tmp_path / "evaluation" / "report.html").read_text()
    assert "Thresholds that were chosen on small" in report
    content["model_sha256"] = "0" * 64
    given.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"given\.json was calibrated for other weights"):
        measure(transfer=given)


def test_a_missing_file_is_told_before_anything_is_done(measure, tmp_path):
    with pytest.raises(InputError, match=r"--operating-points\.transfer .*none\.json is missing"):
        measure(transfer=tmp_path / "none.json")


def test_near_duplicates_are_nearer_than_pictures_of_two_people(own_run, measure):
    config = DuplicatesConfig(model=own_run)
    assert config.most == SQUARED
    measure()
    mine = thresholds.of_model(own_run / "model.keras")
    assert config.most == min(SQUARED, mine.at(0.2))
    strict = dataclasses.replace(
        mine, points={"0.1": {"threshold": 0.3}, "0.001": {"threshold": 0.02}}
    )
    strict.write(thresholds.place_beside(own_run / "model.keras"))
    assert config.most == 0.02
    dataclasses.replace(mine, points={"0.1": {"skipped": "too few pairs"}}).write(
        thresholds.place_beside(own_run / "model.keras")
    )
    assert config.most == SQUARED
    assert dataclasses.replace(config, distance=0.5).most == 0.5


def test_stale_thresholds_stop_a_command_with_one_line(own_run, measure, dataset, tmp_path, capsys):
    measure()
    place = thresholds.place_beside(own_run / "model.keras")
    dataclasses.replace(thresholds.read(place), model_sha256="0" * 64).write(place)
    with pytest.raises(SystemExit) as left:
        cli.run(
            find_duplicates.main,
            [str(dataset.directory), "--model", str(own_run), "--output", str(tmp_path / "l.csv")],
        )
    assert left.value.code == 2
    assert "calibrated for other weights" in capsys.readouterr().err
