"""Fairness: the figures group by group, and how unequal the groups are at one threshold.

Impostor pairs of a group are those of two people who both belong to it, as in RFW (Wang et al.
2019) and in the "same demographics" figures of NIST's FRVT (Grother et al., NISTIR 8280, 2019):
people of one group resemble each other most, and pairs across groups would hide it.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from facenet_tf import metrics
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.methods.attributes import UNKNOWN, read_attributes
from facenet_tf.evaluation.methods.pair_figures import ranking_figures, sides_of
from facenet_tf.evaluation.methods.threshold_figures import overall_thresholds
from facenet_tf.evaluation.options.fairness import FairnessOptions
from facenet_tf.evaluation.pair_sets import PairSet, ScoredPairs
from facenet_tf.evaluation.protocol import Plot, Protocol, Results
from facenet_tf.evaluation.roster import Vectors
from facenet_tf.evaluation.table import Table, interval, share
from facenet_tf.metrics.groups import inequality
from facenet_tf.metrics.nearest import nearest_is_own

PROTOCOL = (
    "genuine and impostor pairs of a group: both pictures belong to it (within-group impostors); "
    "at the common thresholds, one for each FAR, FMR: share of the group's impostor pairs "
    "accepted, FNMR: share of its genuine pairs rejected, each where the group has pairs enough; a "
    "picture without a record is never accepted (ISO/IEC 19795-1), so that lost pictures raise the "
    "FNMR alone; "
    "nearest other picture: share of the group's pictures whose nearest, of all people's, shows "
    "the same person; mAP: mean over the group's pictures of the average precision with which each "
    "finds the others of its person among the pictures of all people; "
    "intervals: people of the group drawn with replacement, 95 % percentiles; inequality of the "
    "groups that are not small (NIST IR 8429)"
)
OVERALL = (
    "the ones that give each FAR over the very pairs of all people measured here, since no other "
    "people could choose them: the overall FAR of NIST's FRVT, a published practice, which says "
    "how the errors are shared out, not how many to expect"
)
FEWEST_GENUINE = 30
"""Genuine pairs behind the FNMR of a group: of fewer, one moves it by more than 3 points."""
RATES = ("fmr", "fnmr")
NEAREST = "nearest other picture"
TERMS = {
    "FMR": "the share of pairs of two people of the group that are taken for one person",
    "FNMR": "the share of pairs of one person of the group that are taken for two people",
    "d'": "how far apart the distances of the group's two kinds of pairs lie, in deviations",
    NEAREST: "the share of the group's pictures whose nearest other picture shows the same person",
    "mAP": "how near the top all other pictures of the person are, ranked by distance: 1 is best",
}


def check(measured: Measured, config: EvaluateConfig) -> None:
    """Raises InputError for a bad file of attributes."""
    if config.fairness.attributes is not None:
        read_attributes(config.fairness.attributes, config.fairness.columns, measured.roster)


def figures(vectors: Vectors, measured: Measured, config: EvaluateConfig) -> dict[str, Any] | None:
    """Figures of each attribute's groups; None where no file of attributes is given."""
    options = config.fairness
    if options.attributes is None:
        return None
    groups = read_attributes(options.attributes, options.columns, vectors.roster)
    pairs = measured.unseen or measured.listed
    if pairs is None:
        return {"skipped": "the test people give no genuine and impostor pairs"}
    scored = ScoredPairs.of(vectors, pairs)
    thresholds, chosen_by = measured.thresholds.by_far, measured.thresholds.by_far_chosen_by
    if not thresholds:
        thresholds, chosen_by = overall_thresholds(scored, config.fars), OVERALL
    judge = _Judge(vectors, scored, thresholds, config)
    return {
        "protocol": f"{pairs.protocol}; {PROTOCOL}; the common thresholds are {chosen_by}",
        "file": options.attributes.name,
        "smallest": options.smallest,
        "common_thresholds": thresholds,
        "chosen_by": chosen_by,
        "attributes": {name: judge.attribute(of_row) for name, of_row in groups.items()},
    }


