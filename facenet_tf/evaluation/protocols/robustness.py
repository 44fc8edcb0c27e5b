"""Robustness: how the figures fall as the pictures get worse, a curve for each degradation."""

from __future__ import annotations

import dataclasses
from typing import Any, get_args

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from facenet_tf import metrics
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.methods.pair_figures import readable_far
from facenet_tf.evaluation.options.robustness import DegradationKind, RobustnessOptions
from facenet_tf.evaluation.protocol import Plot, Protocol, Results
from facenet_tf.evaluation.roster import Roster, Vectors, drawn_pictures
from facenet_tf.evaluation.table import Table, interval, share, told_pairs
from facenet_tf.input_pipeline.degraded import KINDS
from facenet_tf.preprocessing import Preprocessing

STEPS: dict[DegradationKind, tuple[float, ...]] = {
    "low_resolution": (96, 64, 48, 32, 24, 16),
    "blur": (1, 2, 3, 4, 6),
    "jpeg": (50, 30, 20, 10, 5),
    "noise": (10, 20, 40, 60, 80),
    "rotation": (5, 10, 20, 30, 45),
    "occlusion": (10, 20, 30, 40, 50, 60),
}
"""Strengths, from mild to harsh; grey has none."""
PLAIN = "as they are"

PROTOCOL = (
    "all pairs of the test people's pictures that have a record; the crops are degraded before "
    "they are embedded; both: both pictures of a pair are; one: the second of each pair alone is, "
    "a poor picture against a good one; EER and TAR: at the threshold that these very pairs would "
    "need (how well they can still be told apart); FMR and FNMR: at the threshold that was fixed "
    "for a FAR by pictures as they are (what happens to a system in use); intervals: people drawn "
    "with replacement, 95 % percentiles"
)
TERMS = {
    "EER": "the share of errors where both kinds of errors are equally frequent; lower is better",
    "TAR": "the share of pairs of one person that are recognised, at a share of false alarms",
    "FMR": "the share of pairs of two people that are taken for one, at the fixed threshold",
    "FNMR": "the share of pairs of one person that are refused, at the fixed threshold",
    "both": "both pictures of each pair are made worse",
    "one": "one picture of each pair is made worse, and compared with a good one",
}


PICTURES_EACH = 4
"""Of a person, where the pictures are drawn of many: six genuine pairs."""


def figures(vectors: Vectors, measured: Measured, config: EvaluateConfig) -> dict[str, Any] | None:
    """Figures at every step of every kind; None where no kind is asked for."""
    options = config.robustness
    if not options.kinds:
        return None
    if vectors.embed is None or measured.dataset is None:
        return {"skipped": "there are only embeddings, no pictures to degrade"}
    clean = vectors.where(_chosen_rows(measured, vectors.roster, options.pictures, config.seed))
    judge = _Judge(clean.roster, config, measured.thresholds.by_far)
    if not judge.has_both_kinds:
        return {"skipped": "the test people give no genuine and impostor pairs"}
    plain = judge.figures(clean.values, clean.values)
    kinds = {}
    for kind in options.kinds:
        steps = []
        for name in step_names(kind, measured.dataset.preprocessing):
            poor = vectors.embed(clean.roster, (name,)).values
            sides = {"both": judge.figures(poor, poor), "one": judge.figures(clean.values, poor)}
            steps.append({"degraded": name, **sides})
        unit = KINDS[kind].unit if kind in KINDS else ""
        kinds[kind] = {"unit": unit, "steps": steps}
    return {
        "protocol": PROTOCOL,
        "thresholds": measured.thresholds.by_far,
        "chosen_by": measured.thresholds.by_far_chosen_by,
        "pictures": len(clean.roster),
        "people": len(np.unique(clean.roster.identities)),
        **judge.counts,
        "plain": plain,
        "kinds": kinds,
    }


def step_names(kind: DegradationKind, preprocessing: Preprocessing) -> list[str]:
    """The degradations of a curve, from mild to harsh; those that change such crops."""
    if kind == "grey":
        return ["grey"] if preprocessing.channels == 3 else []
    return [
        f"{kind}:{strength:g}"
        for strength in STEPS[kind]
        if kind != "low_resolution" or strength < preprocessing.size
    ]


