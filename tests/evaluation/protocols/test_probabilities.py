"""Probabilities of classifiers and of pairs, against scikit-learn's and on known truths."""

import dataclasses
import json

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.svm import SVC

from facenet_tf import metrics
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.fixed_thresholds import FixedThresholds
from facenet_tf.evaluation.methods.threshold_figures import calibrate
from facenet_tf.evaluation.options.all_pairs import AllPairsOptions
from facenet_tf.evaluation.options.probabilities import ProbabilitiesOptions
from facenet_tf.evaluation.pair_sets import ScoredPairs, all_pairs_of_split
from facenet_tf.evaluation.protocols.probabilities import (
    _honesty_of_classes,
    classifier_probabilities,
    figures,
    of_all_pairs,
    same_person_probabilities,
)
from facenet_tf.thresholds import Thresholds

from ..made_up import measured_of, people_vectors


def figures_of(vectors, draws=0):
    return classifier_probabilities(vectors, folds=4, draws=draws, seed=0)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("svm", CalibratedClassifierCV(SVC(), cv=5, ensemble=False)),
        ("logistic_regression", LogisticRegression(max_iter=1000)),
    ],
)
def test_probabilities_are_out_of_fold(name, model):
    vectors = people_vectors(spread=1.0)
    values, names = vectors.values.astype(float), vectors.roster.identities
    folds = StratifiedKFold(4, shuffle=True, random_state=0)
    rows = cross_val_predict(model, values, names, cv=folds, method="predict_proba")
    people, labels = np.unique(names, return_inverse=True)
    right = rows.argmax(axis=1) == labels
    found = figures_of(vectors)["classifiers"][name]
    assert found["accuracy"] == pytest.approx(right.mean())
    assert found["mean_claimed"] == pytest.approx(rows.max(axis=1).mean())
    assert found["ece"] == pytest.approx(metrics.reliability(rows.max(axis=1), right).error)
    assert found["brier"] == pytest.approx(np.mean(((rows - np.eye(4)[labels]) ** 2).sum(axis=1)))
    assert sum(part["share"] for part in found["bins"]) == pytest.approx(1)
    assert len(people) == 4


def test_intervals_hold_their_figures():
    found = figures_of(people_vectors(spread=1.0), draws=50)["classifiers"]["svm"]
    for name in ("ece", "brier"):
        low, high = found[f"{name}_interval"]
        assert low <= found[name] <= high and low < high
    without = figures_of(people_vectors(spread=1.0))["classifiers"]["svm"]
    assert without["brier_interval"] is None


def test_pictures_without_a_record_have_no_probability():
    assert figures_of(people_vectors(lost=(0, 1)))["pictures"] == 78


def test_people_with_too_few_pictures_are_a_reason():
    assert "p0 has 2 pictures" in figures_of(people_vectors(2, (2, 60)))["skipped"]
    assert "single picture" in figures_of(people_vectors(2, (1, 20)))["skipped"]


def taught_by(scored):
    """The thresholds, and with them the curve, that some people's pairs give."""
    found = calibrate(scored, fars=(0.1,), draws=0, seed=0, model_sha256="", dataset={})
    assert isinstance(found, Thresholds)
    return found


def pairs_of(seed, lost=(), spread=1.0):
    vectors = people_vectors(people=10, pictures=8, seed=seed, spread=spread, lost=lost)
    return ScoredPairs.of(vectors, all_pairs_of_split(vectors.roster, "test", 0))


def test_a_probability_that_others_taught_is_honest_on_the_like():
    taught = taught_by(pairs_of(1))
    found = same_person_probabilities(taught, {"others": pairs_of(2)}, draws=30)
    assert found["slope"] < 0
    assert found["sets"]["others"]["ece"] < 0.1
    assert found["sets"]["others"]["brier"] < 0.25
    for name in ("ece", "brier"):
        low, high = found["sets"]["others"][f"{name}_interval"]
        assert low <= found["sets"]["others"][name] <= high and low < high
    json.dumps(found, allow_nan=False)


def test_it_is_not_on_people_who_lie_closer():
    """The shares of the two kinds do not matter, the distances do."""
    taught = taught_by(pairs_of(1))
    alike = same_person_probabilities(taught, {"x": pairs_of(2)})["sets"]["x"]
    other = same_person_probabilities(taught, {"x": pairs_of(2, spread=4.0)})["sets"]["x"]
    assert other["ece"] > 2 * alike["ece"]
    assert alike["ece_interval"] is None


def test_the_curve_is_fitted_on_pairs_with_records_only():
    holed = pairs_of(1, lost=(0, 9))
    lost = holed.roster.lost
    there = holed.where(~lost[holed.pairs.left] & ~lost[holed.pairs.right])
    curve = metrics.fit_logistic(there.distance, there.pairs.genuine, balanced=True)
    found = same_person_probabilities(taught_by(holed), {"same": holed})
    assert (found["slope"], found["intercept"]) == (curve.slope, curve.intercept)
    assert found["sets"]["same"]["pairs"] == len(there.pairs)


def test_all_pairs_of_many_pictures_are_as_honest_as_their_list():
    vectors = people_vectors(people=10, pictures=8, seed=2, spread=1.0, lost=(3,))
    taught, listed = taught_by(pairs_of(1)), pairs_of(2, lost=(3,))
    (few,) = same_person_probabilities(taught, {"x": listed})["sets"].values()
    found = of_all_pairs(taught, vectors)
    assert found["pairs"] == few["pairs"] == 79 * 78 // 2
    for name in ("ece", "brier"):
        assert found[name] == pytest.approx(few[name], abs=1e-9)


def test_all_pairs_are_there_where_the_others_are_of_some_people(monkeypatch):
    monkeypatch.setattr("facenet_tf.evaluation.measured.MOST_PICTURES_PAIRED", 79)
    vectors = people_vectors(people=10, pictures=8, seed=2, spread=1.0)
    config = EvaluateConfig(bootstrap=5, probabilities=ProbabilitiesOptions(folds=2))
    thresholds = FixedThresholds(taught_by(pairs_of(1)))
    measured = measured_of(vectors, thresholds=thresholds)
    found = figures(vectors, measured, config)["same_person"]
    assert set(found["sets"]) == {"unseen_people", "all_pairs"}
    assert "chosen by the dataset's 10 validation people" in found["protocol"]
    never = dataclasses.replace(config, all_pairs=AllPairsOptions(when="never"))
    assert set(figures(vectors, measured, never)["same_person"]["sets"]) == {"unseen_people"}
    alone = figures(vectors, measured_of(vectors), config)
    assert "same_person" not in alone


def test_intervals_of_classifiers_draw_people():
    """Pictures of a person are as one: the same pictures again make nobody surer."""
    once = people_vectors(people=6, pictures=10, spread=1.2, seed=3)
    probabilities = np.abs(once.values[:, :6]) + 0.01
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    targets = np.repeat(np.arange(6), 10)
    found, again = (
        _honesty_of_classes(np.tile(probabilities, (times, 1)), np.tile(targets, times), 200, 0)
        for times in (1, 4)
    )
    assert again["brier_interval"] == pytest.approx(found["brier_interval"])
    assert again["ece_interval"] == pytest.approx(found["ece_interval"])


def test_three_pictures_are_enough():
    found = figures_of(people_vectors(people=3, pictures=(3, 9, 9)))
    assert found["classifiers"]["svm"]["accuracy"] > 0.5
