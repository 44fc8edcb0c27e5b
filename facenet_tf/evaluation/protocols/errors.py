"""Errors made visible: pairs that went wrong, people confused, pictures under a doubtful name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facenet_tf import metrics
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.fixed_thresholds import SAME_PAIRS, FixedThresholds
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.options.errors import ErrorsOptions
from facenet_tf.evaluation.pair_sets import PairSet, ScoredPairs
from facenet_tf.evaluation.protocol import Protocol, Results, Sheet, Strip
from facenet_tf.evaluation.roster import Roster, Vectors
from facenet_tf.evaluation.table import Table

EXAMPLES = 3
_NEAREST = 100_000
"""Of more pictures than all pairs are listed of, so many pairs of two people are looked through."""

PROTOCOL = (
    "only pairs of pictures with a record; threshold: of the best mean of TAR and 1 - FAR; of each "
    "two people (nearest pairs) or each person (farthest pairs) only the worst pair; confused: "
    "the share of the pairs of two people up to that threshold; doubtful names: pictures of test "
    "people nearer to the mean of another person than to that of their own person's other "
    "pictures; distances are squared, 0 to 4"
)
OF_ALL = "; the worst pairs are those of all test pictures"


def figures(vectors: Vectors, measured: Measured, config: EvaluateConfig) -> dict[str, Any] | None:
    """The worst errors of each kind; None where the config asks for none."""
    worst = config.errors.worst
    if not worst:
        return None
    pairs = measured.listed or measured.unseen
    scored = None if pairs is None else _with_records(ScoredPairs.of(vectors, pairs))
    if scored is None:
        return {"skipped": "no genuine and impostor pairs that have records"}
    threshold, chosen_by = _threshold(measured.thresholds, scored)
    extreme, protocol = scored, f"{scored.pairs.protocol}; {PROTOCOL}"
    if measured.listed is None and measured.many and config.all_pairs.when != "never":
        extreme, protocol = _extreme(vectors, measured.test_rows), f"{protocol}{OF_ALL}"
    return {
        "protocol": f"{protocol}; the threshold was {chosen_by}",
        "threshold": threshold,
        "chosen_by": chosen_by,
        "false_matches": _worst_pairs(extreme, False, threshold, worst),
        "false_non_matches": _worst_pairs(extreme, True, threshold, worst),
        "confused": _confused(scored, threshold, worst),
        "doubtful_names": _doubtful(vectors.where(measured.test_rows), worst),
    }


def _threshold(fixed: FixedThresholds, scored: ScoredPairs) -> tuple[float, str]:
    """What decides the pairs, and who chose it."""
    if fixed.used is not None:
        return fixed.used.balanced, fixed.chosen_by
    threshold, _ = metrics.best_threshold(scored.pairs.genuine, scored.distance, balanced=True)
    return float(threshold), SAME_PAIRS


def _with_records(scored: ScoredPairs) -> ScoredPairs | None:
    kept = scored.where(np.isfinite(scored.distance))
    genuine = kept.pairs.genuine
    return kept if genuine.any() and not genuine.all() else None


def _extreme(vectors: Vectors, test_rows: NDArray[np.bool_]) -> ScoredPairs:
    """Of all pairs of these pictures that have records the genuine ones and the nearest others."""
    rows = np.flatnonzero(test_rows & ~vectors.roster.lost)
    people = vectors.roster.identities[rows]
    nearest = metrics.nearest_impostors(vectors.values[rows], people, _NEAREST)
    genuine = metrics.genuine_pairs(people)
    left, right = np.concatenate([genuine, (nearest.left, nearest.right)], axis=1)
    kind = np.arange(len(left)) < len(genuine[0])
    return ScoredPairs.of(vectors, PairSet("", rows[left], rows[right], kind))


def _worst_pairs(
    scored: ScoredPairs, genuine: bool, threshold: float, count: int
) -> list[dict[str, Any]]:
    """The farthest pairs of one person, or the nearest of two, each of other people."""
    rows = np.flatnonzero(scored.pairs.genuine == genuine)
    badness = scored.distance[rows] * (-1 if genuine else 1)
    rows = rows[np.argsort(badness, kind="stable")]
    two, _ = _two_people(scored.where(rows))
    worst_of_each = np.sort(np.unique(two, return_index=True)[1])
    return [_pair(scored, int(row), threshold) for row in rows[worst_of_each[:count]]]


def _pair(scored: ScoredPairs, row: int, threshold: float) -> dict[str, Any]:
    sides, distance = _sides(scored.pairs, row), float(scored.distance[row])
    accepted = distance <= threshold
    return {
        "pictures": [str(key) for key in scored.roster.keys[sides]],
        "people": [str(name) for name in scored.roster.identities[sides]],
        "distance": distance,
        "wrong": bool(accepted != scored.pairs.genuine[row]),
    }


def _sides(pairs: PairSet, row: int) -> list[int]:
    return [int(pairs.left[row]), int(pairs.right[row])]


def _confused(scored: ScoredPairs, threshold: float, count: int) -> list[dict[str, Any]]:
    """Two people each, those first whose pairs are accepted most often."""
    impostor = scored.where(~scored.pairs.genuine)
    numbers, names = _two_people(impostor)
    codes, two = np.unique(numbers, return_inverse=True)
    pairs = np.bincount(two)
    accepted = np.bincount(two, weights=impostor.distance <= threshold).astype(int)
    order = np.lexsort((-accepted, -accepted / pairs))[:count]
    return [
        {
            "people": [str(names[code]) for code in divmod(int(codes[place]), len(names))],
            "accepted": int(accepted[place]),
            "pairs": int(pairs[place]),
        }
        for place in order
        if accepted[place]
    ]


def _two_people(scored: ScoredPairs) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """A number [N] for the two people of each pair, whichever is left: their places in the names
    that come with it, as the digits of a number to the base of how many there are."""
    names, person = np.unique(scored.roster.identities, return_inverse=True)
    sides = np.sort([person[scored.pairs.left], person[scored.pairs.right]], axis=0)
    return sides[0] * len(names) + sides[1], names


def _doubtful(vectors: Vectors, count: int) -> dict[str, Any]:
    """Pictures nearer to another person than to their own, the clearest first."""
    known = vectors.where(~vectors.roster.lost)
    roster = known.roster
    names, person = np.unique(roster.identities, return_inverse=True)
    found = metrics.own_person(known.values, person)
    excess = np.nan_to_num(found.own - found.other, nan=-np.inf)
    order = np.argsort(-excess, kind="stable")[:count]
    return {
        "pictures": len(roster),
        "doubtful": int(np.sum(excess > 0)),
        "worst": [
            {
                "picture": str(roster.keys[row]),
                "person": str(roster.identities[row]),
                "distance": float(found.own[row]),
                "nearer_to": str(names[found.nearest[row]]),
                "its_distance": float(found.other[row]),
            }
            for row in order
            if excess[row] > 0
        ],
    }


def tables(results: dict[str, Any]) -> list[Table]:
    """Pairs, people and pictures by name; the sheets below show them."""
    found = results["errors"]
    doubtful = found["doubtful_names"]
    pair_rows = [
        [kind, *each["pictures"], f"{each['distance']:.3f}", "wrong" if each["wrong"] else "right"]
        for kind, pairs in (("match", "false_matches"), ("non-match", "false_non_matches"))
        for each in found[pairs]
    ]
    confused = [
        [*each["people"], f"{each['accepted']} of {each['pairs']}"] for each in found["confused"]
    ]
    names = [
        [*(each[key] for key in ("picture", "person", "nearer_to")), *map("{:.3f}".format, apart)]
        for each in doubtful["worst"]
        for apart in [(each["distance"], each["its_distance"])]
    ]
    note = (
        f"doubtful names: {doubtful['doubtful']} of {doubtful['pictures']} pictures are nearer to "
        f"another person than to their own; pairs are decided at {found['threshold']:.3f}, "
        f"{found['chosen_by']}"
    )
    at = f"decided at {found['threshold']:.3f}"
    return [
        Table(note=note, protocol=found["protocol"]),
        Table(
            ["nearest false", "picture", "picture", "distance", at],
            pair_rows,
            title="Worst pairs",
            detail=True,
        ),
        Table(["person", "person", "pairs accepted"], confused, title="Confused", detail=True),
        Table(
            ["picture", "named", "nearer to", "distance", "distance there"],
            names,
            title="Doubtful names",
            detail=True,
        ),
    ]


def sheets(results: Results) -> list[Sheet]:
    """The same with pictures."""
    found, roster = results.figures["errors"], results.measured.roster
    names = found["doubtful_names"]["worst"]
    limit = f"accepted up to a squared distance of {found['threshold']:.3f}"
    drawn = [
        Sheet(
            "Nearest pairs of two people",
            f"What the network takes for one person: {limit}",
            _pair_strips(roster, found["false_matches"]),
        ),
        Sheet(
            "Farthest pairs of one person",
            f"What the network takes for two people: {limit}",
            _pair_strips(roster, found["false_non_matches"]),
        ),
        Sheet(
            "Doubtful names",
            "First the picture, then its own person, then the one it is nearer to: a wrong name in "
            "the data, two people who look alike, or a poor picture",
            tuple(_doubtful_strip(results, each) for each in names),
        ),
    ]
    return [sheet for sheet in drawn if sheet.strips]


def _pair_strips(roster: Roster, pairs: Iterable[dict[str, Any]]) -> tuple[Strip, ...]:
    return tuple(
        Strip(
            f"{' and '.join(dict.fromkeys(each['people']))}: {each['distance']:.3f}, decided "
            f"{'wrongly' if each['wrong'] else 'rightly'}",
            _rows(roster, each["pictures"]),
        )
        for each in pairs
    )


def _doubtful_strip(results: Results, each: dict[str, Any]) -> Strip:
    measured = results.measured
    (row,) = _rows(measured.roster, [each["picture"]])
    usable = measured.test_rows & ~results.trained.roster.lost
    usable[row] = False
    own, other = (
        _nearest(results.trained, row, usable & measured.roster.of_people([name]))
        for name in (each["person"], each["nearer_to"])
    )
    return Strip(
        f"{each['picture']}: {each['distance']:.3f} from {each['person']}, "
        f"{each['its_distance']:.3f} from {each['nearer_to']}",
        (row, *own, *other),
        ("this picture", *[each["person"]] * len(own), *[each["nearer_to"]] * len(other)),
    )


def _nearest(vectors: Vectors, row: int, among: NDArray[np.bool_]) -> list[int]:
    rows = np.flatnonzero(among)
    apart = np.linalg.norm(vectors.values[rows] - vectors.values[row], axis=1)
    return rows[np.argsort(apart, kind="stable")[:EXAMPLES]].tolist()


def _rows(roster: Roster, keys: list[str]) -> tuple[int, ...]:
    return tuple(roster.rows_of(keys).tolist())


ERRORS = Protocol(
    "errors",
    "Errors, with their pictures",
    "Where the network goes wrong: faces of two people that it takes for one, faces of one person "
    "that it takes for two, and pictures that may bear a wrong name.",
    figures,
    tables,
    sheets=sheets,
    options=ErrorsOptions,
)
