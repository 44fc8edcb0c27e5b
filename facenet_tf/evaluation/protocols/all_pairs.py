"""Exact figures over all pairs of the test people's pictures, also where these are millions."""

from __future__ import annotations

from typing import Any

import numpy as np

from facenet_tf import metrics
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.methods.pair_figures import (
    DISTANCE,
    LOST,
    NOT_DRAWN,
    curve_fars,
    tar_figures,
)
from facenet_tf.evaluation.options.all_pairs import AllPairsOptions
from facenet_tf.evaluation.protocol import Protocol
from facenet_tf.evaluation.roster import Vectors
from facenet_tf.evaluation.table import Table, interval, share

FEWEST_PEOPLE = 10
"""Of so many effective people at least intervals are shown. Those over pairs alone would look the
surest where they are the least."""
PEOPLE_ALIKE = "TAR, people alike"
TERMS = {
    "TAR": "the share of pairs of one person that are accepted; who has many pictures counts most",
    PEOPLE_ALIKE: "the same where every person counts alike, whoever has more pictures",
}


def figures(vectors: Vectors, measured: Measured, config: EvaluateConfig) -> dict[str, Any] | None:
    """The figures; None where the pairs are few enough for the protocol `verification`."""
    options, rows = config.all_pairs, np.flatnonzero(measured.test_rows)
    if options.when == "never" or config.list_only:
        return None
    if options.when == "many" and not measured.many:
        return None
    people = measured.roster.identities[rows]
    pairs = metrics.score_all_pairs(vectors.values[rows], people, nearest=options.nearest)
    try:
        curve = pairs.curve()
    except ValueError as error:
        return {"skipped": str(error)}
    genuines = len(pairs.genuine)
    grid = curve_fars(pairs.impostors)
    d_prime = pairs.separation.d_prime if pairs.separation else None
    found = {
        "protocol": (
            f"all pairs of the pictures of {len(pairs.pictures)} test people, none left out; "
            f"{DISTANCE}; exact counts; {LOST}"
        ),
        "people": len(pairs.pictures),
        "pictures": len(rows),
        "pairs": genuines + pairs.impostors,
        "genuine_pairs": genuines,
        "impostor_pairs": pairs.impostors,
        **_shares_of_people(people),
        "lost_pictures": int(np.isnan(vectors.values[rows]).any(axis=1).sum()),
        "auc": metrics.area_under_curve(curve),
        "eer": metrics.equal_error_rate(curve),
        "d_prime": d_prime if d_prime is None or np.isfinite(d_prime) else None,
        **tar_figures(curve, config.fars, genuines, pairs.impostors),
        "tar_of_people": {
            str(far): pairs.tar_of_people(metrics.operating_point(curve, far).threshold)
            for far in config.fars
            if metrics.supports_far(pairs.impostors, far)
        },
        "curve": {"far": grid.tolist(), "tar": metrics.tar_at(curve, grid).tolist()},
    }
    found["bootstrap"] = (
        _bootstrap(pairs, people, config) if config.bootstrap else {"skipped": NOT_DRAWN}
    )
    return found


def _shares_of_people(people: np.ndarray) -> dict[str, float]:
    """How evenly the genuine pairs are spread: the number of people with as many each that would
    tell as much (Kish's effective sample size), and the share of the one with the most."""
    pictures = np.unique(people, return_counts=True)[1]
    genuine = pictures * (pictures - 1) / 2
    share = genuine / genuine.sum()
    return {"effective_people": float(1 / (share**2).sum()), "largest_share": float(share.max())}


def _bootstrap(
    pairs: metrics.ManyPairs, people: np.ndarray, config: EvaluateConfig
) -> dict[str, Any]:
    """Intervals over people at the FARs that the nearest impostor pairs allow."""
    reachable = metrics.reachable_far(pairs)
    fars = [
        far
        for far in config.fars
        if far <= reachable and metrics.supports_far(pairs.impostors, far)
    ]
    described = (
        f"people drawn with replacement, {config.bootstrap} times or more, 95 % percentiles, seed "
        f"{config.seed}; from the {len(pairs.nearest)} nearest impostor pairs, which carry FARs "
        f"up to {reachable:.2g}; AUC, EER and d' have no interval over people, since it would take "
        "all the others in every draw"
    )
    try:
        intervals = metrics.tar_intervals(
            pairs, people, fars, draws=config.bootstrap, seed=config.seed
        )
    except metrics.TooFewPeople as error:
        return {"protocol": described, "skipped": str(error)}
    return {
        "protocol": described,
        "tar": {str(each.far): each.tar for each in intervals},
        "threshold": {
            str(each.far): each.threshold for each in intervals if np.isfinite(each.threshold).all()
        },
    }


def tables(results: dict[str, Any]) -> list[Table]:
    """TAR at each FAR with its intervals, and what was counted."""
    found = results["all_pairs"]
    boot = found.get("bootstrap", {"skipped": NOT_DRAWN})
    # Sums of shares: those of ten people with as many each may miss 10 by a rounding.
    few = found.get("effective_people", FEWEST_PEOPLE) < FEWEST_PEOPLE * (1 - 1e-12)
    alike = found.get("tar_of_people", {})
    rows = []
    for far in map(str, results["config"]["fars"]):
        tar, point = found["tar"][far], found["tar_points"][far]
        over_people = "-" if few else interval(boot.get("tar", {}).get(far))
        if tar is None:
            reason = metrics.too_few_for_far(found["impostor_pairs"], float(far))
            rows.append([far, "no figure", *(["-"] if alike else []), reason, "-"])
        else:
            tars = [share(tar), *([share(alike[far])] if alike else [])]
            over_pairs = "-" if few else interval(point["interval"])
            rows.append([far, *tars, over_pairs, over_people])
    d_prime = "" if found["d_prime"] is None else f", d' {found['d_prime']:.2f}"
    note = (
        f"AUC {found['auc']:.6f}, EER {found['eer']:.4f}{d_prime}; {found['genuine_pairs']:,} "
        f"genuine and {found['impostor_pairs']:,} impostor pairs of {found['pictures']:,} pictures "
        f"of {found['people']:,} people, {found['lost_pictures']} of them without an embedding"
    )
    if few:
        note += (
            f"; {found['largest_share']:.0%} of the genuine pairs are one person's, and all tell "
            f"no more than {found['effective_people']:.1f} people with as many each: too few for "
            "an interval"
        )
    why = f": {boot['skipped']}" if "skipped" in boot else ""
    over_people = f"{boot.get('protocol', 'none')}{why}"
    protocol = f"{found['protocol']}. Intervals over people: {over_people}"
    tars = ["TAR", *([PEOPLE_ALIKE] if alike else [])]
    head = ["FAR", *tars, "interval over pairs", "interval over people"]
    return [Table(head, rows, note, protocol=protocol, terms=TERMS)]


ALL_PAIRS = Protocol(
    "all_pairs",
    "All pairs of many pictures",
    "How many pairs of one person are accepted when at most one in so many of all the pairs of two "
    "people that the pictures give is accepted wrongly.",
    figures,
    tables,
    options=AllPairsOptions,
)
