"""Identification: whom of an enrolled gallery does a picture show, and is it any of them?

Closed set: everybody is enrolled by a few pictures, all others are probes. Open set: some people
are kept out of the gallery, and a threshold must turn their probes away. Both over repeated draws
of who and what is enrolled.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from facenet_tf import metrics
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.methods.galleries import Draws, People, Trial, closed_trials, open_trials
from facenet_tf.evaluation.options.identification import IdentificationOptions
from facenet_tf.evaluation.protocol import Plot, Protocol, Results
from facenet_tf.evaluation.roster import Vectors
from facenet_tf.evaluation.table import Table, by_vectors, interval, percent

CURVE = 50
"""Ranks of the curve of matches; more are of no use to anybody."""

PROTOCOL = (
    "people of the test split; in every draw some pictures of each person that have a record are "
    "enrolled, at random; a person is as far away as the nearest enrolled picture; of two people "
    "equally far away the wrong one counts as nearer; a probe without a record (a failure to "
    "enrol, ISO/IEC 19795-1) finds nobody: an error at every rank, and no false alarm; mean and "
    "sample deviation over the draws; intervals: people drawn with replacement, 95 % percentiles "
    "of the mean over the draws, galleries as they are"
)
CLOSED_TERMS = {
    "rank n": "share of the pictures whose own person is among the n most similar people",
    "mAP": "how early all other pictures of the same person come among all pictures: 1 is first",
}
OPEN_TERMS = {
    "DIR@FAR x": "share of the pictures of enrolled people that are named rightly, at the "
    "threshold at which a share x of the pictures of strangers is taken for somebody",
}
CLOSED = (
    "all people are enrolled, also those with no more pictures than that, who give no probe but "
    "can be mistaken for others"
)
OPEN = (
    "in every draw a share of the people, at random, is kept out of the gallery, their pictures "
    "are unknown probes; DIR: share of the known probes whose own person is nearest and within the "
    "threshold; FAR: share of the unknown probes that have anybody within it; threshold: the "
    "greatest whose FAR on the draw's own unknown probes is not above the asked one"
)
AVERAGE_PRECISION = (
    "every picture asks for the others of its person among all pictures; precision at each of "
    "them, 0 for those without a record, averaged over them; of equally near pictures those of "
    "others come first; mean over all pictures that have something to find"
)


def figures(vectors: Vectors, measured: Measured, config: EvaluateConfig) -> dict[str, Any] | None:
    """Figures of closed and open set over the test people; None where the config asks for none."""
    if config.list_only or not config.identification.ranks:
        return None
    people, draws = People(vectors.where(measured.test_rows)), Draws.of(config)
    found: dict[str, Any] = {
        "protocol": PROTOCOL,
        "people": people.count,
        "people_without_record": people.left_out,
        "pictures": len(people.person),
        "enrolled": draws.enrolled,
        "draws": draws.count,
        "seed": draws.seed,
    }
    reason = people.too_few(draws)
    if reason:
        return {**found, "skipped": reason}
    bootstrap = (config.bootstrap, config.seed)
    ranks = tuple(sorted(config.identification.ranks))
    return {
        **found,
        "closed_set": closed_figures(people, closed_trials(people, draws), ranks, *bootstrap),
        "mean_average_precision": average_precision_figures(people, *bootstrap),
        "open_set": open_figures(people, open_trials(people, draws), config.fars, *bootstrap),
    }


def closed_figures(
    people: People, tried: list[Trial], ranks: tuple[int, ...], bootstrap: int, seed: int
) -> dict[str, Any]:
    """CMC and its shares at some ranks.

    Args:
        people: whose pictures they are.
        tried: of closed draws.
        ranks: at which figures are given with deviation and interval.
        bootstrap: draws of people behind each interval; 0: none.
        seed: of the bootstrap.
    """
    last = max(*ranks, min(CURVE, people.count))

    def curves(times: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        weights = [None if times is None else times[people.person[t.draw.probes]] for t in tried]
        return np.array(
            [
                metrics.cumulative_matches(trial.found, last, weight)
                for trial, weight in zip(tried, weights)
            ]
        )

    places = np.array(ranks) - 1
    of_draws = curves()
    probed = len(np.unique(people.person[np.concatenate([t.draw.probes for t in tried])]))
    intervals = metrics.intervals_or_none(
        len(ranks),
        metrics.people_intervals,
        people.count,
        lambda times: curves(times).mean(axis=0)[places],
        draws=bootstrap,
        seed=seed,
        cases=[probed] * len(ranks),
    )
    return {
        "protocol": CLOSED,
        "probes": len(tried[0].draw.probes),
        "lost_probes": int(people.lost[tried[0].draw.probes].sum()),
        "cmc": of_draws.mean(axis=0)[: min(CURVE, people.count)].tolist(),
        "rank": {
            str(rank): {**_spread(of_draws[:, rank - 1]), "interval": limits}
            for rank, limits in zip(ranks, intervals)
        },
    }


def open_figures(
    people: People, tried: list[Trial], fars: tuple[float, ...], bootstrap: int, seed: int
) -> dict[str, Any]:
    """DIR at each FAR that the fewest unknown probes of a draw carry; the others say why not."""
    unknown = [int((~trial.draw.known).sum()) for trial in tried]
    known = [int(trial.draw.known.sum()) for trial in tried]
    summary: dict[str, Any] = {
        "protocol": OPEN,
        "gallery_people": len(np.unique(people.person[tried[0].draw.gallery])),
        "known_probes": float(np.mean(known)),
        "unknown_probes": {"mean": float(np.mean(unknown)), "least": min(unknown)},
    }
    if not min(known) or not min(unknown):
        return {**summary, "skipped": "a draw has no known or no unknown probes"}
    carried = [far for far in fars if metrics.supports_far(min(unknown), far)]
    summary["dir"] = {str(far): _too_few(min(unknown), far) for far in fars}
    summary["dir"] |= _detection(people, tried, carried, bootstrap, seed)
    lost = [people.lost[trial.draw.probes] for trial in tried]
    if any(flags.any() for flags in lost):
        found = [trial.only(~flags) for trial, flags in zip(tried, lost)]
        summary["without_lost"] = {
            "protocol": "only probes that have a record",
            **_of_found(people, found, carried, seed),
        }
    return summary


def _of_found(people: People, found: list[Trial], fars: list[float], seed: int) -> dict[str, Any]:
    """The same of the probes that have a record, at those of the FARs that they carry."""
    known = [trial.draw.known for trial in found]
    least = min(int((~flags).sum()) for flags in known)
    if not least or not all(flags.any() for flags in known):
        return {"skipped": "a draw has no known or no unknown probes with a record"}
    carried = [far for far in fars if metrics.supports_far(least, far)]
    return {"dir": _detection(people, found, carried, 0, seed)}


def _detection(
    people: People, tried: list[Trial], fars: list[float], bootstrap: int, seed: int
) -> dict[str, Any]:
    sets = [metrics.OpenSet(trial.found, trial.draw.known) for trial in tried]
    whose = [people.person[trial.draw.probes] for trial in tried]

    def points(times: NDArray[np.float64] | None = None) -> list[list[metrics.OperatingPoint]]:
        curves = [
            each.curve(None if times is None else times[person])
            for each, person in zip(sets, whose)
        ]
        return [[metrics.operating_point(curve, far) for curve in curves] for far in fars]

    probed = min(len(np.unique(who[trial.draw.known])) for who, trial in zip(whose, tried))
    intervals = metrics.intervals_or_none(
        len(fars),
        metrics.people_intervals,
        people.count,
        lambda times: [np.mean([point.tar for point in row]) for row in points(times)],
        draws=bootstrap,
        seed=seed,
        cases=[probed] * len(fars),
    )
    by_far = {}
    for far, row, limits in zip(fars, points(), intervals):
        thresholds = [point.threshold for point in row if np.isfinite(point.threshold)]
        by_far[str(far)] = {
            **_spread(np.array([point.tar for point in row])),
            "interval": limits,
            "far": float(np.mean([point.far for point in row])),
            "threshold": float(np.mean(thresholds)) if thresholds else None,
        }
    return by_far


def average_precision_figures(people: People, bootstrap: int, seed: int) -> dict[str, Any]:
    """Mean average precision over all pictures with something to find."""
    precisions = metrics.average_precisions(people.values, people.person)
    asked = ~np.isnan(precisions)
    summary: dict[str, Any] = {"protocol": AVERAGE_PRECISION, "queries": int(asked.sum())}
    if not asked.any():
        return {**summary, "skipped": "nobody has two pictures", "mean": None}
    found, whose = precisions[asked], people.person[asked]

    def mean(times: NDArray[np.float64]) -> list[float]:
        weights = times[whose]
        if not weights.any():
            raise ValueError("the draw has no queries")
        return [float(np.average(found, weights=weights))]

    (limits,) = metrics.intervals_or_none(
        1,
        metrics.people_intervals,
        people.count,
        mean,
        draws=bootstrap,
        seed=seed,
        cases=[len(np.unique(whose))],
    )
    return {**summary, "mean": float(found.mean()), "interval": limits}


def _spread(values: NDArray[np.float64]) -> dict[str, float]:
    return {"mean": float(values.mean()), "std": float(values.std(ddof=1))}


def _too_few(unknown: int, far: float) -> dict[str, Any]:
    reason = metrics.too_few_for_far(unknown, far, "unknown probes", "false alarms")
    return {"mean": None, "skipped": reason}


def tables(results: dict[str, Any]) -> list[Table]:
    """Shares at each rank and mean average precision; DIR at each FAR with its unknown probes."""
    rows = _of_all(results)
    trained = results["identification"]
    closed, opened = trained["closed_set"], trained["open_set"]
    ranks = list(_telling_ranks(trained))
    fars, missing = carried_fars(row["open_set"].get("dir", {}) for row in rows.values())
    matches = [
        [
            name,
            *(mean_and_deviation(row["closed_set"]["rank"][rank]) for rank in ranks),
            _average(row),
        ]
        for name, row in rows.items()
    ]
    detections = [
        [name, *(mean_and_deviation(row["open_set"].get("dir", {}).get(far, {})) for far in fars)]
        for name, row in rows.items()
    ]
    return [
        Table(
            ["closed set", *(f"rank {rank}" for rank in ranks), "mAP"],
            matches,
            note=(
                f"{trained['people']} people, {trained['enrolled']} enrolled picture(s) of each, "
                f"{closed['probes']} probes, {closed['lost_probes']} of them without a record; "
                f"mean ± deviation over {trained['draws']} draws"
            ),
            protocol=f"{trained['protocol']}; {closed['protocol']}",
            terms=CLOSED_TERMS,
        ),
        _intervals_table(trained),
        Table(
            ["open set", *(f"DIR@FAR {float(far):g}" for far in fars)],
            detections if fars else [],
            note=opened.get("skipped")
            or (
                f"{opened['gallery_people']} people enrolled, in the mean "
                f"{opened['known_probes']:.0f} known and {opened['unknown_probes']['mean']:.0f} "
                f"unknown probes, at least {opened['unknown_probes']['least']}"
                + (f": too few for a FAR of {missing}" if missing else "")
            ),
            protocol=opened["protocol"],
            terms=OPEN_TERMS,
        ),
    ]


def _telling_ranks(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The shares at the ranks before the last: among all people is everybody who has a record."""
    return {
        rank: figure
        for rank, figure in found["closed_set"]["rank"].items()
        if int(rank) < found["people"]
    }


