"""Pictures that lie with somebody else: labels that are probably wrong.

Each picture is judged by people's mean embeddings of the other folds; what that says about all
pictures together, confident learning (the library cleanlab) turns into a list.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.model_selection import StratifiedKFold

from facenet_tf import metrics
from facenet_tf.errors import InputError

MOST_CELLS = 100_000_000
"""Pictures times people that are judged at once: 0.8 GB for each table."""


class Suspects(NamedTuple):
    """Pictures whose label is probably wrong, the most suspicious first; arrays of one length.

    Attributes:
        row: int64, which picture.
        proposed: int64, the label that is likeliest among the others.
        own, other: float64 in 0…1, probability of the given and of the proposed label, both by
            people's pictures of the other folds.
    """

    row: NDArray[np.int64]
    proposed: NDArray[np.int64]
    own: NDArray[np.float64]
    other: NDArray[np.float64]


def require_cleanlab() -> None:
    """Raises InputError when the library is missing, before any work is done."""
    try:
        import cleanlab.filter  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"the package cleanlab cannot be imported ({error}): pip install 'facenet-tf[clean]'"
        ) from error


def find_suspects(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> Suspects:
    """The pictures whose label confident learning doubts.

    How many there are follows from the estimated joint distribution of given and true labels;
    which they are, from the lowest probabilities of the given label.

    Source: Northcutt, Jiang, Chuang, "Confident Learning: Estimating Uncertainty in Dataset
    Labels", 2021; cleanlab's filter "low_self_confidence".

    Args:
        probabilities: [N, C], of labels 0…C-1, from `out_of_sample`.
        labels: [N], as given.

    Raises:
        InputError: cleanlab is missing.
    """
    require_cleanlab()
    from cleanlab.filter import find_label_issues

    row = find_label_issues(
        labels,
        probabilities,
        filter_by="low_self_confidence",
        return_indices_ranked_by="self_confidence",
        n_jobs=1,
    )
    row = np.asarray(row, np.int64)
    others = probabilities[row]
    own = others[np.arange(len(row)), labels[row]]
    others[np.arange(len(row)), labels[row]] = -1
    proposed = others.argmax(axis=1)
    return Suspects(row, proposed, own, others[np.arange(len(row)), proposed])


def out_of_sample(
    vectors: NDArray[np.float32], labels: NDArray[np.int64], folds: int, seed: int
) -> NDArray[np.float64]:
    """Probability of every label for every picture, by people's pictures of other folds alone.

    The softmax of the cosines between a picture and the people's mean vectors, at the temperature
    that makes the given labels likeliest over all pictures. Of weak and strong embeddings alike
    class means are spoilt less by wrong labels than a classifier that fits each picture.

    Args:
        vectors: [N, D], rows of length 1.
        labels: [N], 0…C-1, each given to at least `folds` pictures.
        folds: stratified folds, at least 2.
        seed: of the folds.

    Returns:
        float64 [N, C], rows that sum to 1.

    Raises:
        InputError: fewer than two labels, or more than `MOST_CELLS` pictures times people.
    """
    people = int(labels.max()) + 1
    if people < 2:
        raise InputError("a single person has enough pictures: there is nobody to mistake them for")
    if len(labels) * people > MOST_CELLS:
        raise InputError(
            f"{len(labels):,} pictures of {people:,} people are too many at once: choose a "
            "--split, or raise --min-pictures"
        )
    cosines = np.empty((len(labels), people))
    stratified = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for train, test in stratified.split(vectors, labels):
        means = np.zeros((people, vectors.shape[1]))
        np.add.at(means, labels[train], vectors[train])
        cosines[test] = vectors[test] @ metrics.unit_rows(means).T
    return _softmax(cosines, _temperature(cosines, labels))


def _temperature(cosines: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """The factor of the cosines that gives the lowest mean log loss, 1…150."""
    rows = np.arange(len(labels))

    def loss(logarithm: float) -> float:
        given = _softmax(cosines, np.exp(logarithm))[rows, labels]
        return float(-np.log(np.maximum(given, 1e-12)).mean())

    found = minimize_scalar(loss, bounds=(0, 5), method="bounded", options={"xatol": 0.02})
    return float(np.exp(found.x))


def _softmax(cosines: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    powers = np.exp(factor * (cosines - cosines.max(axis=1, keepdims=True)))
    return powers / powers.sum(axis=1, keepdims=True)