def _chosen_rows(measured: Measured, roster: Roster, pictures: int, seed: int) -> NDArray[np.bool_]:
    rows = measured.test_rows & ~roster.lost
    rows[rows] = drawn_pictures(roster.where(rows), pictures, seed, each=PICTURES_EACH)
    return rows


class _Judge:
    """All pairs of some pictures, under vectors of two kinds."""

    def __init__(
        self, roster: Roster, config: EvaluateConfig, thresholds: dict[str, float]
    ) -> None:
        self._thresholds = thresholds
        codes = np.unique(roster.identities, return_inverse=True)[1]
        self._left, self._right = metrics.all_pairs(len(roster))
        self._sides = codes[self._left], codes[self._right]
        self._genuine = self._sides[0] == self._sides[1]
        self._config = config
        impostors = int((~self._genuine).sum())
        self._fars = [far for far in config.fars if metrics.supports_far(impostors, far)]

    @property
    def counts(self) -> dict[str, int]:
        """How many pairs there are of each kind."""
        genuine = int(self._genuine.sum())
        return {"genuine_pairs": genuine, "impostor_pairs": len(self._genuine) - genuine}

    @property
    def has_both_kinds(self) -> bool:
        return bool(self._genuine.any() and not self._genuine.all())

    def figures(self, first: NDArray[np.float32], second: NDArray[np.float32]) -> dict[str, Any]:
        """AUC, EER, TARs and error rates where the left of each pair has its vector of `first`, the
        right of `second`; both [N, D] of unit rows. Pairs with a row of NaN are rejected."""
        alike = first.astype(np.float64) @ second.astype(np.float64).T
        distance = np.maximum(0, 2 - 2 * alike[self._left, self._right])
        distance = np.where(np.isnan(distance), np.inf, distance)
        names = ["auc", "eer", *(f"tar@{far:g}" for far in self._fars)]
        values = self._statistic(metrics.roc_curve(self._genuine, distance))
        intervals = self._intervals(distance, len(names))
        found = {
            name: {"value": value, "interval": within}
            for name, value, within in zip(names, values, intervals, strict=True)
        }
        return found | self._at_fixed_thresholds(distance)

    def _statistic(self, curve: metrics.RocCurve) -> list[float]:
        tars = [metrics.operating_point(curve, far).tar for far in self._fars]
        return [metrics.area_under_curve(curve), metrics.equal_error_rate(curve), *tars]

    def _at_fixed_thresholds(self, distance: NDArray[np.float64]) -> dict[str, dict[str, Any]]:
        """{"fmr@FAR" or "fnmr@FAR": value and interval}."""
        achieved = metrics.achieved_rates(
            self._genuine,
            distance,
            self._sides,
            list(self._thresholds.values()),
            draws=self._config.robustness.bootstrap,
            seed=self._config.seed,
        )
        return {
            f"{name}@{float(far):g}": {"value": value, "interval": within}
            for far, each in zip(self._thresholds, achieved, strict=True)
            for name, value, within in (
                ("fmr", each.far, each.far_interval),
                ("fnmr", each.fnmr, each.fnmr_interval),
            )
        }

    def _intervals(self, distance: NDArray[np.float64], count: int) -> list[Any]:
        return metrics.intervals_or_none(
            count,
            metrics.bootstrap_identities,
            self._genuine,
            distance,
            self._sides,
            self._statistic,
            draws=self._config.robustness.bootstrap,
            seed=self._config.seed,
            about=[3, 2, *(1 for _ in self._fars)],
        )


def tables(results: dict[str, Any]) -> list[Table]:
    """Per kind a table of its steps, and one of what the fixed threshold does to them."""
    robustness = results["robustness"]
    return [
        table
        for kind, curve in robustness["kinds"].items()
        for table in _tables(kind, curve, robustness)
    ]


def _tables(kind: str, curve: dict[str, Any], robustness: dict[str, Any]) -> list[Table]:
    if not curve["steps"]:
        return [Table(note=f"{kind}: it would not change these crops")]
    plain, title = robustness["plain"], kind.replace("_", " ")
    note = f"{robustness['pictures']} pictures of {robustness['people']} people"
    note += told_pairs(robustness)
    if curve["unit"]:
        note += f"; {curve['unit']}"
    ranking = _table(curve["steps"], plain, _ranking(plain), title)
    found = [dataclasses.replace(ranking, note=note, title=title, protocol=robustness["protocol"])]
    if _decided(plain):
        fixed = _table(curve["steps"], plain, _decided(plain), title)
        note = f"one threshold for all rows, {robustness['chosen_by']}, pictures as they are"
        found.append(dataclasses.replace(fixed, note=note, title=f"{title}, at a fixed threshold"))
    return found


