"""The LFW figures in common use, with their threshold grids, for comparison with published ones.

The rule that most face projects share: thresholds on squared distances of unit vectors, accuracy
on the grid 0, 0.01, … 3.99, VAL on the grid 0, 0.001, … 3.999, a pair accepted when its distance
is *less* than the threshold. It differs from exact thresholds (`verification`) by up to 0.002, and
its VAL is a mean over folds at interpolated thresholds, not the pooled TAR at a FAR.
"""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facenet_tf.metrics.checks import check_both_kinds, checked_pairs
from facenet_tf.metrics.roc import RocCurve, area_under_curve, roc_curve
from facenet_tf.metrics.verification import best_threshold


@dataclasses.dataclass(frozen=True)
class GridLfw:
    """Figures of the grid rule, all in [0, 1].

    Attributes:
        accuracy_per_fold: float64 [K], each at the best grid threshold of the other folds.
        accuracy_mean, accuracy_std: mean and population deviation over the folds.
        best_accuracy: highest accuracy any threshold gives on all pairs (chosen on the test pairs).
        val_mean, val_std: TAR over folds where the other folds' FAR is the target; population std.
        far_mean: FAR that these thresholds gave on the held-out folds.
        auc: exact area under the curve of all pairs.
        eer: mean of FAR and 1 − TAR at that corner of the curve where they are closest.
    """

    accuracy_per_fold: NDArray[np.float64]
    accuracy_mean: float
    accuracy_std: float
    best_accuracy: float
    val_mean: float
    val_std: float
    far_mean: float
    auc: float
    eer: float


def grid_lfw(
    genuine: ArrayLike, squared_distance: ArrayLike, *, folds: int = 10, far: float = 1e-3
) -> GridLfw:
    """All figures of the grid rule over contiguous folds.

    Args:
        genuine: bool [N], in the order of the published list.
        squared_distance: float [N], squared Euclidean distances of unit vectors, in [0, 4].
        folds: how many contiguous runs of N / folds pairs; N must be a multiple.
        far: FAR at which VAL is read.

    Raises:
        ValueError: bad input, N not a multiple of `folds`, or a fold with one kind of pair only.
    """
    flags, distances = checked_pairs(genuine, squared_distance)
    if folds < 2 or len(flags) % folds:
        raise ValueError(f"{len(flags)} pairs do not divide into {folds} folds")
    flags, distances = flags.reshape(folds, -1), distances.reshape(folds, -1)
    for fold in flags:
        check_both_kinds(fold)
    accuracy = _accuracy(flags, distances)
    val, held_out_far = _val(flags, distances, far)
    curve = roc_curve(flags.ravel(), distances.ravel())
    return GridLfw(
        accuracy_per_fold=accuracy,
        accuracy_mean=float(accuracy.mean()),
        accuracy_std=float(accuracy.std()),
        best_accuracy=best_threshold(flags.ravel(), distances.ravel())[1],
        val_mean=float(val.mean()),
        val_std=float(val.std()),
        far_mean=float(held_out_far.mean()),
        auc=area_under_curve(curve),
        eer=_eer_at_corner(curve, genuines=int(flags.sum()), impostors=int((~flags).sum())),
    )


def _eer_at_corner(curve: RocCurve, genuines: int, impostors: int) -> float:
    """The curve in common use keeps only its corners, and this EER depends on that."""
    false_accepts = np.rint(curve.far[1:] * impostors)
    true_accepts = np.rint(curve.tar[1:] * genuines)
    turns = (np.diff(false_accepts, 2) != 0) | (np.diff(true_accepts, 2) != 0)
    corners = np.concatenate([[True], turns, [True]]) if len(false_accepts) > 1 else [True]
    far = np.append(0.0, curve.far[1:][corners])
    frr = np.append(1.0, 1 - curve.tar[1:][corners])
    closest = int(np.argmin(np.abs(far - frr)))
    return float((far[closest] + frr[closest]) / 2)


def _accuracy(flags: NDArray[np.bool_], distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Accuracy of each fold [K] at the best grid threshold of the others."""
    thresholds = np.arange(0, 4, 0.01)
    genuine = _accepted(flags, distances, thresholds)
    impostor = _accepted(~flags, distances, thresholds)
    right = genuine + (~flags).sum(axis=1, keepdims=True) - impostor
    # Counts, not rates, decide the first maximum: rounding must not break a tie.
    chosen = np.argmax(right.sum(axis=0) - right, axis=1)
    return right[np.arange(len(flags)), chosen] / flags.shape[1]


def _val(
    flags: NDArray[np.bool_], distances: NDArray[np.float64], far: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """TAR and FAR of each fold [K] at the threshold where the other folds' FAR is `far`."""
    grid = np.arange(0, 4, 0.001)
    impostor = _accepted(~flags, distances, grid)
    impostors = (~flags).sum(axis=1)
    tars, fars = [], []
    for fold, (flag, distance) in enumerate(zip(flags, distances, strict=True)):
        others = (impostor.sum(axis=0) - impostor[fold]) / (impostors.sum() - impostors[fold])
        # Where the FAR never reaches the target, the end of the grid is the threshold.
        threshold = np.interp(far, others, grid)
        tars.append(np.mean(distance[flag] < threshold))
        fars.append(np.mean(distance[~flag] < threshold))
    return np.array(tars), np.array(fars)


def _accepted(
    kind: NDArray[np.bool_], distances: NDArray[np.float64], thresholds: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Per fold and threshold [K, T]: how many pairs of this kind lie below the threshold."""
    return np.stack(
        [
            np.searchsorted(np.sort(distance[flag]), thresholds, side="left")
            for flag, distance in zip(kind, distances, strict=True)
        ]
    )