class _Judge:
    """All that groups have in common: pairs, thresholds, and which pictures are named rightly."""

    def __init__(
        self,
        vectors: Vectors,
        scored: ScoredPairs,
        thresholds: dict[str, float],
        config: EvaluateConfig,
    ) -> None:
        self._scored, self._config, self._roster = scored, config, vectors.roster
        self._thresholds = thresholds
        self._paired = np.unique(np.concatenate([scored.pairs.left, scored.pairs.right]))
        values, people = vectors.values[self._paired], self._roster.identities[self._paired]
        counted, self._right = nearest_is_own(values, people)
        self._counted = self._paired[counted]
        self._precision = metrics.average_precisions(values, people)[counted]

    def attribute(self, of_row: NDArray[np.str_]) -> dict[str, Any]:
        """Figures of the groups of one attribute, str [rows of the roster]."""
        shown = of_row[self._paired]
        names = [str(name) for name in np.unique(shown) if name != UNKNOWN]
        groups = {name: self._group(of_row == name) for name in names}
        return {
            "unknown_pictures": int((shown == UNKNOWN).sum()),
            "groups": groups,
            "inequality": self._inequality(groups),
        }

    def _group(self, member: NDArray[np.bool_]) -> dict[str, Any]:
        rows = self._paired[member[self._paired]]
        people = np.unique(self._roster.identities[rows])
        found: dict[str, Any] = {"people": len(people), "pictures": len(rows)}
        if len(people) < self._config.fairness.smallest:
            found["warning"] = (
                f"{len(people)} people, fewer than {self._config.fairness.smallest}: too few to "
                "tell groups apart"
            )
        found["rank1"] = self._mean(self._right, "share", member)
        found["map"] = self._mean(self._precision, "mean", member)
        pairs = self._scored.pairs
        within = self._scored.where(member[pairs.left] & member[pairs.right])
        genuine = within.pairs.genuine
        if not genuine.any() or genuine.all():
            kind = "impostor" if genuine.any() else "genuine"
            return {**found, "skipped": f"the group has no {kind} pairs"}
        config = self._config
        ranking = ranking_figures(
            within, fars=config.fars, bootstrap=config.bootstrap, seed=config.seed
        )
        return {**found, **ranking, "common": self._at_common_thresholds(within)}

    def _mean(self, values: NDArray[Any], name: str, member: NDArray[np.bool_]) -> dict[str, Any]:
        """The mean of a value of each counted picture over those of a group, under `name`."""
        mine = member[self._counted]
        own, people = values[mine], self._roster.identities[self._counted[mine]]
        if not len(own):
            return {name: None, "interval": None, "pictures": 0}
        draws, seed = self._config.bootstrap, self._config.seed
        return {
            name: float(own.mean()),
            "interval": metrics.intervals_or_none(
                1, metrics.share_interval, own, people, draws=draws, seed=seed
            )[0],
            "pictures": len(own),
        }

    def _at_common_thresholds(self, within: ScoredPairs) -> dict[str, dict[str, Any]]:
        """{FAR: false match and non-match rates, or why there are none} at common thresholds."""
        pairs = within.pairs
        achieved = metrics.achieved_rates(
            pairs.genuine,
            within.distance,
            sides_of(within),
            list(self._thresholds.values()),
            draws=self._config.bootstrap,
            seed=self._config.seed,
        )
        return {
            far: {
                **_rate("fmr", why_none(pairs, "fmr", far), each.far, each.far_interval),
                **_rate("fnmr", why_none(pairs, "fnmr", far), each.fnmr, each.fnmr_interval),
            }
            for far, each in zip(self._thresholds, achieved, strict=True)
        }

    def _inequality(self, groups: dict[str, dict[str, Any]]) -> dict[str, Any]:
        compared = {
            name: group for name, group in groups.items() if not {"skipped", "warning"} & set(group)
        }
        if len(compared) < 2:
            return {"skipped": f"{len(compared)} groups that are not small: two are needed"}
        return {
            "groups": list(compared),
            "at": {
                far: {rate: _unequal(compared, far, rate) for rate in RATES}
                for far in self._thresholds
            },
        }


def why_none(pairs: PairSet, rate: str, far: str) -> str | None:
    """Why a group's pairs do not carry a rate at the common threshold of a FAR; None: they do."""
    genuines = int(pairs.genuine.sum())
    if rate == "fnmr":
        few = genuines < FEWEST_GENUINE
        return f"{genuines} genuine pairs, fewer than {FEWEST_GENUINE}" if few else None
    impostors = len(pairs) - genuines
    carried = metrics.supports_far(impostors, float(far))
    return None if carried else metrics.too_few_for_far(impostors, float(far))


def _rate(rate: str, why: str | None, value: float, within: Any) -> dict[str, Any]:
    if why is None:
        return {rate: value, f"{rate}_interval": within}
    return {rate: None, f"{rate}_interval": None, f"{rate}_skipped": why}


def _unequal(groups: dict[str, dict[str, Any]], far: str, rate: str) -> dict[str, Any]:
    """How unequal a rate is among the groups that have it."""
    rates = {name: group["common"][far][rate] for name, group in groups.items()}
    rates = {name: value for name, value in rates.items() if value is not None}
    if len(rates) < 2:
        return {"skipped": f"{len(rates)} groups with pairs enough: two are needed"}
    return {"groups": list(rates), **dataclasses.asdict(inequality(list(rates.values())))}


def tables(results: dict[str, Any]) -> list[Table]:
    """Per attribute a table of its groups, and what is unequal between them."""
    fairness = results["fairness"]
    shown = [_table(name, found, fairness) for name, found in fairness["attributes"].items()]
    return [*shown, *(_details(*each) for each in fairness["attributes"].items())]


def _shown_far(fairness: dict[str, Any]) -> str | None:
    """The FAR at which most groups have an FMR, of several the lowest; None without thresholds."""
    groups = [
        group["common"]
        for attribute in fairness["attributes"].values()
        for group in attribute["groups"].values()
        if "common" in group
    ]

    def worth(far: str) -> tuple[int, float]:
        return sum(group[far]["fmr"] is not None for group in groups), -float(far)

    return max(fairness["common_thresholds"], key=worth, default=None)


