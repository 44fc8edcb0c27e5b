"""Thresholds that validation people choose, and what they do to other people's pairs."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facenet_tf import metrics
from facenet_tf.evaluation.fixed_thresholds import NOBODY
from facenet_tf.evaluation.pair_sets import MOST_PICTURES_PAIRED, PairSet, ScoredPairs
from facenet_tf.metrics import AchievedRates, FarThreshold
from facenet_tf.thresholds import ONE_LOOK, Thresholds

PROTOCOL = (
    "thresholds are chosen by the impostor pairs of the dataset's validation people (pictures "
    "without a record left out: they never come to a comparison; of more than "
    f"{MOST_PICTURES_PAIRED:,} pictures so many are drawn); intervals: 95 %, people "
    "drawn with replacement; achieved: the thresholds on pairs of other people, each applied once, "
    "where one with a picture that has no record is rejected (a failure to enrol, ISO/IEC "
    "19795-1); lost apart: without such pairs"
)


def calibrate(
    validation: ScoredPairs | None,
    *,
    fars: tuple[float, ...],
    draws: int,
    seed: int,
    model_sha256: str,
    dataset: dict[str, str],
    steered: Collection[str] = (),
    embedding: Mapping[str, Any] = ONE_LOOK,
) -> Thresholds | str:
    """Thresholds for each false accept rate, or why there are none.

    Args:
        validation: all pairs of the validation people; None where they give no pairs.
        fars: asked false accept rates, in (0, 1).
        draws: of people behind the intervals; 0: intervals over the pairs (Wilson).
        seed: of the draws.
        model_sha256: of the file or directory that holds the model.
        dataset: its `name` and `fingerprint`.
        steered: names of validation people who are known to have steered the training.
        embedding: how the embeddings were made (see `Thresholds`).
    """
    scored = None if validation is None else of_records(validation)
    if scored is None or not has_both_kinds(scored.pairs):
        return NOBODY
    genuine = scored.pairs.genuine
    people = np.unique(scored.roster.identities, return_inverse=True)[1]
    left, right = people[scored.pairs.left], people[scored.pairs.right]
    sides = (left[~genuine], right[~genuine])

    def point(far: float) -> dict[str, Any]:
        found = _threshold(scored.distance[~genuine], far, sides, draws, seed)
        if isinstance(found, str):
            return {"skipped": found}
        return _described(found, float(np.mean(scored.distance[genuine] <= found.threshold)))

    curve = metrics.fit_logistic(scored.distance, genuine, balanced=True)
    used = np.unique(np.concatenate([scored.pairs.left, scored.pairs.right]))
    names = np.unique(scored.roster.identities[used])
    return Thresholds(
        model_sha256=model_sha256,
        dataset={
            **dataset,
            "people": len(names),
            "steered_people": int(np.isin(names, list(steered)).sum()),
            "pictures": len(used),
            "genuine_pairs": int(genuine.sum()),
            "impostor_pairs": int((~genuine).sum()),
        },
        points={str(far): point(far) for far in fars},
        balanced=metrics.best_threshold(genuine, scored.distance, balanced=True)[0],
        same_person={"slope": curve.slope, "intercept": curve.intercept},
        embedding=dict(embedding),
    )


def _threshold(
    impostors: NDArray[np.float64],
    far: float,
    sides: tuple[NDArray[np.int64], NDArray[np.int64]],
    draws: int,
    seed: int,
) -> FarThreshold | str:
    """The threshold with intervals over people, or over pairs where there are too few of them."""
    try:
        return metrics.threshold_at_far(
            impostors, far, identities=sides if draws else None, draws=draws, seed=seed
        )
    except ValueError as error:
        return str(error)


def _described(found: FarThreshold, tar: float) -> dict[str, Any]:
    if not math.isfinite(found.threshold):
        return {"skipped": "equal distances: every threshold accepts more than this share"}
    low, high = found.threshold_interval
    return {
        "threshold": found.threshold,
        # No distance is below 0: -inf says no more.
        "threshold_interval": [max(0.0, low), max(0.0, high)],
        "far": found.far,
        "far_interval": list(found.far_interval),
        "tar": tar,
        "impostor_pairs": found.impostor_pairs,
        "interval_over": "people" if found.over_people else "pairs",
    }


def achieved(
    thresholds: Thresholds, sets: dict[str, ScoredPairs], *, draws: int, seed: int
) -> dict[str, dict[str, Any]]:
    """FAR and TAR of the thresholds on each set of pairs, by the rate that they were chosen for.

    A pair with a lost picture is rejected; `without_lost` has the rates without such pairs, where
    there are any.

    Args:
        thresholds: chosen by other people, of this or of another dataset.
        sets: pairs by the name of their set.
        draws: of people behind the intervals; 0: none.
        seed: of the draws.
    """
    return {name: _of_set(thresholds.usable, scored, draws, seed) for name, scored in sets.items()}


def _of_set(
    asked: dict[float, float], scored: ScoredPairs, draws: int, seed: int
) -> dict[str, dict[str, Any]]:
    """The rates of all pairs and, where a picture is lost, those without such pairs beside them."""
    found = _achieved(asked, scored, draws, seed)
    there = of_records(scored)
    if len(there.pairs) == len(scored.pairs) or not has_both_kinds(there.pairs):
        return found
    without_lost = _achieved(asked, there, draws, seed)
    return {far: {**rates, "without_lost": without_lost[far]} for far, rates in found.items()}


def _achieved(
    asked: dict[float, float], scored: ScoredPairs, draws: int, seed: int
) -> dict[str, dict[str, Any]]:
    rates = _counted(scored, list(asked.values()), draws, seed)
    return {f"{far:g}": _rates(each) for far, each in zip(asked, rates, strict=True)}


def _counted(
    scored: ScoredPairs, thresholds: list[float], draws: int, seed: int
) -> list[AchievedRates]:
    pairs = scored.pairs
    people = np.unique(scored.roster.identities, return_inverse=True)[1]
    sides = (people[pairs.left], people[pairs.right])
    return metrics.achieved_rates(
        pairs.genuine, scored.distance, sides, thresholds, draws=draws, seed=seed
    )


def _rates(found: AchievedRates) -> dict[str, Any]:
    return {
        "threshold": found.threshold,
        "far": found.far,
        "far_interval": found.far_interval and list(found.far_interval),
        "tar": found.tar,
        "tar_interval": found.tar_interval and list(found.tar_interval),
    }


def overall_thresholds(scored: ScoredPairs, fars: tuple[float, ...]) -> dict[str, float]:
    """The threshold that gives each FAR over these very pairs, where they carry it: for figures
    that nobody else can choose a threshold for, which have to say so.

    Raises:
        ValueError: the pairs are of one kind.
    """
    curve = metrics.roc_curve(scored.pairs.genuine, scored.distance)
    impostors = int((~scored.pairs.genuine).sum())
    points = {
        str(far): metrics.operating_point(curve, far).threshold
        for far in sorted(fars, reverse=True)
        if metrics.supports_far(impostors, far)
    }
    return {far: threshold for far, threshold in points.items() if math.isfinite(threshold)}


def of_records(scored: ScoredPairs) -> ScoredPairs:
    """The pairs whose two pictures have a record."""
    lost = scored.roster.lost
    return scored.where(~lost[scored.pairs.left] & ~lost[scored.pairs.right])


def has_both_kinds(pairs: PairSet) -> bool:
    """Whether there are genuine and impostor pairs."""
    return bool(pairs.genuine.any() and not pairs.genuine.all())
