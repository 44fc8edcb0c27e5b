"""Several systems on the same pairs and people: which differences are more than chance?"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from facenet_tf import metrics
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.options.comparison import ComparisonOptions
from facenet_tf.evaluation.pair_sets import PairSet, ScoredPairs
from facenet_tf.evaluation.protocol import TRAINED, Plot, Protocol, Results
from facenet_tf.evaluation.protocols.verification import UNSEEN
from facenet_tf.evaluation.roster import Vectors, drawn_pictures
from facenet_tf.evaluation.table import Table, interval, measured_name, pairs_name, told_pairs
from facenet_tf.metrics.multiple import holm
from facenet_tf.metrics.nearest import nearest_is_own
from facenet_tf.metrics.paired import Difference, differences_of, paired_bootstrap

PROTOCOL = (
    "the same pairs and pictures for all systems; pairs with a picture that a system has no vector "
    "for are rejected by this system, and errors in its accuracy on a list; people drawn with "
    "replacement, the same draws for all systems; interval: 95 % percentiles of the difference, "
    "and of each system's own figure; p: two-sided, from the share of draws on the other side of "
    "no difference, with Student's tails for few people; adjusted: by Holm's rule for the number "
    "of pairs of systems in one figure; accuracy: each pair at the threshold that is best on the "
    "other folds; of a list in its own folds, the mean over them; of the test people's pairs in "
    "ten contiguous folds, the mean of the accuracies on genuine and impostor pairs, its "
    "thresholds as they are in every draw, so that between equal systems some 8 % of its p are "
    "below 0.05; nearest other picture: of all, it shows the same person"
)
RANK1 = "rank 1"
_HEADINGS = {RANK1: "nearest other picture", "accuracy": "accuracy over folds"}
"""Of figures whose keys readers would take for others: that of a gallery (`identification`), and
that at a threshold of other people (`verification`)."""
TERMS = {
    "accuracy over folds": "share of pairs decided rightly at the threshold best for other folds",
    "difference": "first minus second: above 0 the first system has more (for EER fewer is better)",
    "interval": "where the difference would lie, in 95 of 100 cases, with other people",
    "p": "how often chance alone would make such a difference between equal systems",
    "significant": "yes where chance is a poor explanation",
}
_PANELS = 3
"""Of the plot in a row, so that a phone shows it."""
_LETTERS = 30
"""Of a system's name in the plot."""


def figures(vectors: Vectors, measured: Measured, config: EvaluateConfig) -> dict[str, Any] | None:
    """Differences of all pairs of systems; None where nothing is compared."""
    if not measured.compared:
        return None
    systems = {TRAINED: vectors, **measured.compared}
    options = config.comparison
    judged = {
        name: _judged(systems, pairs, config)
        for name, pairs in _pair_sets(measured, options.pictures, config.seed).items()
    }
    if not judged:
        return {"skipped": "the test people give no genuine and impostor pairs"}
    return {
        "protocol": PROTOCOL,
        "draws": options.draws,
        "level": options.level,
        "systems": list(systems),
        "sets": judged,
    }


def _pair_sets(measured: Measured, pictures: int, seed: int) -> dict[str, PairSet]:
    sets = {}
    if measured.unseen is not None:
        roster = measured.roster
        rows = np.zeros(len(roster), bool)
        rows[np.concatenate([measured.unseen.left, measured.unseen.right])] = True
        rows[rows] = drawn_pictures(roster.where(rows), pictures, seed)
        kept = measured.unseen.where(rows[measured.unseen.left] & rows[measured.unseen.right])
        sets[UNSEEN] = kept
    if measured.folded is not None:
        sets["listed_pairs"] = measured.folded
    return {
        name: pairs
        for name, pairs in sets.items()
        if pairs.genuine.any() and not pairs.genuine.all()
    }


