"""Verification: do two pictures show the same person?

The pairs are all those of the test people's pictures, and those of a published list.
"""

import dataclasses
from typing import Any

import numpy as np

from facenet_tf import metrics
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import FOLDS, Measured
from facenet_tf.evaluation.methods import plots
from facenet_tf.evaluation.methods.pair_figures import (
    NOT_DRAWN,
    fixed_threshold_figures,
    folded_figures,
    grid_figures,
    ranking_figures,
    readable_far,
)
from facenet_tf.evaluation.pair_sets import ScoredPairs
from facenet_tf.evaluation.protocol import TRAINED, Plot, Protocol, Results
from facenet_tf.evaluation.roster import Vectors
from facenet_tf.evaluation.table import (
    Table,
    by_vectors,
    interval,
    measured_name,
    pairs_name,
    percent,
    share,
)

UNSEEN = "unseen_people"
TERMS = {
    "accuracy": "share of pairs decided rightly at a threshold that other people or pairs chose",
    "AUC": "how often a pair of one person is nearer than a pair of two: 1 always, 0.5 by chance",
    "EER": "the error where as many pairs of one person are refused as pairs of two are accepted: "
    "0 is perfect, 0.5 is chance",
    "d'": "how far apart the two kinds of distances lie on average, in units of their spread",
    "TAR@x": "share of the pairs of one person that are accepted when a share x of the pairs of "
    "two people is accepted wrongly, with its 95 % interval over people or, where it says so, over "
    "pairs alone; “-” where too few pairs of two people could carry the figure",
    "of two": "how many of the pairs are of two people: at a low FAR only some of these decide",
}


def figures(vectors: Vectors, measured: Measured, config: EvaluateConfig) -> dict[str, Any]:
    """{set of pairs: figures} of one network's vectors."""
    thresholds = measured.thresholds

    def ranking(scored: ScoredPairs) -> dict[str, Any]:
        return ranking_figures(
            scored, fars=config.fars, bootstrap=config.bootstrap, seed=config.seed
        )

    def fixed(scored: ScoredPairs, balanced: bool) -> dict[str, Any]:
        if thresholds.used is None:
            reason = thresholds.chosen_by
            return {"accuracy_mean": None, "accuracy_sem": None, "accuracy_protocol": reason}
        return fixed_threshold_figures(
            scored,
            thresholds.used.balanced,
            thresholds.chosen_by,
            balanced=balanced,
            bootstrap=config.bootstrap,
            seed=config.seed,
        )

    found = {}
    if measured.unseen is not None:
        unseen = ScoredPairs.of(vectors, measured.unseen)
        found[UNSEEN] = {**ranking(unseen), **fixed(unseen, balanced=True)}
    if measured.listed is not None and measured.folded is not None:
        listed = ScoredPairs.of(vectors, measured.listed)
        common = {**ranking(listed), "left_out_people": measured.left_out}
        name: str = config.protocol
        if name == "lfw_view1":
            found[name] = {**common, **fixed(listed, balanced=False)}
            name = f"{name}_{FOLDS}fold"
        folded = dataclasses.replace(listed, pairs=measured.folded)
        found[name] = {**common, **folded_figures(folded, measured.folds)}
        grid = grid_figures(folded) if name != f"lfw_view1_{FOLDS}fold" else None
        if grid and not measured.left_out:
            found[name]["grid"] = grid
    return found


def tables(results: dict[str, Any]) -> list[Table]:
    """All sets and networks in one table; per set the points on the curve, with intervals."""
    rows = _rows(results)
    if not rows:
        return [Table(note="the test people give no genuine and impostor pairs")]
    tars = [f"TAR@{float(far):g}" for far in _carried(results)]
    head = ["verification", "vectors", "accuracy", "AUC", "EER", "d'", *tars, "pairs", "of two"]
    return [
        Table(head, rows, _reporting_note(results), terms=TERMS),
        *(points_table(set_name(*each), each[1]) for each in results["verification"].items()),
    ]


