"""Weights of others in the place of a run: what is measured, and what the figures say of it."""

import dataclasses
import hashlib
import json
from types import SimpleNamespace

import numpy as np
import pytest

from facenet_tf import pretrained
from facenet_tf.datasets.names import normalized
from facenet_tf.errors import InputError
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.options.projection import ProjectionOptions
from facenet_tf.evaluation.report.console import console_table
from facenet_tf.evaluation.report.report import write_report
from facenet_tf.evaluation.roster import Roster
from facenet_tf.evaluation.systems.subject import Subject, open_subject
from facenet_tf.pretrained import origin

from ...conftest import evaluate_without_plots


@pytest.fixture(scope="module")
def measured(run, dataset, tmp_path_factory):
    """The evaluation of a run's model as a file of weights, and the file."""
    weights, output = run / "model.keras", tmp_path_factory.mktemp("weights")
    few = {
        "repeats": 2,
        "bootstrap": 0,
        "baselines": False,
        "projection": ProjectionOptions(()),
        "jitter": 2,
    }
    config = EvaluateConfig(
        dataset=dataset.directory, weights=str(weights), output=output, fars=(0.1,), **few
    )
    return weights, output, evaluate_without_plots(config)


def test_weights_are_named_with_their_hash(measured):
    weights, output, figures = measured
    assert figures["weights"]["file"] == "model.keras"
    assert figures["weights"]["sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert figures["weights"]["sha256"] in (output / "report.html").read_text()
    assert figures["run"] == {"config": None, "git_revision": None}
    assert figures["model"]["jitter"] == 2


def test_they_are_measured_as_the_run_is(measured, evaluated):
    """On the same people and pairs; the vectors differ by the jitter."""
    ours, theirs = measured[2], evaluated[1]
    assert ours["svm"]["people"] == theirs["svm"]["people"]
    pairs = [figures["verification"]["unseen_people"]["pairs"] for figures in (ours, theirs)]
    assert pairs[0] == pairs[1]


def test_whom_they_may_have_seen_stands_in_figures_table_and_report(
    dataset, small_model, measured, tmp_path, monkeypatch
):
    known = {"source": "dlib", "file": "f.dat", "sha256": "0", "trained_on": "faces"}
    monkeypatch.setattr(pretrained, "load", lambda source: small_model)
    monkeypatch.setattr(origin, "described", lambda *given: {**known, "seen": origin.LIKELY_SEEN})
    subject = open_subject(EvaluateConfig(dataset=dataset.directory, weights="dlib"), dataset)
    seen = subject.seen_people(dataset, Roster.of(dataset))
    assert not seen.names
    assert seen.source == "likely seen in pretraining (faces)"
    figures = json.loads((measured[1] / "evaluation.json").read_text())
    figures["weights"] = subject.weights
    figures["seen_people"]["known_from"] = seen.source
    write_report(figures, tmp_path / "report.html")
    for text in (console_table(figures), (tmp_path / "report.html").read_text()):
        assert "people (likely seen in pretraining)" in text
        assert "unseen people  " not in text


def test_whom_an_old_run_saw_is_known_from_the_dataset_of_its_crops(dataset, run):
    """It recorded nobody; beside it stand the same pictures in other crops, all for testing."""
    pictures = Roster.of(dataset)
    roster = dataclasses.replace(pictures, splits=np.full(len(pictures), "test"))
    other = SimpleNamespace(fingerprint="other")
    config = EvaluateConfig(run, dataset.directory)
    subject = Subject("old", "run", "", None, dataset, config, pictures=pictures)
    known = {str(name) for name in pictures.identities[pictures.splits != "test"]}
    for fingerprint, expected in ((dataset.fingerprint, known), ("gone", set())):
        old = dataclasses.replace(subject, run={"fingerprint": fingerprint})
        for beside in (other, None):
            seen = old.seen_people(beside, roster)
            assert {name for name in roster.identities if name in seen} == expected
    here = dataclasses.replace(subject, run={"fingerprint": "other"})
    assert not here.seen_people(other, roster).names  # nobody but test people
    assert here.seen_people(other, pictures).trained == {
        normalized(name) for name in pictures.identities[pictures.splits == "train"]
    }


def test_other_crops_are_refused(dataset, monkeypatch):
    monkeypatch.setattr(pretrained, "load", lambda source: _model_of_other_crops())
    with pytest.raises(InputError, match=r"model --weights dlib and dataset .*alignment: dlib and"):
        open_subject(EvaluateConfig(dataset=dataset.directory, weights="dlib"), dataset)


def _model_of_other_crops():
    import keras

    from facenet_tf.models import PixelNormalization
    from facenet_tf.preprocessing import Preprocessing

    pixels = keras.Input((32, 32, 3))
    crop = Preprocessing("dlib", 32).to_dict()
    return keras.Model(pixels, keras.layers.Flatten()(PixelNormalization(crop)(pixels)))


def test_a_run_is_what_it_was(run, dataset, small_model):
    subject = open_subject(EvaluateConfig(run, dataset.directory), dataset)
    assert subject.weights is None
    assert subject.run["git_revision"] == "abc"
    images = np.zeros((1, 32, 32, 3), np.uint8) + 7
    np.testing.assert_array_equal(subject.model(images), small_model(images))
