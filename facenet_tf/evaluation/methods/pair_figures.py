"""Figures over a set of scored pairs, each with how its threshold came about."""

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facenet_tf import metrics
from facenet_tf.evaluation.pair_sets import PairSet, ScoredPairs
from facenet_tf.evaluation.roster import Roster
from facenet_tf.evaluation.table import doubt_of_intervals
from facenet_tf.metrics.roc import MINIMUM_FALSE_ACCEPTS

CURVE_POINTS = 41
"""Of a curve with its band, evenly spread over the powers of ten."""

DISTANCE = "squared Euclidean distance of unit vectors"
NOT_DRAWN = "people are drawn with --bootstrap, for the measured system and all of its pairs"
LOST = (
    "no pair is skipped: one with a picture that has no record is rejected at every threshold (a "
    "failure to enrol, ISO/IEC 19795-1)"
)
LOST_OF_LIST = "a pair with a picture that has no record is an error"


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
        "d_prime": _d_prime(scored),
        **tar_figures(curve, fars, genuines, impostors),
        **_pairs_by_outcome(roster, pairs),
    }
    carried = [far for far in fars if metrics.supports_far(impostors, far)]
    grid = curve_fars(impostors)
    figures["curve"] = {"far": grid.tolist(), "tar": metrics.tar_at(curve, grid).tolist()}
    figures["bootstrap"] = (
        _bootstrap(scored, carried, bootstrap, seed) if bootstrap else {"skipped": NOT_DRAWN}
    )
    lost = roster.lost[pairs.left] | roster.lost[pairs.right]
    if lost.any():
        figures["without_lost"] = _without_lost(scored.where(~lost), fars)
    return figures


def readable_far(tars: dict[str, float]) -> str:
    """The lowest FAR at which at least half of the genuine pairs are accepted, or else the highest:
    where nearly none are, nothing can be read off.

    Args:
        tars: TAR by FAR, one or more.
    """
    half = [far for far, tar in tars.items() if tar >= 0.5]
    return min(half, key=float) if half else max(tars, key=float)


def tar_figures(
    curve: metrics.RocCurve, fars: tuple[float, ...], genuines: int, impostors: int
) -> dict[str, Any]:
    """`tar` and `tar_points` by FAR; None, and why, where the impostor pairs do not carry it."""
    tars: dict[str, float | None] = {}
    points: dict[str, dict[str, Any]] = {}
    for far in fars:
        if not metrics.supports_far(impostors, far):
            tars[str(far)] = None
            reason = metrics.too_few_for_far(impostors, far)
            points[str(far)] = {"impostor_pairs": impostors, "skipped": reason}
            continue
        point = metrics.operating_point(curve, far)
        tars[str(far)] = point.tar
        points[str(far)] = {
            "threshold": point.threshold if np.isfinite(point.threshold) else None,
            "far": point.far,
            "impostor_pairs": impostors,
            "interval": metrics.wilson_interval(round(point.tar * genuines), genuines),
            "interval_protocol": "Wilson over the genuine pairs, 95 %, threshold taken as given",
        }
    return {"tar": tars, "tar_points": points}


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


def curve_fars(impostors: int) -> NDArray[np.float64]:
    """FARs at which a curve is drawn: from the lowest that so many impostor pairs carry, to 1."""
    lowest = min(1.0, MINIMUM_FALSE_ACCEPTS / impostors)
    return np.geomspace(lowest, 1.0, CURVE_POINTS)


def _d_prime(scored: ScoredPairs) -> float | None:
    """Of the pairs of pictures with a record; None where these are of one kind, or do not vary."""
    kept = np.isfinite(scored.distance)
    try:
        found = metrics.separation(scored.pairs.genuine[kept], scored.distance[kept]).d_prime
    except ValueError:
        return None
    return found if np.isfinite(found) else None


def _d_prime_of(curve: metrics.RocCurve) -> float:
    """The same of a curve; NaN where it has none."""
    try:
        return metrics.curve_separation(curve).d_prime
    except ValueError:
        return math.nan


