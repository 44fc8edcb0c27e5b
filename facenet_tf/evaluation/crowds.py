"""Identification among strangers: the same probes, and a gallery that grows by distractors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facenet_tf import metrics
from facenet_tf.evaluation.distractors import Distractors
from facenet_tf.evaluation.identification import People, Trial, closed_figures, open_figures
from facenet_tf.search import APPROXIMATE, Found, Kind, build_index, recall

SAMPLED = 1000
"""Probes and distractors whose distances are compared, and probes that recall is measured with."""

PROTOCOL = (
    "the draws without distractors, with every distractor enrolled as a person of its own; real "
    "people are compared with all, distractors are searched for"
)


def crowd_figures(
    people: People,
    closed: list[Trial],
    opened: list[Trial],
    distractors: Distractors,
    *,
    sizes: tuple[int, ...],
    ranks: tuple[int, ...],
    fars: tuple[float, ...],
    kind: Kind,
) -> dict[str, Any]:
    """Ranks and DIR at every number of distractors, and how the distractors compare with people.

    Args:
        people: whose pictures are searched for.
        closed, opened: the trials without distractors.
        distractors: at least as many as the largest size.
        sizes: numbers of distractors; each larger one contains the smaller ones.
        ranks, fars: as of the figures without distractors.
        kind: of the search for distractors.
    """
    with_record = np.flatnonzero(~people.lost)
    queries = people.values[with_record]
    nearest = np.full((len(people.lost), max(ranks)), np.inf)
    by_size, recalls = {}, {}
    for size, found, share in _growing(distractors, sorted(sizes), queries, max(ranks), kind):
        nearest[with_record] = found.distances
        by_size[str(size)] = {
            "rank": closed_figures(people, _crowded(closed, nearest), ranks, 0, 0)["rank"],
            "dir": open_figures(people, _crowded(opened, nearest), fars, 0, 0).get("dir", {}),
        }
        recalls[str(size)] = share
    figures = {
        "protocol": PROTOCOL,
        "search": kind,
        "sizes": by_size,
        "distances": _distances(people, distractors.rows(0, min(SAMPLED, max(sizes)))),
    }
    if kind in APPROXIMATE:
        figures["recall"] = recalls
        figures["recall_protocol"] = (
            f"share of the {max(ranks)} nearest distractors that the search finds, of at most "
            f"{SAMPLED} pictures; those it misses flatter the figures"
        )
    return figures


def _growing(
    distractors: Distractors,
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
        best = _merged(best, Found(found.distances, np.where(found.rows < 0, -1, found.rows + start)))
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