def _rows(results: dict[str, Any]) -> list[list[str]]:
    """Per set of pairs and kind of vectors: accuracy ± SEM, AUC, EER, TAR at each FAR with its
    interval, pairs, impostor pairs.

    Where pictures have no record, a second row leaves their pairs out. Where `all_pairs` has the
    figures of all of the test people's, the row says that it has not.
    """
    rows, fars = [], _carried(results)
    everything = results.get("all_pairs", {}).get("pairs", 0)
    for name, result in by_vectors(results).items():
        for key, figure in result["verification"].items():
            pair_set = set_name(key, figure)
            if key == UNSEEN and figure["pairs"] < everything:
                pair_set += ", some pictures"
            rows.append(_row(pair_set, name, figure, fars))
            if figure.get("without_lost"):
                rows.append(_row(f"{pair_set}, lost apart", name, figure["without_lost"], fars))
    return sorted(rows, key=lambda row: row[0])


def _carried(results: dict[str, Any]) -> list[str]:
    """The FARs at which any set of pairs has a figure."""
    sets = results["verification"].values()
    return [
        str(far)
        for far in results["config"]["fars"]
        if any(each["tar"][str(far)] is not None for each in sets)
    ]


def _reporting_note(results: dict[str, Any]) -> str:
    """Under which names the figures on LFW may be reported."""
    names = results.get("lfw_reporting_names", {})
    shown = {TRAINED: measured_name(results)}
    return "; ".join(
        f"{shown.get(name, name.replace('_', ' '))}: LFW, “{found['name']}” ({found['why']})"
        for name, found in names.items()
    )


def _row(pair_set: str, name: str, figure: dict[str, Any], fars: list[str]) -> list[str]:
    accuracy = share(figure.get("accuracy_mean"))
    if figure.get("accuracy_sem") is not None:
        accuracy += f" ± {figure['accuracy_sem']:.4f}"
    ranking = [share(each) for each in (figure["auc"], figure["eer"])]
    d_prime = "-" if figure.get("d_prime") is None else f"{figure['d_prime']:.2f}"
    tars = [_tar(figure, far) for far in fars]
    pairs = [str(figure[kind]) for kind in ("pairs", "impostor_pairs")]
    return [pair_set, name, accuracy, *ranking, d_prime, *tars, *pairs]


def _tar(figure: dict[str, Any], far: str) -> str:
    """A TAR with its interval over people, or over pairs where people were not drawn."""
    tar, over_people = figure["tar"][far], figure.get("bootstrap", {}).get("tar", {}).get(far)
    if tar is None:
        return share(tar)
    if over_people is None:
        return f"{share(tar)} ({interval(figure['tar_points'][far]['interval'])}, pairs)"
    return f"{share(tar)} ({interval(over_people)})"


def set_name(key: str, figure: dict[str, Any]) -> str:
    """Name of a set of pairs; a list that seen people had to leave does not bear its own alone."""
    name, left_out = pairs_name(key), figure.get("left_out_people")
    return f"{name} minus {left_out} people" if left_out else name


def points_table(title: str, figure: dict[str, Any]) -> Table:
    """TAR at each FAR with its intervals over pairs and over people."""
    boot = figure.get("bootstrap", {"skipped": NOT_DRAWN})
    rows = []
    for far, point in figure["tar_points"].items():
        if "skipped" in point:
            rows.append([far, f"no figure: {point['skipped']}", "-", "-"])
        else:
            over_people = interval(boot.get("tar", {}).get(far))
            rows.append([far, share(figure["tar"][far]), interval(point["interval"]), over_people])
    note = (
        f"{figure['genuine_pairs']} genuine and {figure['impostor_pairs']} impostor pairs, "
        f"{figure['pairs_with_lost_picture']} with a picture that has no record"
    )
    protocol = figure["protocol"]
    if "accuracy_protocol" in figure:
        protocol += f". Accuracy: {figure['accuracy_protocol']}"
        if figure.get("accuracy_interval"):
            protocol += f" ({interval(figure['accuracy_interval'])})"
    protocol += f". Intervals over people: {_of_people(boot)}"
    head = ["FAR", "TAR", "interval over pairs", "interval over people"]
    return Table(head, rows, note, title, detail=True, protocol=protocol)


