"""Verification accuracy with thresholds that the scored pairs had no part in.

Protocol of the folds: Huang et al., "Labeled Faces in the Wild", 2007, View 2: for each fold the
threshold is chosen on the others. Thresholds are exact: every distinct decision is tried, none
is missed between the points of a grid (for the grid in common use see `lfw_grid`).
"""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facenet_tf.metrics.checks import check_both_kinds, checked_pairs


@dataclasses.dataclass(frozen=True)
class FoldedAccuracy:
    """Accuracy per fold, float64 [K], in [0, 1], and the threshold each fold was scored with."""

    per_fold: NDArray[np.float64]
    thresholds: NDArray[np.float64]

    @property
    def mean(self) -> float:
        """Mean over the folds."""
        return float(self.per_fold.mean())

    @property
    def sem(self) -> float:
        """Standard error of the mean: sample deviation (K − 1) over √K, as in the LFW report."""
        return float(self.per_fold.std(ddof=1) / np.sqrt(len(self.per_fold)))


def best_threshold(
    genuine: ArrayLike, distance: ArrayLike, *, balanced: bool = False
) -> tuple[float, float]:
    """The threshold of highest accuracy on these pairs, and that accuracy.

    Candidates lie half-way between neighbouring distinct finite distances, below the smallest and
    at the largest; of several best the smallest is taken. None accepts a distance of +inf.

    Args:
        genuine: bool [N].
        distance: float [N].
        balanced: maximise (TAR + 1 − FAR) / 2 in place of the plain accuracy. That is the accuracy
            expected on a list with as many genuine as impostor pairs, whatever the mixture here.

    Raises:
        ValueError: bad input, or `balanced` with one kind of pair only.
    """
    flags, distances = checked_pairs(genuine, distance)
    if balanced:
        check_both_kinds(flags)
    candidates = _candidates(distances)
    accepted_genuine = _accepted(distances[flags], candidates)
    accepted_impostor = _accepted(distances[~flags], candidates)
    genuines, impostors = int(flags.sum()), int((~flags).sum())
    if balanced:
        accuracy = (accepted_genuine / genuines + 1 - accepted_impostor / impostors) / 2
    else:
        accuracy = (accepted_genuine + impostors - accepted_impostor) / len(flags)
    best = int(np.argmax(accuracy))
    return float(candidates[best]), float(accuracy[best])


def _candidates(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    values = np.unique(distances[np.isfinite(distances)])
    if not len(values):
        return np.zeros(1)
    low, high = values[:-1], values[1:]
    middle = low + (high - low) / 2
    # Between neighbouring floats the middle rounds to one of them: it must not be the upper one.
    middle = np.where(middle >= high, low, middle)
    return np.concatenate([[np.nextafter(values[0], -np.inf)], middle, values[-1:]])


def _accepted(distances: NDArray[np.float64], thresholds: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.searchsorted(np.sort(distances), thresholds, side="right")


def accuracy_at(genuine: ArrayLike, distance: ArrayLike, threshold: float) -> float:
    """Share of pairs decided rightly when distances up to `threshold` are accepted."""
    flags, distances = checked_pairs(genuine, distance)
    return float(np.mean(flags == (distances <= threshold)))


def folded_accuracy(genuine: ArrayLike, distance: ArrayLike, fold: ArrayLike) -> FoldedAccuracy:
    """Accuracy of each fold at the best threshold of the other folds.

    Args:
        genuine: bool [N].
        distance: float [N].
        fold: int [N], any K >= 2 distinct numbers; results are in their ascending order.

    Raises:
        ValueError: bad input, or fewer than two folds.
    """
    flags, distances, folds, numbers = _checked_folds(genuine, distance, fold)
    thresholds = fold_thresholds(flags, distances, folds)
    accuracies = [
        accuracy_at(flags[folds == number], distances[folds == number], threshold)
        for number, threshold in zip(numbers, thresholds)
    ]
    return FoldedAccuracy(np.array(accuracies), thresholds)


def fold_thresholds(
    genuine: ArrayLike, distance: ArrayLike, fold: ArrayLike, *, balanced: bool = False
) -> NDArray[np.float64]:
    """The threshold of each fold: the best one on the pairs of all others, float64 [K].

    Args, errors: as of `folded_accuracy`; balanced: as of `best_threshold`.
    """
    flags, distances, folds, numbers = _checked_folds(genuine, distance, fold)
    others = [folds != number for number in numbers]
    return np.array(
        [best_threshold(flags[rest], distances[rest], balanced=balanced)[0] for rest in others]
    )


def _checked_folds(
    genuine: ArrayLike, distance: ArrayLike, fold: ArrayLike
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray, NDArray]:
    """The columns of a list in folds, and the numbers of these, ascending."""
    flags, distances = checked_pairs(genuine, distance)
    folds = np.asarray(fold)
    numbers = np.unique(folds)
    if folds.shape != flags.shape or len(numbers) < 2:
        raise ValueError("fold must number every pair, with two folds or more")
    return flags, distances, folds, numbers


def contiguous_folds(genuine: ArrayLike, folds: int = 10) -> NDArray[np.int64]:
    """Fold numbers 0…folds−1 that cut the genuine and the impostor pairs each into runs in order.

    On a list in View 2's own order (300 genuine, 300 impostor, ten times) these are its folds; a
    list with all genuine pairs first gets the same mixture in every fold.

    Raises:
        ValueError: fewer than `folds` pairs of either kind.
    """
    flags = np.asarray(genuine, dtype=bool)
    if folds < 2 or min(flags.sum(), (~flags).sum()) < folds:
        raise ValueError(f"{folds} folds need that many genuine and impostor pairs")
    result = np.empty(len(flags), dtype=np.int64)
    for kind in (flags, ~flags):
        count = int(kind.sum())
        result[kind] = np.arange(count) * folds // count
    return result