def _table(
    steps: list[dict[str, Any]], plain: dict[str, Any], shown: list[str], title: str
) -> Table:
    rows = [[PLAIN, *(_told(plain[name]) for name in shown), *("-" for _ in shown)]]
    for step in steps:
        cells = [_told(step[side][name]) for side in ("both", "one") for name in shown]
        rows.append([step["degraded"], *cells])
    head = [f"{name.upper()}, {side}" for side in ("both", "one") for name in shown]
    return Table([title, *head], rows, terms=TERMS)


def _ranking(plain: dict[str, Any]) -> list[str]:
    """EER, and TAR at the lowest FAR at which pictures as they are are mostly recognised."""
    tars = _by_far(plain, "tar")
    return ["eer", *([f"tar@{readable_far(tars)}"] if tars else [])]


def _decided(plain: dict[str, Any]) -> list[str]:
    """The same of the fixed thresholds: FMR and FNMR, if there are any."""
    tars = {far: 1 - fnmr for far, fnmr in _by_far(plain, "fnmr").items()}
    return [f"{name}@{readable_far(tars)}" for name in ("fmr", "fnmr")] if tars else []


def _by_far(plain: dict[str, Any], name: str) -> dict[str, float]:
    start = f"{name}@"
    return {
        key.removeprefix(start): one["value"] for key, one in plain.items() if key.startswith(start)
    }


def _told(found: dict[str, Any]) -> str:
    within = f" ({interval(found['interval'])})" if found["interval"] else ""
    return f"{share(found['value'])}{within}"


def draw(results: Results) -> list[Plot]:
    """A plot per kind that has more than one step."""
    robustness = results.figures["robustness"]
    return [
        Plot(
            f"robustness_{kind}",
            f"Figures against {kind.replace('_', ' ')} ({curve['unit']}), of pairs whose pictures "
            "are both degraded, and of a degraded picture against a good one; bands: intervals "
            "over people; dotted: pictures as they are",
            curve_figure(kind, curve, robustness["plain"]),
        )
        for kind, curve in robustness["kinds"].items()
        if len(curve["steps"]) > 1
    ]


def curve_figure(kind: str, curve: dict[str, Any], plain: dict[str, Any]) -> Figure:
    """A panel per figure: value over strength, from mild on the left to harsh on the right."""
    shown = [*_ranking(plain), *_decided(plain)]
    lines = -(-len(shown) // 2)
    figure = Figure(figsize=(8, 3.6 * lines), layout="constrained")
    strengths = [float(step["degraded"].partition(":")[2]) for step in curve["steps"]]
    panels = np.ravel(figure.subplots(lines, 2, squeeze=False))
    for axes in panels[len(shown) :]:
        axes.remove()
    for axes, name in zip(panels[: len(shown)], shown, strict=True):
        for side in ("both", "one"):
            points = [step[side][name] for step in curve["steps"]]
            (line,) = axes.plot(strengths, [point["value"] for point in points], "o-", label=side)
            if all(point["interval"] for point in points):
                low, high = zip(*(point["interval"] for point in points), strict=True)
                axes.fill_between(strengths, low, high, color=line.get_color(), alpha=0.2)
        axes.axhline(plain[name]["value"], linestyle=":", color="grey", label=PLAIN)
        axes.set(xlabel=curve["unit"], title=name.upper(), ylim=(0, None))
        if strengths[0] > strengths[-1]:
            axes.invert_xaxis()
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
    figure.suptitle(kind.replace("_", " "))
    return figure


ROBUSTNESS = Protocol(
    "robustness",
    "Poor pictures",
    "How much the system loses when pictures are small, blurred, compressed, noisy or covered.",
    figures,
    tables,
    plots=draw,
    files=tuple(f"robustness_{kind}.png" for kind in get_args(DegradationKind) if kind in STEPS),
    options=RobustnessOptions,
)