def _of_people(boot: dict[str, Any]) -> str:
    if "skipped" in boot:
        return f"{boot.get('protocol', 'none')}: {boot['skipped']}"
    told = f"{boot['protocol']}; AUC {interval(boot['auc'])}, EER {interval(boot['eer'])}"
    return f"{told}, d' {interval(boot['d_prime'])}" if boot.get("d_prime") else told


def verdict(results: dict[str, Any]) -> list[str]:
    """The set that was asked for last, a published list before the dataset's own people; at the
    lowest FAR at which it says anything (`readable_far`)."""
    found = results["verification"]
    if not found:
        return []
    key, figure = list(found.items())[-1]
    # None where the pairs carry no threshold
    kept = {
        far: figure["tar"][far]
        for far, point in figure["tar_points"].items()
        if point.get("threshold") is not None
    }
    line = f"Same person or not ({set_name(key, figure).replace('_', ' ')}): "
    if kept:
        far = readable_far(kept)
        within = figure.get("bootstrap", {}).get("tar", {}).get(far)
        line += (
            f"{percent(figure['tar'][far])} of the pairs of one person are recognised"
            f"{f' (95 % interval {interval(within)})' if within else ''} while "
            f"{100 * float(far):g} % of the pairs of two people are taken for one"
        )
    else:
        line += f"equal error {percent(figure['eer'])}"
    if figure.get("accuracy_mean") is not None:
        line += f"; {percent(figure['accuracy_mean'])} of the decisions are right"
    if lost := figure["pairs_with_lost_picture"]:
        line += (
            f"; {lost} of {figure['pairs']} pairs have a picture without a record, which is never "
            "recognised"
        )
    return [f"{line}."]


def draw(results: Results) -> list[Plot]:
    """ROC and DET of all networks and the distances of the measured one.

    Over the published list, or else over the pairs of the test people.
    """
    pairs = results.measured.listed or results.measured.unseen
    if pairs is None:
        return []
    distances = {
        name: ScoredPairs.of(rows, pairs).distance for name, rows in results.vectors.items()
    }
    shown = {TRAINED: measured_name(results.figures)}
    curves = {
        shown.get(name, name): metrics.roc_curve(pairs.genuine, distance)
        for name, distance in distances.items()
    }
    band = _band(results)
    return [
        Plot(
            "roc",
            "ROC: the share of pairs of one person that are accepted (TAR), over the share of "
            "pairs of two people that are accepted wrongly (FAR); nearer to the top left is better",
            plots.roc(curves, band),
        ),
        Plot(
            "det",
            "DET: the share of pairs of one person that are refused wrongly (FRR), over the share "
            "of pairs of two people that are accepted wrongly (FAR); lower is better",
            plots.det(curves, band),
        ),
        Plot(
            "distances",
            "Distances of pairs of one person (genuine) and of two people (impostor); the less the "
            "two hills overlap, the better",
            plots.distances(pairs.genuine, distances[TRAINED], "measured network"),
        ),
    ]


def _band(results: Results) -> plots.Band | None:
    """The pointwise band of the curve that is drawn, where people were drawn for it."""
    sets = results.figures["verification"]
    shown = [name for name in sets if name != UNSEEN] if results.measured.listed else [UNSEEN]
    figure = sets[shown[0]]
    drawn = figure.get("bootstrap", {}).get("curve")
    if drawn is None:
        return None
    return plots.Band(*map(np.array, (figure["curve"]["far"], drawn["low"], drawn["high"])))


VERIFICATION = Protocol(
    "verification",
    "Verification",
    "Whether the network can tell if two pictures show the same person: how many pairs of one "
    "person it accepts (TAR) while it accepts only so few pairs of two people (FAR).",
    figures,
    tables,
    verdict,
    plots=draw,
    files=("roc.png", "det.png", "distances.png"),
    for_baselines=True,
)
