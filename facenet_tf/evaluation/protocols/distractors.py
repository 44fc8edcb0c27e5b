"""Identification among strangers: the same probes, and a gallery that grows by distractors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from facenet_tf import metrics
from facenet_tf.errors import InputError
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.made import Made
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.methods.galleries import Draws, People, Trial, closed_trials, open_trials
from facenet_tf.evaluation.methods.strangers import FEWEST_REAL, MadeUp, OfOthers, Strangers
from facenet_tf.evaluation.options.distractors import DistractorsOptions
from facenet_tf.evaluation.protocol import Plot, Protocol, Results
from facenet_tf.evaluation.protocols.identification import (
    CLOSED_TERMS,
    OPEN_TERMS,
    carried_fars,
    closed_figures,
    mean_and_deviation,
    open_figures,
)
from facenet_tf.evaluation.roster import SEEN, Vectors
from facenet_tf.evaluation.systems.vectors_file import read_made
from facenet_tf.evaluation.table import Table, interval
from facenet_tf.search import APPROXIMATE, Found, Kind, build_index, recall

SAMPLED = 1000
"""Probes and distractors whose distances are compared, and probes that recall is measured with."""

FARTHER = 1.05
"""Strangers whose nearest are so many times as far away as the nearest people flatter."""

PROTOCOL = (
    "the draws without distractors, with every distractor enrolled as a person of its own; real "
    "people are compared with all, distractors are searched for; intervals: people drawn with "
    "replacement, 95 % percentiles of the mean over the draws, galleries and distractors as they "
    "are"
)


def figures(vectors: Vectors, measured: Measured, config: EvaluateConfig) -> dict[str, Any] | None:
    """Figures at every number of distractors; None where the config asks for none."""
    asked = config.distractors
    if config.list_only or not asked.sizes:
        return None
    test = vectors.where(measured.test_rows)
    people, draws = People(test), Draws.of(config)
    strangers, whence = source_of(vectors, measured, config)
    reason = people.too_few(draws)
    if reason or strangers is None:
        return {"skipped": reason or whence}
    return {
        "strangers": whence,
        **({"real": len(strangers)} if isinstance(strangers, OfOthers) else {}),
        **crowd_figures(
            people,
            closed_trials(people, draws),
            open_trials(people, draws),
            strangers,
            sizes=asked.sizes,
            ranks=tuple(sorted(config.identification.ranks)) or (1,),
            fars=config.fars,
            kind=asked.search,
            bootstrap=config.bootstrap,
            seed=config.seed,
        ),
    }


def source_of(
    vectors: Vectors, measured: Measured, config: EvaluateConfig
) -> tuple[Strangers | None, str]:
    """The strangers that the config asks for, and whence they are; None with the reason.

    Raises:
        InputError: the file cannot be used, or has too few to make up the others after.
    """
    roster, source = measured.roster, config.distractors.source
    if source is not None:
        names = measured.trained_on.union(np.unique(roster.identities).tolist())
        others = OfOthers(source, vectors.values.shape[1], names, config.seed)
        count = others.people_among(len(others))
        people = "others" if count is None else f"{count:,} other people"
        whence = f"{len(others):,} pictures of {people} {_same_network(source, measured.made)}"
        if count is not None:
            whence += ", the first of everybody before the second of anybody"
        if len(others) < max(config.distractors.sizes):
            if len(others) < FEWEST_REAL:
                raise InputError(
                    f"--distractors.sizes {max(config.distractors.sizes)}: {source} has "
                    f"{len(others)} usable embeddings of other people, too few to make up others "
                    "after: give a smaller number, or a file of other people"
                )
            whence += ", and beyond them made up after these (smoothed bootstrap)"
        return others, whence
    usable = ~roster.lost & ~roster.duplicate
    known = np.isin(roster.splits, ["train", SEEN])
    for what, rows in (
        ("people beside those of the test", usable & ~known & (roster.splits != "test")),
        ("the test people themselves, for want of others", usable & (roster.splits == "test")),
    ):
        if rows.sum() >= FEWEST_REAL:
            return MadeUp(vectors.values[rows], config.seed), (
                f"made up after the {int(rows.sum())} embeddings of {what} (smoothed bootstrap)"
            )
    return None, f"fewer than {FEWEST_REAL} embeddings to make up strangers after"


def _same_network(source: Path, measured: Made | None) -> str:
    """By what the strangers' embeddings were made, in words.

    Raises:
        InputError: it is not what made the measured ones.
    """
    made = read_made(source)
    if made is None or measured is None:
        silent = source.name if made is None else "the measured file"
        return f"said to be by the same network (not checked: {silent} does not say what made it)"
    reason = made.unlike(measured)
    if reason is not None:
        raise InputError(
            f"--distractors.source {source}: its embeddings were made {reason} as those that are "
            "measured: give embeddings by the same network, made in the same way"
        )
    return "by the same network"


def crowd_figures(
    people: People,
    closed: list[Trial],
    opened: list[Trial],
    distractors: Strangers,
    *,
    sizes: tuple[int, ...],
    ranks: tuple[int, ...],
    fars: tuple[float, ...],
    kind: Kind,
    bootstrap: int = 0,
    seed: int = 0,
) -> dict[str, Any]:
    """Ranks and DIR at every number of distractors, and how the distractors compare with people.

    Args:
        people: whose pictures are searched for.
        closed, opened: the trials without distractors.
        distractors: at least as many as the largest size.
        sizes: numbers of distractors; each larger one contains the smaller ones.
        ranks, fars: as of the figures without distractors.
        kind: of the search for distractors.
        bootstrap: draws of people behind each interval; 0: none.
        seed: of the bootstrap.
    """
    with_record = np.flatnonzero(~people.lost)
    queries = people.values[with_record]
    nearest = np.full((len(people.lost), max(ranks)), np.inf)
    by_size, recalls = {}, {}
    for size, found, share in _growing(distractors, sorted(sizes), queries, max(ranks), kind):
        nearest[with_record] = found.distances
        matched = closed_figures(people, _crowded(closed, nearest), ranks, bootstrap, seed)
        detected = open_figures(people, _crowded(opened, nearest), fars, bootstrap, seed)
        by_size[str(size)] = {
            "people": distractors.people_among(size),
            "rank": matched["rank"],
            "dir": detected.get("dir", {}),
        }
        recalls[str(size)] = share
    summary: dict[str, Any] = {
        "protocol": PROTOCOL,
        "search": kind,
        "sizes": by_size,
        "distances": _distances(people, distractors.rows(0, min(SAMPLED, max(sizes)))),
    }
    if kind in APPROXIMATE:
        summary["recall"] = recalls
        summary["recall_protocol"] = (
            f"share of the {max(ranks)} nearest distractors that the search finds, of at most "
            f"{SAMPLED} pictures; those it misses flatter the figures"
        )
    return summary


def _growing(
    distractors: Strangers,
    sizes: list[int],
    queries: NDArray[np.float32],
    count: int,
    kind: Kind,
) -> Iterator[tuple[int, Found, float]]:
    """After each size, the nearest distractors so far, and the recall of what was added.

    Every addition has an index of its own, so that no more than the largest is in memory.
    """
    best = Found(np.full((len(queries), count), np.inf), np.full((len(queries), count), -1))
    for start, stop in zip([0, *sizes], sizes):
        rows = distractors.rows(start, stop)
        found = build_index(kind, rows).search(queries, count)
        share = 1.0
        if kind in APPROXIMATE:
            some = slice(None, None, max(1, len(queries) // SAMPLED))
            truth = build_index("exact", rows).search(queries[some], count)
            share = recall(Found(found.distances[some], found.rows[some]), truth)
        rows_of_all = np.where(found.rows < 0, found.rows, found.rows + start)
        best = _merged(best, Found(found.distances, rows_of_all))
        yield stop, best, share


def _merged(one: Found, other: Found) -> Found:
    distances = np.concatenate([one.distances, other.distances], axis=1)
    rows = np.concatenate([one.rows, other.rows], axis=1)
    order = np.argsort(distances, axis=1, kind="stable")[:, : one.distances.shape[1]]
    return Found(
        np.take_along_axis(distances, order, axis=1), np.take_along_axis(rows, order, axis=1)
    )


def _crowded(tried: list[Trial], nearest: NDArray[np.float64]) -> list[Trial]:
    return [
        Trial(trial.draw, trial.found.with_distractors(nearest[trial.draw.probes]))
        for trial in tried
    ]


def _distances(people: People, rows: NDArray[np.float32]) -> dict[str, Any]:
    """Squared distances of pictures to distractors, and to other people: they should be alike."""
    with_record = np.flatnonzero(~people.lost)
    chosen = with_record[:: max(1, len(with_record) // SAMPLED)]
    values, whose = people.values[chosen].astype(np.float64), people.person[chosen]
    left, right = metrics.all_pairs(len(values))
    apart = whose[left] != whose[right]
    real = metrics.listed_distances(values, left[apart], right[apart])
    strange = 2 - 2 * values @ rows.T.astype(np.float64)
    return {"people": _quantiles(real), "distractors": _quantiles(strange)}


def _quantiles(distances: NDArray[np.float64]) -> dict[str, float | None]:
    if not distances.size:
        return {"mean": None, "nearest_thousandth": None}
    return {
        "mean": float(distances.mean()),
        "nearest_thousandth": float(np.quantile(distances, 0.001)),
    }


def tables(results: dict[str, Any]) -> list[Table]:
    """Ranks and DIR of the trained network at every number of distractors."""
    found = results["distractors"]
    sizes = found["sizes"]
    first = next(iter(sizes.values()))
    ranks = list(first["rank"])
    fars, missing = carried_fars(row["dir"] for row in sizes.values())
    rows = [
        [
            _mixed(int(size), found.get("real"), row.get("people")),
            *(mean_and_deviation(row["rank"][rank]) for rank in ranks),
            *(mean_and_deviation(row["dir"][far]) for far in fars),
            *([f"{found['recall'][size]:.4f}"] if "recall" in found else []),
        ]
        for size, row in sizes.items()
    ]
    head = [
        "distractors",
        *(f"rank {rank}" for rank in ranks),
        *(f"DIR@FAR {float(far):g}" for far in fars),
        *(["recall of the search"] if "recall" in found else []),
    ]
    near = {name: row["nearest_thousandth"] for name, row in found["distances"].items()}
    note = f"distractors are {found['strangers']}; search: {found['search']}"
    if missing:
        note += f"; too few unknown probes for a FAR of {missing}"
    if None not in near.values():
        note += (
            f"; one in a thousand of the test people's impostor pairs is within a squared distance "
            f"of {near['people']:.3f}, of their pairs with distractors within "
            f"{near['distractors']:.3f}"
        )
        if near["distractors"] > FARTHER * near["people"]:
            note += ": strangers stay farther away than people do, and the figures flatter"
    protocol = "; ".join([found["protocol"], *filter(None, [found.get("recall_protocol")])])
    return [
        Table(head, rows, note=note, protocol=protocol, terms=CLOSED_TERMS | OPEN_TERMS),
        *_intervals_tables(sizes, ranks, fars),
    ]


def _intervals_tables(
    sizes: dict[str, dict[str, Any]], ranks: list[str], fars: list[str]
) -> list[Table]:
    """The 95 % intervals over people of the same figures; no table where none were drawn."""
    rows = [
        [
            f"{int(size):,}",
            *(interval(row["rank"][rank]["interval"]) for rank in ranks),
            *(interval(row["dir"].get(far, {}).get("interval")) for far in fars),
        ]
        for size, row in sizes.items()
    ]
    if all(cell == "-" for _, *cells in rows for cell in cells):
        return []
    head = ["distractors", *(f"rank {rank}" for rank in ranks)]
    head += [f"DIR@FAR {float(far):g}" for far in fars]
    return [Table(head, rows, title="95 % intervals over people", detail=True)]


def _mixed(size: int, real: int | None, people: int | None) -> str:
    """A number of distractors, how many people the real ones show, and how many are made up beside
    these."""
    told = [] if people is None else [f"{people:,} {'person' if people == 1 else 'people'}"]
    if real is not None and size > real:
        told.append(f"{size - real:,} made up")
    return f"{size:,} ({', '.join(told)})" if told else f"{size:,}"


def draw(results: Results) -> list[Plot]:
    """Rank 1 over the number of distractors."""
    found = results.figures["distractors"]["sizes"]
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot(xscale="log", xlabel="distractors", ylabel="share of probes")
    for rank in next(iter(found.values()))["rank"]:
        means = [row["rank"][rank]["mean"] for row in found.values()]
        axes.plot([int(size) for size in found], means, marker="o", label=f"rank {rank}")
    axes.set(ylim=(0, 1.02), title="Identification among strangers")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left", fontsize="small")
    description = "How often the right person is found as the gallery is filled with strangers"
    return [Plot("distractors", description, figure)]


DISTRACTORS = Protocol(
    "distractors",
    "Identification among strangers",
    "How often the right person is still found when the gallery also holds up to a million others.",
    figures,
    tables,
    plots=draw,
    files=("distractors.png",),
    options=DistractorsOptions,
)
