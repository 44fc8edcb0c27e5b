"""Is one system better than another? Both on the same pairs, with the people drawn anew."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facenet_tf.metrics.checks import check_both_kinds, checked_pairs
from facenet_tf.metrics.intervals import check_draws
from facenet_tf.metrics.people_draws import PeopleDraws
from facenet_tf.metrics.roc import (
    SortedPairs,
    area_under_curve,
    equal_error_rate,
    operating_point,
    supports_far,
)
from facenet_tf.metrics.verification import best_threshold, contiguous_folds

_MOST_FOLDS = 10


@dataclasses.dataclass(frozen=True)
class Difference:
    """One figure of two systems.

    Attributes:
        a, b: the figure of each, on all pairs.
        difference: a − b.
        interval: 95 % percentile interval of the difference over draws of people.
        p_value: two-sided, in (0, 1]: twice the share of draws on the other side of no difference.
            It cannot fall below 2 / (draws + 1).
    """

    a: float
    b: float
    difference: float
    interval: tuple[float, float]
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
) -> dict[str, Difference]:
    """Differences of two systems on the same pairs (paired bootstrap over identities).

    Both systems see the same draws of people, so that what is hard for both takes no part in the
    difference. `accuracy` is the mean of the accuracies on genuine and on impostor pairs (the
    plain one where there are as many of both), each pair decided once, at the threshold that is
    best for its system on the pairs of the other folds (contiguous, ten where the pairs suffice).

    Args:
        distances_a, distances_b: float [N] each; smaller is more alike. The two may have scales of
            their own.
        genuine: bool [N].
        left_identity, right_identity: the persons of each pair, two [N] arrays of one type.
        seed: of the draws.
        draws: how many, 1 or more.
        fars: at which the TARs are compared, those that the impostor pairs carry.

    Returns:
        By figure: `accuracy`, `auc`, `eer`, `tar@FAR` (as `f"{far:g}"`).

    Raises:
        ValueError: bad input (see `checked_pairs`), one kind of pair only, lengths that differ, or
            too few people: fewer than half of the draws have both kinds of pairs.
    """
    systems = [_System(genuine, distances) for distances in (distances_a, distances_b)]
    people = PeopleDraws(left_identity, right_identity, seed)
    flags = systems[0].genuine
    if len(np.asarray(left_identity)) != len(flags) or len(systems[1].genuine) != len(flags):
        raise ValueError("distances and identities must be of one length")
    carried = [far for far in fars if supports_far(int((~flags).sum()), far)]

    on_all = np.ones(len(flags))
    a, b = (system.figures(on_all, carried) for system in systems)
    drawn = []
    for _ in range(draws):
        weights = people.weights()
        try:
            first, second = (system.figures(weights, carried) for system in systems)
        except ValueError:  # a draw without one kind of pair
            continue
        drawn.append(first - second)
    check_draws(len(drawn), draws, people.people)
    names = ["accuracy", "auc", "eer", *(f"tar@{far:g}" for far in carried)]
    return {
        name: difference_of(float(a[row]), float(b[row]), np.asarray(drawn)[:, row])
        for row, name in enumerate(names)
    }


class _System:
    """One system's pairs, sorted and decided once for all draws."""

    def __init__(self, genuine: ArrayLike, distances: ArrayLike) -> None:
        self.genuine, distance = checked_pairs(genuine, distances)
        self._pairs = SortedPairs(self.genuine, distance)
        self._right = _decided_rightly(self.genuine, distance)

    def figures(self, weights: NDArray[np.float64], fars: Sequence[float]) -> NDArray[np.float64]:
        """Accuracy, AUC, EER and the TARs where each pair counts so often."""
        curve = self._pairs.curve(weights[self._pairs.order])
        kinds = [
            weights[kind] @ self._right[kind] / weights[kind].sum()
            for kind in (self.genuine, ~self.genuine)
        ]
        tars = [operating_point(curve, far).tar for far in fars]
        return np.array([np.mean(kinds), area_under_curve(curve), equal_error_rate(curve), *tars])


def _decided_rightly(
    genuine: NDArray[np.bool_], distance: NDArray[np.float64]
) -> NDArray[np.bool_]:
    check_both_kinds(genuine)
    folds = min(_MOST_FOLDS, int(genuine.sum()), int((~genuine).sum()))
    if folds < 2:  # one pair of a kind: nothing could choose a threshold without it
        return genuine == (distance <= best_threshold(genuine, distance, balanced=True)[0])
    fold = contiguous_folds(genuine, folds)
    right = np.empty(len(genuine), bool)
    for number in range(folds):
        inside = fold == number
        threshold, _ = best_threshold(genuine[~inside], distance[~inside], balanced=True)
        right[inside] = genuine[inside] == (distance[inside] <= threshold)
    return right


def difference_of(a: float, b: float, drawn: NDArray[np.float64]) -> Difference:
    """The figures `a` and `b` with the differences of the same draws of both, [draws]."""
    low, high = np.quantile(drawn, [0.025, 0.975])
    opposite = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    p_value = min(1.0, 2 * (1 + opposite) / (1 + len(drawn)))
    return Difference(a, b, a - b, (float(low), float(high)), p_value)
