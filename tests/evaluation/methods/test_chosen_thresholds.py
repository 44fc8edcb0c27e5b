"""Thresholds are chosen once, by people who are not judged, for each set of vectors."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from facenet_tf import metrics, thresholds
from facenet_tf.errors import InputError
from facenet_tf.evaluation import registry
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.inputs import Foreign
from facenet_tf.evaluation.methods.chosen_thresholds import (
    calibrated,
    embedding_of,
    model_path,
)
from facenet_tf.evaluation.options.operating_points import ThresholdOptions
from facenet_tf.evaluation.pair_sets import ScoredPairs, all_pairs_of_split
from facenet_tf.evaluation.protocol import Protocol
from facenet_tf.records.checksums import of_file, of_path
from facenet_tf.thresholds import Thresholds

from ..made_up import measured_of, people_vectors


@pytest.fixture
def vectors():
    """Even people are to be judged, odd ones choose."""
    vectors = people_vectors(12, 6, spread=0.9)
    odd = np.array([int(name[1:]) % 2 == 1 for name in vectors.roster.identities])
    splits = np.where(odd, "validation", "test")
    return dataclasses.replace(vectors, roster=dataclasses.replace(vectors.roster, splits=splits))


@pytest.fixture
def config(tmp_path):
    (tmp_path / "model.keras").write_text("weights")
    return EvaluateConfig(tmp_path, fars=(0.1,), bootstrap=0)


def measured_with(vectors):
    pairs = all_pairs_of_split(vectors.roster, "validation", 0)
    return dataclasses.replace(
        measured_of(vectors), validation=pairs, steered=frozenset({"p1", "p3"})
    )


def beside(config, sha256=None, fingerprint="elsewhere", **more):
    """Thresholds as another dataset's people chose them, beside the model."""
    model = config.run / "model.keras"
    dataset = {"name": "there", "fingerprint": fingerprint, "people": 70, "impostor_pairs": 5}
    found = Thresholds(
        sha256 or of_file(model),
        dataset,
        {"0.1": {"threshold": 0.5}},
        0.6,
        {"slope": -1.0, "intercept": 1.0},
        **more,
    )
    found.write(thresholds.place_beside(model))
    return found


def test_the_validation_people_choose_and_nobody_else(vectors, config):
    measured = measured_with(vectors)
    found = calibrated(measured, vectors, config).thresholds
    validation = ScoredPairs.of(vectors, measured.validation)
    genuine = validation.pairs.genuine
    best, _ = metrics.best_threshold(genuine, validation.distance, balanced=True)
    assert found.used is found.own and found.used.balanced == best
    assert np.mean(validation.distance[~genuine] <= found.by_far["0.1"]) <= 0.1
    assert found.used.dataset["people"] == 6
    assert found.used.dataset["steered_people"] == 2
    assert found.chosen_by.endswith("6 validation people, 2 of whom steered a training")
    moved = vectors.values.copy()
    moved[vectors.roster.splits == "test"] = moved[vectors.roster.splits == "test"][::-1]
    other = dataclasses.replace(vectors, values=moved)
    assert calibrated(measured, other, config).thresholds == found


def test_those_that_came_with_the_model_decide_where_nobody_else_can(vectors, config):
    brought = beside(config)
    found = calibrated(measured_of(vectors), vectors, config).thresholds
    assert found.used == brought and found.by_far == {"0.1": 0.5}
    assert found.chosen_by.startswith("chosen by 70 people of there")
    own = calibrated(measured_with(vectors), vectors, config).thresholds
    assert own.used == own.own and own.brought == brought


def test_those_that_came_with_the_model_decide_where_its_people_are_too_few(vectors, config):
    """Their 540 pairs of two people do not carry 1e-3; those of the other set carried 0.1. What
    needs no FAR stays theirs."""
    strict = dataclasses.replace(config, fars=(1e-3,))
    alone = calibrated(measured_with(vectors), vectors, strict).thresholds
    assert alone.by_far == {}
    beside(config)
    found = calibrated(measured_with(vectors), vectors, strict).thresholds
    assert found.by_far == {"0.1": 0.5}
    assert found.by_far_chosen_by.startswith("chosen by 70 people of there")
    assert found.used == alone.used
    assert found.chosen_by == alone.chosen_by
    assert found.chosen_by.startswith("chosen by the dataset's 6 validation people")


