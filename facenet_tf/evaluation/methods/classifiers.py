"""The classifiers that name pictures by other pictures of the same people, over one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from numpy.typing import NDArray

from facenet_tf import metrics
from facenet_tf.evaluation.methods.closed_set import Rule
from facenet_tf.evaluation.methods.kernel_svm import KernelSvm, Rows

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

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
        from sklearn.neighbors import KNeighborsClassifier

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
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=1000)