def sides_of(scored: ScoredPairs) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of the persons on the left and right of each pair."""
    codes = np.unique(scored.roster.identities, return_inverse=True)[1]
    return codes[scored.pairs.left], codes[scored.pairs.right]


def _bootstrap(scored: ScoredPairs, fars: list[float], draws: int, seed: int) -> dict[str, Any]:
    pairs = scored.pairs
    grid = curve_fars(int((~pairs.genuine).sum()))

    def statistic(curve: metrics.RocCurve) -> list[float]:
        areas = [metrics.area_under_curve(curve), metrics.equal_error_rate(curve)]
        return [*areas, _d_prime_of(curve), *metrics.tar_at(curve, [*fars, *grid])]

    # All is accepted at a FAR of 1, whoever the people are.
    about = [3, 2, None, *(1 for _ in fars), *(1 if far < 1 else None for far in grid)]

    described = (
        f"people drawn with replacement, {draws} times or more, 95 % percentiles, seed {seed}"
    )
    people = len(np.unique(np.concatenate(sides_of(scored))))
    if doubt := doubt_of_intervals(people):
        described += f"; {doubt}"
    try:
        limits = metrics.bootstrap_identities(
            pairs.genuine,
            scored.distance,
            sides_of(scored),
            statistic,
            draws=draws,
            seed=seed,
            about=about,
        )
    except metrics.TooFewPeople as error:
        return {"protocol": described, "skipped": str(error)}
    auc, eer, d_prime, *tars = limits.tolist()
    low, high = zip(*tars[len(fars) :], strict=True)
    return {
        "protocol": described,
        "auc": auc,
        "eer": eer,
        "d_prime": d_prime if np.isfinite(d_prime).all() else None,
        "tar": dict(zip(map(str, fars), tars)),
        "curve": {"low": low, "high": high},
    }


def folded_figures(scored: ScoredPairs, folds: str) -> dict[str, Any]:
    """Accuracy of each fold at the best exact threshold of the others, with mean and SEM."""
    scored, pairs = scored.with_lost_as_errors(), scored.pairs
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
            f"deviation / sqrt(folds); {LOST_OF_LIST}; interval: Wilson over all pairs, 95 %"
        ),
    }


def fixed_threshold_figures(
    scored: ScoredPairs,
    threshold: float,
    chosen_by: str,
    *,
    balanced: bool,
    bootstrap: int = 0,
    seed: int = 0,
) -> dict[str, Any]:
    """Accuracy at a threshold that other people chose, applied once.

    Args:
        scored: the pairs.
        threshold: squared distance up to which a pair is accepted.
        chosen_by: who chose it, for the protocol ("chosen by …").
        balanced: mean of TAR and 1 - FAR, for unequal numbers of pairs; otherwise the share of a
            list's pairs, of which one with a lost picture is an error.
        bootstrap: draws of people behind the interval of that mean; 0: it has none.
        seed: of the draws.
    """
    pairs = scored.pairs
    interval: Any
    if balanced:
        (rates,) = metrics.achieved_rates(
            pairs.genuine,
            scored.distance,
            sides_of(scored),
            [threshold],
            draws=bootstrap,
            seed=seed,
        )
        accuracy, interval = rates.balanced, rates.balanced_interval
        note = "mean of the accuracies on genuine and on impostor pairs; interval: " + (
            "none" if interval is None else f"people drawn {bootstrap} times or more, 95 %"
        )
    else:
        right = pairs.genuine == (scored.with_lost_as_errors().distance <= threshold)
        accuracy = float(right.mean())
        interval = metrics.wilson_interval(int(right.sum()), len(pairs))
        note = f"share of pairs decided rightly; {LOST_OF_LIST}; interval: Wilson, 95 %"
    return {
        "accuracy_mean": accuracy,
        "accuracy_sem": None,
        "accuracy_interval": interval,
        "threshold": threshold,
        "accuracy_protocol": (
            f"threshold of the best mean of TAR and 1 - FAR, {chosen_by}, applied once; {note}"
        ),
    }


def grid_figures(scored: ScoredPairs) -> dict[str, Any] | None:
    """The figures of the grid rule in common use, for comparison with published ones; None where
    the pairs do not divide into its folds."""
    try:
        rates, decided = (
            metrics.grid_lfw(scored.pairs.genuine, each.distance)
            for each in (scored, scored.with_lost_as_errors())
        )
    except ValueError:
        return None
    grid = {
        name: getattr(decided if "accuracy" in name else rates, name)
        for name in dataclasses.asdict(rates)
    }
    return {
        "protocol": (
            "thresholds 0…4 on squared distances, steps of 0.01 (accuracy) and 0.001 (VAL at FAR "
            "1e-3), accepted below the threshold, ten contiguous folds, population deviations; "
            f"accuracy: {LOST_OF_LIST}; the rates: {LOST}"
        ),
        **{
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in grid.items()
        },
    }
