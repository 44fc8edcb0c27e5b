"""Is one system better than another? Both on the same pairs, with the people drawn anew."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facenet_tf.metrics.checks import checked_pairs
from facenet_tf.metrics.pair_weights import PairWeights
from facenet_tf.metrics.resampling import (
    ROUNDING,
    limits_at_the_end,
    p_value,
    people_samples,
    percentiles,
)
from facenet_tf.metrics.roc import (
    SortedPairs,
    area_under_curve,
    equal_error_rate,
    operating_point,
    supports_far,
)
from facenet_tf.metrics.verification import best_threshold, contiguous_folds, fold_thresholds

_MOST_FOLDS = 10


@dataclasses.dataclass(frozen=True)
class Difference:
    """One figure of two systems.

    Attributes:
        a, b: the figure of each, on all pairs.
        difference: a − b.
        interval: 95 % interval of the difference over draws of people. Where one of the systems is
            without an error in them, a limit of 0 is moved by what as many independent cases
            without an error leave open (`resampling.limits_at_the_end`).
        interval_a, interval_b: of each figure, from the same draws.
        p_value: two-sided, in (0, 1]: how far out among the draws no difference lies. It cannot
            fall below 2 / (draws + 1), and few people keep it higher (`resampling.p_value`).
    """

    a: float
    b: float
    difference: float
    interval: tuple[float, float]
    interval_a: tuple[float, float]
    interval_b: tuple[float, float]
    p_value: float


def paired_bootstrap(
    distances_a: ArrayLike,
    distances_b: ArrayLike,
    genuine: ArrayLike,
    left_identity: ArrayLike,
    right_identity: ArrayLike,
    seed: int = 0,
    draws: int = 1000,
    fars: Sequence[float] = (1e-1, 1e-2, 1e-3),
    fold: ArrayLike | None = None,
) -> dict[str, Difference]:
    """Differences of two systems on the same pairs (paired bootstrap over identities).

    Both systems see the same draws of people, so that what is hard for both takes no part in the
    difference. Each pair is decided once, at the threshold that is best for its system on the pairs
    of the other folds. `accuracy` of a list that has folds is its own: the mean over the folds of
    the share of pairs decided rightly (`folded_accuracy`). Without folds it is the mean of the
    accuracies on genuine and on impostor pairs, in contiguous folds, ten where the pairs suffice.

    Of two equal systems about 5 % of the p-values are below 0.05, for EER and TAR fewer. For the
    accuracy it is some 8 %: its thresholds vary too, which the draws do not show. (Chosen anew in
    each draw they vary too much, and next to nothing would be significant.)

    Args:
        distances_a, distances_b: float [N] each; smaller is more alike. The two may have scales of
            their own.
        genuine: bool [N].
        left_identity, right_identity: the persons of each pair, two [N] arrays of one type.
        seed: of the draws.
        draws: how many, 1 or more.
        fars: at which the TARs are compared, those that the impostor pairs carry.
        fold: int [N], the folds of the list, two or more; None where it has none.

    Returns:
        By figure: `accuracy`, `auc`, `eer`, `tar@FAR` (as `f"{far:g}"`).

    Raises:
        ValueError: bad input (see `checked_pairs`), one kind of pair only, or lengths that differ.
        TooFewPeople: fewer than half of the draws have both kinds of pairs.
    """
    systems = [_System(genuine, distances, fold) for distances in (distances_a, distances_b)]
    weights = PairWeights(left_identity, right_identity)
    flags = systems[0].genuine
    if len(weights.cell) != len(flags) or len(systems[1].genuine) != len(flags):
        raise ValueError("distances and identities must be of one length")
    carried = [far for far in fars if supports_far(int((~flags).sum()), far)]

    def both(pairs: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.concatenate([system.figures(pairs, carried) for system in systems])

    drawn = people_samples(
        weights.people, lambda times: both(weights.of_pairs(times)), draws=draws, seed=seed
    )
    cases = [weights.cases(about) for about in (2, 3, 2, *(1 for _ in carried))]
    found = differences_of(both(np.ones(len(flags))), drawn, weights.people, cases)
    names = ["accuracy", "auc", "eer", *(f"tar@{far:g}" for far in carried)]
    return dict(zip(names, found, strict=True))


def differences_of(
    values: NDArray[np.float64],
    drawn: NDArray[np.float64],
    people: int,
    cases: Sequence[int | None],
) -> list[Difference]:
    """The differences of F figures of two systems.

    Args:
        values: float64 [2F], the figures of the first system, then those of the second.
        drawn: float64 [D, 2F], the same in each draw.
        people: how many were drawn.
        cases: of each figure, [F], as of `percentiles`.
    """
    count = len(cases)
    differences = drawn[:, :count] - drawn[:, count:]
    alone = percentiles(drawn, people, [*cases, *cases])
    at_the_end = (np.abs(alone - percentiles(drawn, people)) > ROUNDING).any(axis=1)
    limits = percentiles(differences, people)
    for row in np.flatnonzero(at_the_end.reshape(2, count).any(axis=0)).tolist():
        unseen = limits_at_the_end(0, cases[row] or 1)[1]
        limits[row] = np.where(np.abs(limits[row]) < ROUNDING, [-unseen, unseen], limits[row])
    return [
        Difference(
            a=float(values[row]),
            b=float(values[count + row]),
            difference=float(values[row] - values[count + row]),
            interval=(float(low), float(high)),
            interval_a=(float(alone[row, 0]), float(alone[row, 1])),
            interval_b=(float(alone[count + row, 0]), float(alone[count + row, 1])),
            p_value=p_value(differences[:, row], people),
        )
        for row, (low, high) in enumerate(limits)
    ]


class _System:
    """One system's pairs, sorted and decided once for all draws."""

    def __init__(self, genuine: ArrayLike, distances: ArrayLike, fold: ArrayLike | None) -> None:
        self.genuine, distance = checked_pairs(genuine, distances)
        self._pairs = SortedPairs(self.genuine, distance)
        if fold is None:
            # Genuine and impostor pairs have a part each, so that both count one half.
            self._part = self.genuine.astype(np.int64)
            self._right = _decided_in_new_folds(self.genuine, distance)
        else:
            self._part = np.unique(np.asarray(fold), return_inverse=True)[1]
            thresholds = fold_thresholds(self.genuine, distance, fold)
            self._right = self.genuine == (distance <= thresholds[self._part])

    def figures(self, weights: NDArray[np.float64], fars: Sequence[float]) -> NDArray[np.float64]:
        """Accuracy, AUC, EER and the TARs where each pair counts so often."""
        curve = self._pairs.curve(weights[self._pairs.order])
        pairs = np.bincount(self._part, weights)
        right = np.bincount(self._part, weights * self._right, len(pairs))
        accuracy = np.mean(right[pairs > 0] / pairs[pairs > 0])
        tars = [operating_point(curve, far).tar for far in fars]
        return np.array([accuracy, area_under_curve(curve), equal_error_rate(curve), *tars])


def _decided_in_new_folds(
    genuine: NDArray[np.bool_], distance: NDArray[np.float64]
) -> NDArray[np.bool_]:
    folds = min(_MOST_FOLDS, int(genuine.sum()), int((~genuine).sum()))
    if folds < 2:  # one pair of a kind: nothing could choose a threshold without it
        return genuine == (distance <= best_threshold(genuine, distance, balanced=True)[0])
    fold = contiguous_folds(genuine, folds)
    thresholds = fold_thresholds(genuine, distance, fold, balanced=True)
    return genuine == (distance <= thresholds[fold])