def test_they_are_not_those_of_a_baseline_or_of_another_look_or_model(vectors, config, caplog):
    beside(config)
    measured = measured_of(vectors)
    assert calibrated(measured, vectors, config, baseline=True).thresholds.used is None
    assert not caplog.messages
    flipped = dataclasses.replace(config, flip_average=True)
    assert calibrated(measured, vectors, flipped).thresholds.used is None
    assert (
        "model.keras.thresholds.json was calibrated for embeddings with flip_average = False"
        in (caplog.messages[-1])
    )
    beside(config, sha256="0" * 64)
    assert calibrated(measured, vectors, config).thresholds.used is None
    assert "model.keras.thresholds.json was calibrated for other weights" in caplog.messages[-1]
    said = len(caplog.messages)
    beside(config, fingerprint="")  # this very dataset's
    for each in (config, flipped):
        assert calibrated(measured, vectors, each).thresholds.used is None
    assert len(caplog.messages) == said
    nobody = calibrated(measured, vectors, config).thresholds
    assert nobody.by_far == {} and "no validation people" in nobody.chosen_by


def test_given_thresholds_need_a_model(vectors, tmp_path):
    options = ThresholdOptions(transfer=tmp_path / "given.json")
    config = EvaluateConfig(tmp_path / "x.npz", operating_points=options)
    with pytest.raises(InputError, match=r"do not name the model .* as `validation`"):
        calibrated(measured_of(vectors), vectors, config)


def test_given_thresholds_of_embeddings_made_in_another_way_are_refused(vectors, config):
    averaged = {"flip_average": True, "jitter": 0}
    beside(config, embedding=averaged)
    given = thresholds.place_beside(config.run / "model.keras")
    config = dataclasses.replace(config, operating_points=ThresholdOptions(transfer=given))
    with pytest.raises(
        InputError,
        match=r"model\..*\.json was .* with flip_average = True, not False",
    ):
        calibrated(measured_of(vectors), vectors, config)
    flipped = dataclasses.replace(config, flip_average=True)
    assert calibrated(measured_of(vectors), vectors, flipped).thresholds.by_far == {"0.1": 0.5}
    own = calibrated(measured_with(vectors), vectors, flipped).thresholds.own
    assert own.embedding == averaged


def test_the_crops_of_a_model_of_others_are_a_part_of_how_embeddings_are_made(tmp_path):
    model = tmp_path / "theirs.onnx"
    model.write_text("weights")
    config = EvaluateConfig(model, foreign=Foreign("insightface", "five_points"))
    found = embedding_of(config, model_path(config))
    assert found["normalization"] == "insightface" and found["channels"] == "rgb"
    assert Thresholds(of_file(model), {}, {}, 1.0, {}, found).unfit_for(model, found) is None
    other = embedding_of(
        dataclasses.replace(config, foreign=Foreign("insightface", "five_points", "bgr")), model
    )
    reason = Thresholds(of_file(model), {}, {}, 1.0, {}, found).unfit_for(model, other)
    assert reason == "was calibrated for embeddings with channels = rgb, not bgr"


def test_a_model_of_many_files_has_thresholds_of_its_own(vectors, tmp_path):
    model = tmp_path / "exported"
    (model / "variables").mkdir(parents=True)
    for name in ("saved_model.pb", "variables/variables.index"):
        (model / name).write_text(name)
    config = EvaluateConfig(model, foreign=Foreign("insightface", "five_points"))
    found = embedding_of(config, model_path(config))
    given = tmp_path / "exported.thresholds.json"
    points = {"0.1": {"threshold": 0.5}}
    dataset = {"name": "there", "fingerprint": "elsewhere"}
    Thresholds(of_path(model), dataset, points, 0.6, {}, found).write(given)
    assert given == thresholds.place_beside(model)
    config = dataclasses.replace(config, operating_points=ThresholdOptions(transfer=given))
    assert calibrated(measured_of(vectors), vectors, config).thresholds.by_far == {"0.1": 0.5}
    (model / "variables" / "variables.index").rename(model / "variables" / "other.index")
    with pytest.raises(InputError, match="calibrated for other weights"):
        calibrated(measured_of(vectors), vectors, config)


def test_every_protocol_finds_them(vectors, config, monkeypatch):
    told = []

    def figures(vectors, measured, config):
        told.append(measured.thresholds.used)

    spy = Protocol("spy", "Spy", "Looks.", figures, lambda results: [])
    monkeypatch.setattr(registry, "PROTOCOLS", (spy, dataclasses.replace(spy, for_baselines=True)))
    registry.all_figures(vectors, measured_with(vectors), config)
    other = dataclasses.replace(vectors, values=vectors.values[:, ::-1] * np.float32(0.5))
    registry.all_figures(other, measured_with(vectors), config, baseline=True)
    first, second, of_baseline = told
    assert first == second == calibrated(measured_with(vectors), vectors, config).thresholds.used
    assert of_baseline.balanced == pytest.approx(first.balanced / 4)
    assert SimpleNamespace(**of_baseline.dataset).people == 6
