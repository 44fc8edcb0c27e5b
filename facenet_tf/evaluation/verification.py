"""Verification: sets of pairs, who chose the threshold, and the figures over them."""

import dataclasses
import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facenet_tf import metrics
from facenet_tf.datasets.pairs import Pairs
from facenet_tf.errors import InputError
from facenet_tf.evaluation.roster import Roster, Vectors, drawn_people
from facenet_tf.metrics.roc import MINIMUM_FALSE_ACCEPTS

logger = logging.getLogger(__name__)

MOST_PICTURES_PAIRED = 3000
"""All pairs of more pictures than this are too many to sort again for every bootstrap draw."""

DISTANCE = "squared Euclidean distance of unit vectors"
LOST = (
    "no pair is skipped: a pair with a picture that has no record counts as an error at every "
    "threshold"
)


@dataclasses.dataclass(frozen=True)
class PairSet:
    """N pairs of pictures of a roster.

    Attributes:
        protocol: where the pairs come from.
        left, right: int64 [N] rows of the roster.
        genuine: bool [N].
        fold: int64 [N], or None where the protocol has no folds.
    """

    protocol: str
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    genuine: NDArray[np.bool_]
    fold: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.genuine)

    def where(self, chosen: NDArray[np.bool_]) -> "PairSet":
        """The pairs chosen by a bool [N]."""
        fold = None if self.fold is None else self.fold[chosen]
        return PairSet(
            self.protocol, self.left[chosen], self.right[chosen], self.genuine[chosen], fold
        )


@dataclasses.dataclass(frozen=True)
class ScoredPairs:
    """Pairs with their squared distances, float64 [N], by the vectors of one network.

    The distance is infinite on the wrong side where a picture has no record.
    """

    roster: Roster
    pairs: PairSet
    distance: NDArray[np.float64]

    @classmethod
    def of(cls, vectors: Vectors, pairs: PairSet) -> "ScoredPairs":
        """Measure all pairs."""
        distance = metrics.listed_distances(vectors.values, pairs.left, pairs.right)
        worst = np.where(pairs.genuine, np.inf, -np.inf)
        return cls(vectors.roster, pairs, np.where(np.isnan(distance), worst, distance))

    def where(self, chosen: NDArray[np.bool_]) -> "ScoredPairs":
        """The pairs chosen by a bool [N]."""
        return ScoredPairs(self.roster, self.pairs.where(chosen), self.distance[chosen])


def all_pairs_of_split(roster: Roster, split: str, seed: int) -> PairSet | None:
    """All pairs of the pictures of a split's people, duplicates left out.

    Above MOST_PICTURES_PAIRED pictures whole people are drawn at random up to that number.

    Returns:
        The pairs; None unless they hold genuine and impostor ones.
    """
    wanted = (roster.splits == split) & ~roster.duplicate
    people = np.unique(roster.identities[wanted])
    protocol = f"all pairs of the pictures of the dataset's {len(people)} {split} people"
    drawn = drawn_people(roster.where(wanted), MOST_PICTURES_PAIRED, seed)
    if len(drawn) < len(people):
        wanted &= roster.of_people(drawn)
        protocol = (
            f"all pairs of the pictures of {len(drawn)} people drawn from the dataset's "
            f"{len(people)} {split} people (seed {seed})"
        )
    rows = np.flatnonzero(wanted)
    left, right = metrics.all_pairs(len(rows))
    left, right = rows[left], rows[right]
    codes = np.unique(roster.identities, return_inverse=True)[1]
    genuine = codes[left] == codes[right]
    if not len(genuine) or genuine.all() or not genuine.any():
        return None
    return PairSet(protocol, left, right, genuine)


def listed_pairs(roster: Roster, pairs: Pairs, protocol: str) -> PairSet:
    """A published list of pairs as rows of the roster.

    Raises:
        InputError: the list names pictures that the dataset was not built from.
    """
    left, right = roster.rows_of(pairs.left), roster.rows_of(pairs.right)
    unknown = (left < 0) | (right < 0)
    if unknown.any():
        first = int(np.argmax(unknown))
        raise InputError(
            f"{int(unknown.sum())} of {len(pairs)} pairs name pictures that the dataset does not "
            f"have (first: {pairs.left[first]}, {pairs.right[first]}): build it from all of LFW"
        )
    genuine = np.asarray(pairs.genuine, bool)
    return PairSet(protocol, left, right, genuine, np.asarray(pairs.fold))


def ranking_figures(
    scored: ScoredPairs, *, fars: tuple[float, ...], bootstrap: int = 0, seed: int = 0
) -> dict[str, Any]:
    """Figures that need no chosen threshold: AUC, EER and TAR at each FAR, with their intervals."""
    pairs, roster = scored.pairs, scored.roster
    curve = metrics.roc_curve(pairs.genuine, scored.distance)
    genuines, impostors = int(pairs.genuine.sum()), int((~pairs.genuine).sum())
    figures: dict[str, Any] = {
        "protocol": f"{pairs.protocol}; {DISTANCE}; {LOST}",
        "pairs": len(pairs),
        "genuine_pairs": genuines,
        "impostor_pairs": impostors,
        "auc": metrics.area_under_curve(curve),
        "eer": metrics.equal_error_rate(curve),
        "tar": {},
        "tar_points": {},
        **_pairs_by_outcome(roster, pairs),
    }
    carried = [far for far in fars if metrics.supports_far(impostors, far)]
    for far in fars:
        if far not in carried:
            figures["tar"][str(far)] = None
            figures["tar_points"][str(far)] = {
                "impostor_pairs": impostors,
                "skipped": _too_few(impostors, far),
            }
            continue
        point = metrics.operating_point(curve, far)
        figures["tar"][str(far)] = point.tar
        figures["tar_points"][str(far)] = {
            "threshold": point.threshold if np.isfinite(point.threshold) else None,
            "far": point.far,
            "impostor_pairs": impostors,
            "interval": metrics.wilson_interval(round(point.tar * genuines), genuines),
            "interval_protocol": "Wilson over the genuine pairs, 95 %, threshold taken as given",
        }
    if bootstrap:
        figures["bootstrap"] = _bootstrap(scored, carried, bootstrap, seed)
    lost = roster.lost[pairs.left] | roster.lost[pairs.right]
    if lost.any():
        figures["without_lost"] = _without_lost(scored.where(~lost), fars)
    return figures


