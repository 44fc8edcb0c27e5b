"""The classifiers that name pictures by other pictures of the same people, over one table."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from facenet_tf import metrics
from facenet_tf.evaluation.kernel_svm import KernelSvm, Rows

Rule = Callable[[Rows, Rows], NDArray]
"""Training rows and test rows of the table to the targets that the test rows are given."""

NEIGHBOURS = 5

DESCRIPTIONS = {
    "nearest_mean": "the nearest of the people's mean vectors, scaled to length 1",
    "nearest_neighbour": "the nearest picture's person",
    "five_nearest": f"the majority among the {NEIGHBOURS} nearest pictures",
    "logistic_regression": "scikit-learn's default LogisticRegression(), all people in one model",
    "svm": "scikit-learn's default SVC(): RBF kernel, C = 1",
    "svm_linear": 'SVC(kernel="linear"), C = 1',
}


def rules(machine: KernelSvm) -> dict[str, Rule]:
    """Every classifier without a choice of its own, by its name in DESCRIPTIONS.

    Args:
        machine: the table of vectors and targets.
    """
    values, targets = machine.features, machine.targets

    def by(nearest: Callable[[NDArray, NDArray, NDArray], NDArray]) -> Rule:
        return lambda train, test: nearest(values[train], targets[train], values[test])

    def five_nearest(train: Rows, test: Rows) -> NDArray:
        count = min(NEIGHBOURS, len(train))
        model = KNeighborsClassifier(count, metric="precomputed")
        model.fit(machine.squared(train, train), targets[train])
        return model.predict(machine.squared(test, train))

    def logistic_regression(train: Rows, test: Rows) -> NDArray:
        return logistic_model().fit(values[train], targets[train]).predict(values[test])

    return {
        "nearest_mean": by(metrics.nearest_mean),
        "nearest_neighbour": by(metrics.nearest_neighbour),
        "five_nearest": five_nearest,
        "logistic_regression": logistic_regression,
        "svm": machine.predict,
        "svm_linear": lambda train, test: machine.predict(train, test, kernel="linear"),
    }


def logistic_model() -> LogisticRegression:
    """The logistic regression of all figures: the default, with steps enough to get there."""
    return LogisticRegression(max_iter=1000)


def usable_folds(targets: NDArray, folds: int) -> int:
    """So many stratified folds, or as many as the person with the fewest pictures allows."""
    return min(folds, int(np.unique(targets, return_counts=True)[1].min()))