def _judged(systems: dict[str, Vectors], pairs: PairSet, config: EvaluateConfig) -> dict[str, Any]:
    couples = list(itertools.combinations(systems, 2))
    try:
        found = [_differences(systems[a], systems[b], pairs, config) for a, b in couples]
    except metrics.TooFewPeople as error:
        return {"skipped": str(error)}
    names = list(found[0])
    roster = next(iter(systems.values())).roster
    people = len(np.unique(roster.identities[np.concatenate([pairs.left, pairs.right])]))
    least = metrics.p_value(np.ones(config.comparison.draws), people)
    adjusted = {name: holm([each[name].p_value for each in found]) for name in names}
    return {
        "pairs": len(pairs),
        "genuine_pairs": int(pairs.genuine.sum()),
        "impostor_pairs": int((~pairs.genuine).sum()),
        "people": people,
        "least_p": min(1.0, least * len(couples)),
        "draws_needed": metrics.fewest_draws(config.comparison.level / len(couples), people),
        "figures": {
            name: [
                {
                    "a": a,
                    "b": b,
                    "value_a": each[name].a,
                    "value_b": each[name].b,
                    "interval_a": list(each[name].interval_a),
                    "interval_b": list(each[name].interval_b),
                    "difference": each[name].difference,
                    "interval": list(each[name].interval),
                    "p": each[name].p_value,
                    "p_adjusted": float(p),
                    "significant": bool(p <= config.comparison.level),
                }
                for (a, b), each, p in zip(couples, found, adjusted[name], strict=True)
            ]
            for name in names
        },
    }


def _differences(
    a: Vectors, b: Vectors, pairs: PairSet, config: EvaluateConfig
) -> dict[str, Difference]:
    people = a.roster.identities

    def judged(first: ScoredPairs, second: ScoredPairs) -> dict[str, Difference]:
        return paired_bootstrap(
            first.distance,
            second.distance,
            pairs.genuine,
            people[pairs.left],
            people[pairs.right],
            seed=config.seed,
            draws=config.comparison.draws,
            fars=config.fars,
            fold=pairs.fold,
        )

    first, second = ScoredPairs.of(a, pairs), ScoredPairs.of(b, pairs)
    found = judged(first, second)
    if pairs.fold is not None:
        as_errors = judged(first.with_lost_as_errors(), second.with_lost_as_errors())
        found["accuracy"] = as_errors["accuracy"]
    rows = np.unique(np.concatenate([pairs.left, pairs.right]))
    rank1 = _rank1(a, b, rows, config)
    return found if rank1 is None else {**found, RANK1: rank1}


def _rank1(
    a: Vectors, b: Vectors, rows: NDArray[np.int64], config: EvaluateConfig
) -> Difference | None:
    """None where nobody has two pictures."""
    people = a.roster.identities[rows]
    counted, right_a = nearest_is_own(a.values[rows], people)
    if not len(counted):
        return None
    _, right_b = nearest_is_own(b.values[rows], people)
    shares = metrics.PeopleShares([right_a, right_b], people[counted])
    drawn = metrics.people_samples(
        shares.people, shares.of, draws=config.comparison.draws, seed=config.seed
    )
    values = shares.of(np.ones(shares.people))
    return differences_of(values, drawn, shares.people, [shares.people])[0]


def tables(results: dict[str, Any]) -> list[Table]:
    """Per set of pairs a table of all differences."""
    return [_table(name, judged, results["comparison"]) for name, judged in _shown(results).items()]