def _without_lost(scored: ScoredPairs, fars: tuple[float, ...]) -> dict[str, Any] | None:
    pairs = scored.pairs
    if pairs.genuine.all() or not pairs.genuine.any():
        return None
    figures = ranking_figures(scored, fars=fars)
    figures["protocol"] = f"{pairs.protocol}; {DISTANCE}; only pairs of pictures with a record"
    return figures


def _pairs_by_outcome(roster: Roster, pairs: PairSet) -> dict[str, Any]:
    """How many pairs hold a picture of each outcome code, and how many one without a record."""
    lost = roster.lost[pairs.left] | roster.lost[pairs.right]
    outcomes, codes = np.unique(roster.outcomes, return_inverse=True)
    left, right = codes[pairs.left], codes[pairs.right]
    counts = {
        str(outcome): int(np.sum((left == code) | (right == code)))
        for code, outcome in enumerate(outcomes)
    }
    return {
        "pairs_with_lost_picture": int(lost.sum()),
        "pairs_by_outcome": {outcome: count for outcome, count in counts.items() if count},
    }


def _too_few(impostors: int, far: float) -> str:
    return (
        f"{impostors} impostor pairs; {MINIMUM_FALSE_ACCEPTS} expected false accepts at this FAR "
        f"need {int(np.ceil(MINIMUM_FALSE_ACCEPTS / far))}"
    )


def _bootstrap(
    scored: ScoredPairs, fars: list[float], replicates: int, seed: int
) -> dict[str, Any]:
    pairs = scored.pairs

    def statistic(curve: metrics.RocCurve) -> list[float]:
        tars = [metrics.operating_point(curve, far).tar for far in fars]
        return [metrics.area_under_curve(curve), metrics.equal_error_rate(curve), *tars]

    described = f"people drawn with replacement, {replicates} times, 95 % percentiles, seed {seed}"
    codes = np.unique(scored.roster.identities, return_inverse=True)[1]
    sides = (codes[pairs.left], codes[pairs.right])
    try:
        intervals = metrics.bootstrap_identities(
            pairs.genuine, scored.distance, sides, statistic, replicates=replicates, seed=seed
        ).tolist()
    except ValueError as error:
        return {"protocol": described, "skipped": str(error)}
    tar = dict(zip(map(str, fars), intervals[2:], strict=True))
    return {"protocol": described, "auc": intervals[0], "eer": intervals[1], "tar": tar}


def folded_figures(scored: ScoredPairs, folds: str) -> dict[str, Any]:
    """Accuracy of each fold at the best exact threshold of the others, with mean and SEM."""
    pairs = scored.pairs
    if pairs.fold is None:
        raise ValueError("these pairs have no folds")
    result = metrics.folded_accuracy(pairs.genuine, scored.distance, pairs.fold)
    sizes = np.unique(pairs.fold, return_counts=True)[1]  # a fold may have lost all its pairs
    correct = round(float(np.sum(result.per_fold * sizes)))
    return {
        "accuracy_mean": result.mean,
        "accuracy_sem": result.sem,
        "accuracy_per_fold": result.per_fold.tolist(),
        "thresholds": result.thresholds.tolist(),
        "accuracy_interval": metrics.wilson_interval(correct, len(pairs)),
        "accuracy_protocol": (
            f"{folds}; each fold at the exact threshold that is best on the others; SEM = sample "
            "deviation / sqrt(folds); interval: Wilson over all pairs, 95 %"
        ),
    }


def fixed_threshold_figures(
    scored: ScoredPairs, threshold: float, chosen_on: str, *, balanced: bool
) -> dict[str, Any]:
    """Accuracy at a threshold that other people chose, applied once.

    Args:
        scored: the pairs.
        threshold: squared distance up to which a pair is accepted.
        chosen_on: who chose it, for the protocol.
        balanced: mean of the accuracies over genuine and impostor pairs, for unequal numbers.
    """
    pairs = scored.pairs
    right = pairs.genuine == (scored.distance <= threshold)
    if balanced:
        accuracy = float(right[pairs.genuine].mean() + right[~pairs.genuine].mean()) / 2
        interval, note = None, "mean of the accuracies on genuine and on impostor pairs"
    else:
        accuracy = float(right.mean())
        interval = metrics.wilson_interval(int(right.sum()), len(pairs))
        note = "share of pairs decided rightly; interval: Wilson over the pairs, 95 %"
    return {
        "accuracy_mean": accuracy,
        "accuracy_sem": None,
        "accuracy_interval": interval,
        "threshold": threshold,
        "accuracy_protocol": f"threshold chosen on {chosen_on}, applied once; {note}",
    }


def grid_figures(scored: ScoredPairs) -> dict[str, Any]:
    """The figures of the grid rule in common use, for comparison with published ones."""
    grid = metrics.grid_lfw(scored.pairs.genuine, scored.distance)
    return {
        "protocol": (
            "thresholds 0…4 on squared distances, steps of 0.01 (accuracy) and 0.001 (VAL at FAR "
            "1e-3), accepted below the threshold, ten contiguous folds, population deviations"
        ),
        **{
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in dataclasses.asdict(grid).items()
        },
    }