def _table(name: str, found: dict[str, Any], fairness: dict[str, Any]) -> Table:
    far = _shown_far(fairness)
    rows = []
    for group, figure in found["groups"].items():
        common = figure.get("common", {}).get(far, {})
        rates = [_told(common.get(rate), common.get(f"{rate}_interval")) for rate in RATES]
        start = [group, str(figure["people"]), str(figure["pictures"])]
        drawn = figure.get("bootstrap", {})
        ranking = [_told(figure.get(name), drawn.get(name)) for name in ("auc", "eer", "d_prime")]
        first, precision = figure["rank1"], figure.get("map", {})
        nearest = [_told(first["share"], first.get("interval"))]
        nearest += [_told(precision.get("mean"), precision.get("interval"))]
        rows.append([*start, *ranking, *rates, *nearest])
    at = f"@{float(far):g}" if far else ""
    head = [name, "people", "pictures", "AUC", "EER", "d'", f"FMR{at}", f"FNMR{at}"]
    head += [NEAREST, "mAP"]
    notes = [
        f"{group}: {figure.get('warning') or figure['skipped']}"
        for group, figure in found["groups"].items()
        if {"warning", "skipped"} & set(figure)
    ]
    notes += [
        f"{group}: no {rate.upper()}: {common[f'{rate}_skipped']}"
        for group, figure in found["groups"].items()
        for common in [figure.get("common", {}).get(far, {})]
        for rate in RATES
        if f"{rate}_skipped" in common
    ]
    if found["unknown_pictures"]:
        notes.append(f"{found['unknown_pictures']} pictures of no known {name} left out")
    unequal = found["inequality"]
    if far and "at" in unequal:
        told = [f"{rate.upper()} {_times(each)}" for rate, each in unequal["at"][far].items()]
        notes.append(f"highest over lowest of the groups that are not small: {', '.join(told)}")
    if far:
        notes.append(f"one threshold for all groups, {fairness['chosen_by']}")
    protocol = fairness["protocol"]
    return Table(head, rows, "; ".join(notes), name, protocol=protocol, terms=TERMS)


def _told(value: float | None, within: list[float] | None) -> str:
    """A figure with its interval over people, where there is one."""
    return share(value) if within is None else f"{share(value)} ({interval(within)})"


def _times(found: dict[str, Any]) -> str:
    if "skipped" in found:
        return f"not given ({found['skipped']})"
    value = found["highest_over_lowest"]
    return "not defined (a rate is 0)" if value is None else f"{value:.2f}"


def _details(name: str, found: dict[str, Any]) -> Table:
    """TAR of each group at its own thresholds, with intervals over its people."""
    rows = []
    for group, figure in found["groups"].items():
        boot = figure.get("bootstrap", {}).get("tar", {})
        for far, point in figure.get("tar_points", {}).items():
            told = point.get("skipped") or share(figure["tar"][far])
            rows.append([group, far, told, interval(boot.get(far))])
    head = [name, "FAR", "TAR at the group's own threshold", "interval over people"]
    return Table(head, rows, title=f"{name}: TAR within each group", detail=True)


def draw(results: Results) -> list[Plot]:
    """FMR and FNMR of the groups at the common threshold."""
    fairness = results.figures["fairness"]
    far = _shown_far(fairness)
    if far is None:
        return []
    figure = rates_figure(fairness["attributes"], far)
    text = (
        f"False match and false non-match rate of each group at the one threshold for a FAR of "
        f"{float(far):g}, with intervals over people; equal groups lie on a "
        "vertical line"
    )
    return [Plot("fairness", text, figure)]


def rates_figure(attributes: dict[str, Any], far: str) -> Figure:
    """A row per group, a panel per rate."""
    rows = [
        (f"{name}: {group}", found["common"][far])
        for name, each in attributes.items()
        for group, found in each["groups"].items()
        if "common" in found
    ]
    figure = Figure(figsize=(8, 1.5 + 0.35 * len(rows)), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, rate in zip(panels, RATES, strict=True):
        for height, (_, found) in enumerate(rows):
            if found[rate] is None:
                continue
            axes.plot(found[rate], height, "o", color="C0")
            if found[f"{rate}_interval"]:
                axes.plot(found[f"{rate}_interval"], [height, height], color="C0")
        axes.set(xlabel=rate.upper(), xlim=(0, None), ylim=(len(rows) - 0.5, -0.5))
        axes.grid(alpha=0.3, axis="x")
    panels[0].set_yticks(range(len(rows)), [name for name, _ in rows])
    return figure


FAIRNESS = Protocol(
    "fairness",
    "Groups of people",
    "Whether the system errs more often for some groups of people than for others.",
    figures,
    tables,
    check=check,
    plots=draw,
    files=("fairness.png",),
    options=FairnessOptions,
)
