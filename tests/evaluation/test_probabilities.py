"""Probabilities of classifiers and of pairs, against scikit-learn's and on known truths."""

import json

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.svm import SVC

from facenet_tf import metrics
from facenet_tf.evaluation.pair_sets import ScoredPairs, all_pairs_of_split
from facenet_tf.evaluation.probabilities import (
    classifier_probabilities,
    same_person_probabilities,
)

from .made_up import people_vectors


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


def test_intervals_hold_the_brier_score():
    found = figures_of(people_vectors(spread=1.0), draws=50)["classifiers"]["svm"]
    low, high = found["brier_interval"]
    assert low < found["brier"] < high
    assert found["ece_interval"][0] < found["ece_interval"][1]
    without = figures_of(people_vectors(spread=1.0))["classifiers"]["svm"]
    assert without["brier_interval"] is None


def test_pictures_without_a_record_have_no_probability():
    assert figures_of(people_vectors(lost=(0, 1)))["pictures"] == 78


def test_people_with_too_few_pictures_are_a_reason():
    assert "p0 has 2 pictures" in figures_of(people_vectors(2, (2, 60)))["skipped"]
    assert "single picture" in figures_of(people_vectors(2, (1, 20)))["skipped"]


def pairs_of(seed, lost=(), spread=1.0):
    vectors = people_vectors(people=10, pictures=8, seed=seed, spread=spread, lost=lost)
    return ScoredPairs.of(vectors, all_pairs_of_split(vectors.roster, "test", 0))


def test_a_probability_that_others_taught_is_honest_on_the_like():
    found = same_person_probabilities(pairs_of(1), {"others": pairs_of(2)})
    assert found["slope"] < 0
    assert found["sets"]["others"]["ece"] < 0.1
    assert found["sets"]["others"]["brier"] < 0.25
    json.dumps(found, allow_nan=False)


def test_it_is_not_on_people_who_lie_closer():
    """The shares of the two kinds do not matter, the distances do."""
    alike = same_person_probabilities(pairs_of(1), {"x": pairs_of(2)})["sets"]["x"]["ece"]
    other = same_person_probabilities(pairs_of(1), {"x": pairs_of(2, spread=4.0)})["sets"]["x"]
    assert other["ece"] > 2 * alike


def test_the_curve_is_fitted_on_pairs_with_records_only():
    holed = pairs_of(1, lost=(0, 9))
    lost = holed.roster.lost
    there = holed.where(~lost[holed.pairs.left] & ~lost[holed.pairs.right])
    curve = metrics.fit_logistic(there.distance, there.pairs.genuine, balanced=True)
    found = same_person_probabilities(holed, {"same": holed})
    assert (found["slope"], found["intercept"]) == (curve.slope, curve.intercept)
    assert found["sets"]["same"]["pairs"] == len(there.pairs)


def test_three_pictures_are_enough():
    found = figures_of(people_vectors(people=3, pictures=(3, 9, 9)))
    assert found["classifiers"]["svm"]["accuracy"] > 0.5
