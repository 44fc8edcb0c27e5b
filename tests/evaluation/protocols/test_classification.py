"""Classifiers side by side, against scikit-learn's own and its nested cross-validation."""

import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    StratifiedShuffleSplit,
    cross_val_score,
    train_test_split,
)
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.svm import SVC

from facenet_tf.evaluation.methods.svm_choice import SvmChoice
from facenet_tf.evaluation.protocols.classification import (
    CHOSEN,
    Splits,
    classification_figures,
    tables,
    with_those_of_svm,
)
from facenet_tf.evaluation.protocols.svm import svm_figures

from ..made_up import people_vectors

CHOICE = SvmChoice(c=(0.01, 1.0, 30.0), kernels=("linear", "rbf"))
SPLITS = Splits(repeats=3, folds=4, seed=0)
LIBRARY = {
    "nearest_neighbour": KNeighborsClassifier(1),
    "five_nearest": KNeighborsClassifier(5),
    "logistic_regression": LogisticRegression(max_iter=1000),
    "svm": SVC(),
    "svm_linear": SVC(kernel="linear"),
}


def figures_of(vectors, splits=SPLITS):
    return classification_figures(vectors, splits=splits, choice=CHOICE)


@pytest.fixture(scope="module")
def hard():
    vectors = people_vectors(spread=1.3)
    return vectors, figures_of(vectors)


@pytest.mark.parametrize("name", LIBRARY)
def test_each_classifier_is_that_of_the_library(hard, name):
    vectors, found = hard
    values, names = vectors.values.astype(float), vectors.roster.identities
    x_train, x_test, y_train, y_test = train_test_split(
        values, names, test_size=0.2, random_state=42
    )
    svm = svm_figures(vectors, repeats=SPLITS.repeats, choice=CHOICE, seed=SPLITS.seed)
    mine, theirs = with_those_of_svm(found["classifiers"], svm)[name], LIBRARY[name]
    assert mine["accuracy"] == theirs.fit(x_train, y_train).score(x_test, y_test)
    repeated = StratifiedShuffleSplit(n_splits=3, test_size=0.2, random_state=0)
    folds = StratifiedKFold(4, shuffle=True, random_state=0)
    for key, splitter in (("repeated", repeated), ("folds", folds)):
        scores = cross_val_score(theirs, values, names, cv=splitter)
        assert mine[key]["accuracy_mean"] == pytest.approx(scores.mean())
        assert mine[key]["accuracy_std"] == pytest.approx(scores.std(ddof=1))


def test_the_nearest_mean_is_the_librarys_on_means_of_length_one(hard):
    vectors, found = hard
    x_train, x_test, y_train, y_test = train_test_split(
        vectors.values.astype(float), vectors.roster.identities, test_size=0.2, random_state=42
    )
    centroids = NearestCentroid().fit(x_train, y_train)
    centroids.centroids_ /= np.linalg.norm(centroids.centroids_, axis=1, keepdims=True)
    expected = centroids.score(x_test, y_test)
    assert found["classifiers"]["nearest_mean"]["accuracy"] == expected


def test_the_choice_is_nested_cross_validation(hard):
    vectors, found = hard
    grid = {"C": list(CHOICE.c), "kernel": list(CHOICE.kernels)}
    inner = StratifiedKFold(5, shuffle=True, random_state=0)
    outer = StratifiedKFold(4, shuffle=True, random_state=0)
    search = GridSearchCV(SVC(), grid, cv=inner)
    values, names = vectors.values.astype(float), vectors.roster.identities
    scores = cross_val_score(search, values, names, cv=outer)
    chosen = found["classifiers"][CHOSEN]
    assert chosen["folds"]["accuracy_mean"] == pytest.approx(scores.mean())
    assert len(chosen["choices_of_folds"]) == 4


def test_the_choice_never_sees_the_fold_it_is_judged_on():
    """A fold whose vectors are spoilt changes its own accuracy, not what is chosen for it."""
    vectors = people_vectors(spread=1.3)
    before = figures_of(vectors)["classifiers"][CHOSEN]["choices_of_folds"]
    folds = StratifiedKFold(4, shuffle=True, random_state=0)
    names = vectors.roster.identities
    _, held_out = next(folds.split(names, names))
    vectors.values[held_out] = -vectors.values[held_out[::-1]]
    assert figures_of(vectors)["classifiers"][CHOSEN]["choices_of_folds"][0] == before[0]


def test_the_table_shows_all_figures_of_both_svms():
    vectors = people_vectors(spread=1.0, lost=(3, 40))
    svm = svm_figures(vectors, repeats=3, choice=CHOICE, seed=0)
    found = figures_of(vectors)
    assert "accuracy" not in found["classifiers"]["svm"]  # has one home
    rows = {row[0]: row[1:] for row in tables({"svm": svm, "classification": found})[0].rows}
    tested, lost = svm["test_pictures"], svm["lost_as_errors"]["lost_pictures"]
    assert lost == 2
    for name, accuracy in (
        ("svm", svm["accuracy"]),
        ("svm chosen", svm["selected"]["accuracy"]),
        ("svm linear", found["classifiers"]["svm_linear"]["accuracy"]),
    ):
        with_lost = accuracy * tested / (tested + lost)
        assert rows[name][:2] == [f"{accuracy:.4f}", f"{with_lost:.4f}"]
    assert rows["svm"][3].startswith(f"{svm['repeated']['accuracy_mean']:.4f}")
    assert rows["svm chosen"][3] == "-"


def test_people_apart_are_all_named_by_everybody():
    found = figures_of(people_vectors(spread=0.05))
    for row in found["classifiers"].values():
        assert row.get("accuracy", 1) == row["folds"]["accuracy_mean"] == 1


def test_few_pictures_give_fewer_folds():
    found = figures_of(people_vectors(people=3, pictures=(3, 20, 20)))
    assert found["folds"] == 3


def test_too_few_pictures_are_a_reason():
    assert "needs two" in figures_of(people_vectors(people=1))["skipped"]


def test_figures_are_json(hard):
    json.dumps(hard[1], allow_nan=False)