def _intervals_table(trained: dict[str, Any]) -> Table:
    """The measured network's 95 % intervals over people."""
    closed, average = _telling_ranks(trained), trained["mean_average_precision"]
    opened = trained["open_set"].get("dir", {})
    rows = [
        *([f"rank {rank}", interval(row["interval"])] for rank, row in closed.items()),
        ["mAP", interval(average.get("interval"))],
        *(
            [f"DIR@FAR {float(far):g}", interval(row["interval"])]
            for far, row in opened.items()
            if "interval" in row
        ),
    ]
    return Table(
        ["figure", "95 % interval over people"],
        [row for row in rows if row[1] != "-"],
        title="Intervals of the measured network",
        detail=True,
        protocol=average["protocol"],
    )


def verdict(results: dict[str, Any]) -> list[str]:
    """The lowest rank in a sentence."""
    found = results["identification"]
    return [
        f"Who is it (of {found['people']} people, {found['enrolled']} known picture(s) each): the "
        f"right person {'comes first' if rank == '1' else f'is among the first {rank}'} for "
        f"{percent(figure['mean'])} of the other pictures."
        for rank, figure in list(_telling_ranks(found).items())[:1]
    ]


def draw(results: Results) -> list[Plot]:
    """The curves of matches of all vectors."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot(xscale="log", xlabel="rank", ylabel="share of probes", title="CMC")
    for name, row in _of_all(results.figures).items():
        curve = row["closed_set"]["cmc"]
        axes.plot(range(1, len(curve) + 1), curve, marker=".", label=name)
    axes.set(ylim=(0, 1.02))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", fontsize="small")
    description = (
        "Curve of matches: how often the right person is among the first so many of the gallery"
    )
    return [Plot("cmc", description, figure)]


def _of_all(results: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The figures of all vectors that gave some, by name."""
    rows = {name: row.get("identification", {}) for name, row in by_vectors(results).items()}
    return {name: row for name, row in rows.items() if "closed_set" in row}


def carried_fars(rows: Iterable[dict[str, dict[str, Any]]]) -> tuple[list[str], str]:
    """The FARs at which any row has a DIR, and in words those at which none has."""
    points = [(far, point.get("mean")) for row in rows for far, point in row.items()]
    carried = dict.fromkeys(far for far, mean in points if mean is not None)
    missing = dict.fromkeys(f"{float(far):g}" for far, _ in points if far not in carried)
    return list(carried), ", ".join(missing)


def mean_and_deviation(row: dict[str, Any]) -> str:
    """A figure over draws as a cell; "-" where there is none."""
    return "-" if row.get("mean") is None else f"{row['mean']:.4f} ± {row['std']:.4f}"


def _average(row: dict[str, Any]) -> str:
    mean = row["mean_average_precision"]["mean"]
    return "-" if mean is None else f"{mean:.4f}"


IDENTIFICATION = Protocol(
    "identification",
    "Identification in a gallery",
    "With a few known pictures of each person: how often another picture finds the right one "
    "first, and how often that still works when strangers must be turned away.",
    figures,
    tables,
    verdict=verdict,
    plots=draw,
    files=("cmc.png",),
    options=IdentificationOptions,
    for_baselines=True,
)