def _shown(results: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The sets of pairs, with the names that readers see for them and for the systems."""
    names = {TRAINED: measured_name(results)}
    return {
        pairs_name(key).replace("_", " "): judged
        | {
            "figures": {
                figure: [
                    one | {side: names.get(one[side], one[side]) for side in ("a", "b")}
                    for one in found
                ]
                for figure, found in judged.get("figures", {}).items()
            }
        }
        for key, judged in results["comparison"]["sets"].items()
    }


def _table(title: str, judged: dict[str, Any], comparison: dict[str, Any]) -> Table:
    if "skipped" in judged:
        return Table(note=f"{title}: {judged['skipped']}", title=title)
    rows = [
        [
            _heading(figure),
            f"{one['a']} − {one['b']}",
            f"{one['value_a']:.4f} ({interval(one['interval_a'])})",
            f"{one['value_b']:.4f} ({interval(one['interval_b'])})",
            f"{one['difference']:+.4f}",
            f"{one['interval'][0]:+.4f} … {one['interval'][1]:+.4f}",
            f"{one['p_adjusted']:.4f}",
            "yes" if one["significant"] else "no",
        ]
        for figure, found in judged["figures"].items()
        for one in found
    ]
    head = [title, "systems", "first", "second", "difference", "interval", "p", "significant"]
    note = f"{judged['pairs']:,} pairs{told_pairs(judged)}; {comparison['draws']:,} draws of "
    note += f"{judged['people']:,} people"
    if judged["least_p"] > comparison["level"]:
        note += ": too few of either to prove a difference, however large"
        if judged.get("draws_needed"):
            note += f"; {judged['draws_needed']:,} draws or more could"
    return Table(head, rows, note, title, protocol=comparison["protocol"], terms=TERMS)


def verdict(results: dict[str, Any]) -> list[str]:
    """A sentence per set and pair of systems: what the AUC says of them."""
    comparison = results["comparison"]
    return [
        f"{_told(one, judged, comparison)} on the {name}: AUC {one['value_a']:.4f} and "
        f"{one['value_b']:.4f}, p = {one['p_adjusted']:.3f}."
        for name, judged in _shown(results).items()
        for one in judged["figures"].get("auc", [])
    ]


def _told(one: dict[str, Any], judged: dict[str, Any], comparison: dict[str, Any]) -> str:
    better, worse = (one["a"], one["b"]) if one["difference"] > 0 else (one["b"], one["a"])
    if one["significant"]:
        return f"{better} is better than {worse}"
    if judged["least_p"] <= comparison["level"]:
        return f"{one['a']} and {one['b']} cannot be told apart"
    return (
        f"{judged['people']} people and {comparison['draws']} draws are too few to prove any "
        f"difference of {one['a']} and {one['b']}"
    )


def draw(results: Results) -> list[Plot]:
    """The differences with their intervals."""
    text = (
        "Differences between systems with their intervals over people, one line per pair of "
        "systems; an interval that holds 0 is no difference"
    )
    keys = results.figures["comparison"]["sets"]
    return [
        Plot(f"comparison_{key}", f"{text}; {name}", differences_figure(judged))
        for key, (name, judged) in zip(keys, _shown(results.figures).items(), strict=True)
        if "skipped" not in judged
    ]


def differences_figure(judged: dict[str, Any]) -> Figure:
    """A panel per figure, three in a row, and in each a line per pair of systems."""
    names = list(judged["figures"])
    couples = judged["figures"][names[0]]
    rows = -(-len(names) // _PANELS)
    size = (3 + 2 * _PANELS, rows * (1.2 + 0.5 * len(couples)))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(rows, _PANELS, sharey=True, squeeze=False)
    for axes in panels.flat[len(names) :]:
        axes.set_visible(False)
    for axes, name in zip(panels.flat, names, strict=False):
        for height, one in enumerate(judged["figures"][name]):
            axes.plot(one["interval"], [height, height], color="C0")
            axes.plot(one["difference"], height, "o", color="C0")
        axes.axvline(0, linestyle=":", color="grey")
        axes.set(title=_heading(name), ylim=(len(couples) - 0.5, -0.5))
        axes.locator_params(axis="x", nbins=4)
        axes.tick_params(labelsize="x-small")
    labels = [f"{_short(one['a'])} −\n{_short(one['b'])}" for one in couples]
    panels[0, 0].set_yticks(range(len(couples)), labels)
    return figure


def _heading(figure: str) -> str:
    return _HEADINGS.get(figure, figure.upper())


def _short(name: str) -> str:
    """The end of a name, by which paths differ."""
    return name if len(name) <= _LETTERS else f"…{name[1 - _LETTERS :]}"


COMPARISON = Protocol(
    "comparison",
    "Systems side by side",
    "Which system is better on the same pairs, and whether chance alone could explain it.",
    figures,
    tables,
    verdict=verdict,
    plots=draw,
    files=tuple(f"comparison_{name}.png" for name in (UNSEEN, "listed_pairs")),
    options=ComparisonOptions,
)
