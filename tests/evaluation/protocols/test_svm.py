"""SVM figures on made-up vectors."""

import numpy as np
import pytest
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    StratifiedShuffleSplit,
    train_test_split,
)
from sklearn.svm import SVC

from facenet_tf.evaluation.methods.svm_choice import SvmChoice
from facenet_tf.evaluation.protocols.svm import fit_named_split, svm_figures
from facenet_tf.evaluation.roster import Vectors

from ..made_up import people_vectors

CHOICE = SvmChoice(c=(0.01, 1.0), kernels=("linear", "rbf"))


def figures_of(vectors, repeats=4):
    return svm_figures(vectors, repeats=repeats, choice=CHOICE, seed=0)


def test_named_split_is_the_modelled_protocol():
    vectors = people_vectors(spread=1.0)
    figures = figures_of(vectors)
    x_train, x_test, y_train, y_test = train_test_split(
        vectors.values, vectors.roster.identities, test_size=0.2, random_state=42
    )
    expected = SVC().fit(x_train, y_train)
    assert figures["accuracy"] == pytest.approx(expected.score(x_test, y_test))
    assert figures["test_pictures"] == len(y_test)
    stored = fit_named_split(vectors)
    np.testing.assert_array_equal(stored.predict(x_test), expected.predict(x_test))


def test_choice_is_that_of_a_grid_search():
    vectors = people_vectors(spread=1.5)
    selected = figures_of(vectors)["selected"]
    x_train, x_test, y_train, y_test = train_test_split(
        vectors.values, vectors.roster.identities, test_size=0.2, random_state=42
    )
    grid = {"C": list(CHOICE.c), "kernel": list(CHOICE.kernels)}
    inner = StratifiedKFold(5, shuffle=True, random_state=0)
    search = GridSearchCV(SVC(), grid, cv=inner).fit(x_train, y_train)
    assert {"C": selected["c"], "kernel": selected["kernel"]} == search.best_params_
    assert selected["inner_accuracy"] == pytest.approx(search.best_score_)
    assert selected["accuracy"] == pytest.approx(search.score(x_test, y_test))


def test_repeated_splits_are_those_of_plain_svms():
    vectors = people_vectors(spread=1.5)
    splits = StratifiedShuffleSplit(n_splits=4, test_size=0.2, random_state=0)
    names = vectors.roster.identities
    expected = [
        SVC().fit(vectors.values[train], names[train]).score(vectors.values[test], names[test])
        for train, test in splits.split(vectors.values, names)
    ]
    repeated = figures_of(vectors)["repeated"]
    assert repeated["accuracy_mean"] == pytest.approx(np.mean(expected))
    assert repeated["accuracy_std"] == pytest.approx(np.std(expected, ddof=1))


def test_confusion_matrix_and_report_agree_with_the_accuracy():
    figures = figures_of(people_vectors(spread=1.0))
    matrix = np.array(figures["confusion_matrix"])
    assert matrix.sum() == figures["test_pictures"]
    assert np.trace(matrix) / matrix.sum() == pytest.approx(figures["accuracy"])
    f1s = [figures["classification_report"][person]["f1-score"] for person in figures["people"]]
    assert np.mean(f1s) == pytest.approx(figures["macro_f1"])


def test_separable_people_are_told_apart_and_noise_is_not():
    assert figures_of(people_vectors(spread=0.05))["repeated"]["accuracy_mean"] == 1.0
    assert figures_of(people_vectors(spread=50))["repeated"]["accuracy_mean"] < 0.5


def test_choice_never_sees_the_test_part():
    """The choice must not change when the test part's vectors do."""
    vectors = people_vectors(spread=1.0)
    before = figures_of(vectors)
    _, test = train_test_split(np.arange(80), test_size=0.2, random_state=42)
    spoilt = vectors.values.copy()
    spoilt[test] = spoilt[test[::-1]] * -3
    after = figures_of(Vectors(vectors.roster, spoilt))
    for name in ("c", "kernel", "inner_accuracy"):
        assert before["selected"][name] == after["selected"][name]


def test_lost_pictures_are_errors_on_top_of_the_test_part():
    _, test = train_test_split(np.arange(80), test_size=0.2, random_state=42)
    lost = test[:3]
    figures = figures_of(people_vectors(spread=0.05, lost=lost))
    assert figures["accuracy"] == 1.0
    errors = figures["lost_as_errors"]
    assert errors["lost_pictures"] == 3
    assert errors["test_pictures"] == figures["test_pictures"] + 3
    assert errors["accuracy"] == pytest.approx(1 - 3 / errors["test_pictures"])


def test_without_lost_pictures_both_policies_agree():
    figures = figures_of(people_vectors(spread=1.0))
    assert figures["lost_as_errors"]["accuracy"] == pytest.approx(figures["accuracy"])


def test_seed_decides_the_repeated_splits_only():
    vectors = people_vectors(spread=1.0)
    first = svm_figures(vectors, repeats=4, choice=CHOICE, seed=1)
    second = svm_figures(vectors, repeats=4, choice=CHOICE, seed=2)
    assert first["accuracy"] == second["accuracy"]
    assert first["repeated"] != second["repeated"]
    assert first == svm_figures(vectors, repeats=4, choice=CHOICE, seed=1)


@pytest.mark.parametrize(
    ("vectors", "reason"),
    [
        (people_vectors(people=1), "needs two"),
        (people_vectors(people=3, pictures=2, lost=(0,)), "single picture"),
        (people_vectors(people=9, pictures=3), "holds not all people"),
        (people_vectors(people=2, pictures=4, lost=(0, 1, 2, 3)), "1 people"),
        (people_vectors(people=2, pictures=(2, 4)), "shows one person"),
    ],
)
def test_too_few_pictures_are_a_reason_not_a_crash(vectors, reason):
    figures = figures_of(vectors)
    assert reason in figures["skipped"]
    assert figures["accuracy"] is None
