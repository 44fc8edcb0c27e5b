"""The splits by which every classifier of the SVM's people is judged, and the scores of a split.

scikit-learn is imported where it is used: an evaluation that asks for no classifier is spared it.
"""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from facenet_tf.evaluation.methods.kernel_svm import Rows

TEST_SHARE = 0.2
MODELLED_SEED = 42

Split = tuple[Rows, Rows]
"""Rows to train, rows to test."""
Rule = Callable[[Rows, Rows], NDArray]
"""Training rows and test rows of a table to the targets that the test rows are given."""


def modelled_split(count: int) -> Split:
    """The modelled project's split of `count` pictures."""
    from sklearn.model_selection import train_test_split

    train, test = train_test_split(
        np.arange(count), test_size=TEST_SHARE, random_state=MODELLED_SEED
    )
    return train, test


def repeated_splits(targets: NDArray, repeats: int, seed: int) -> list[Split]:
    """So many stratified 80/20 splits."""
    from sklearn.model_selection import StratifiedShuffleSplit

    splitter = StratifiedShuffleSplit(n_splits=repeats, test_size=TEST_SHARE, random_state=seed)
    return list(splitter.split(targets, targets))


def stratified_folds(targets: NDArray, folds: int, seed: int) -> list[Split]:
    """Stratified folds, as many as the pictures allow."""
    from sklearn.model_selection import StratifiedKFold

    splitter = StratifiedKFold(usable_folds(targets, folds), shuffle=True, random_state=seed)
    return list(splitter.split(targets, targets))


def usable_folds(targets: NDArray, folds: int) -> int:
    """So many stratified folds, or as many as the person with the fewest pictures allows."""
    return min(folds, int(np.unique(targets, return_counts=True)[1].min()))


def why_too_few(targets: NDArray[np.str_]) -> str | None:
    """Why these pictures, by the names on them, do not suffice for the splits; None if they do."""
    people, counts = np.unique(targets, return_counts=True)
    if len(people) < 2:
        return f"{len(people)} people with a record: an SVM needs two"
    if counts.min() < 2:
        return f"{people[counts.argmin()]} has a single picture with a record: two are needed"
    if np.ceil(TEST_SHARE * len(targets)) < len(people):
        return f"{len(targets)} pictures of {len(people)} people: a test share holds not all people"
    train, _ = modelled_split(len(targets))
    if len(np.unique(targets[train])) < 2:
        return f"{len(targets)} pictures: the training part of the named split shows one person"
    return None


def macro_f1(true: NDArray, predicted: NDArray) -> float:
    """Mean F1 of the people who occur in the test part or are predicted: scikit-learn's default."""
    from sklearn.metrics import f1_score

    return float(f1_score(true, predicted, average="macro", zero_division=0))


def spread(rule: Rule, targets: NDArray, splits: Iterable[Split]) -> dict[str, float]:
    """Mean and sample deviation of accuracy and macro F1 over splits."""
    scores = []
    for train, test in splits:
        predicted = rule(train, test)
        scores.append((np.mean(predicted == targets[test]), macro_f1(targets[test], predicted)))
    means, deviations = np.mean(scores, axis=0), np.std(scores, axis=0, ddof=1)
    return {
        "accuracy_mean": float(means[0]),
        "accuracy_std": float(deviations[0]),
        "macro_f1_mean": float(means[1]),
        "macro_f1_std": float(deviations[1]),
    }
