"""scikit-learn's SVC over many splits of the same pictures, its kernels computed only once.

An SVC spends nearly all its time on distances of vectors. Over a hundred splits of a thousand
pictures that is minutes; from one matrix of distances it is seconds, with the same predictions.
"""

import warnings

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


class KernelSvm:
    """Trains and applies an SVC on rows of one table of vectors.

    Args:
        features: [N, D], finite.
        targets: [N], names or labels.
    """

    def __init__(self, features: NDArray[np.float32], targets: NDArray) -> None:
        self.features = features.astype(np.float64)
        self.targets = targets
        self._products = self.features @ self.features.T
        squares = np.diag(self._products)
        self._squared = np.maximum(squares[:, None] + squares - 2 * self._products, 0)

    def predict(self, train: Rows, test: Rows, c: float = 1.0, kernel: str = "rbf") -> NDArray:
        """The targets that `SVC(C=c, kernel=kernel)`, trained on some rows, gives to others."""
        from sklearn.svm import SVC

        svm = SVC(C=c, kernel="precomputed")
        gamma = self._scale(train)
        with warnings.catch_warnings():
            # One picture of each person is what few-shot figures are about.
            warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
            svm.fit(self._kernel(train, train, kernel, gamma), self.targets[train])
        return svm.predict(self._kernel(test, train, kernel, gamma))

    def accuracy(self, train: Rows, test: Rows, c: float = 1.0, kernel: str = "rbf") -> float:
        """Share of the test rows that get their own name."""
        return float(np.mean(self.predict(train, test, c, kernel) == self.targets[test]))

    def squared(self, left: Rows, right: Rows) -> NDArray[np.float64]:
        """Squared Euclidean distances of some rows and others, [L, R]."""
        return self._squared[np.ix_(left, right)]

    def _scale(self, train: Rows) -> float:
        """SVC's gamma="scale": from the variance of all numbers of the training rows."""
        variance = self.features[train].var()
        return 1 / (self.features.shape[1] * variance) if variance else 1.0

    def _kernel(self, left: Rows, right: Rows, kernel: str, gamma: float) -> NDArray[np.float64]:
        if kernel == "linear":
            return self._products[np.ix_(left, right)]
        return np.exp(-gamma * self.squared(left, right))
