"""Identification: whom of an enrolled gallery does a picture show, and is it any of them?

Closed set: everybody is enrolled by a few pictures, all others are probes. Open set: some people are
kept out of the gallery, and a threshold must turn their probes away. Both over repeated draws of
who and what is enrolled.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facenet_tf import metrics
from facenet_tf.evaluation.roster import Vectors
from facenet_tf.metrics.roc import MINIMUM_FALSE_ACCEPTS

CURVE = 50
"""Ranks of the curve of matches; more are of no use to anybody."""

PROTOCOL = (
    "people of the test split; in every draw some pictures of each person that have a record are "
    "enrolled, at random; a person is as far away as the nearest enrolled picture; of two people "
    "equally far away the wrong one counts as nearer; a probe without a record is an error at "
    "every rank, and where unknown a false alarm at every threshold; mean and sample deviation over "
    "the draws; intervals: people drawn with replacement, 95 % percentiles, of the mean over the "
    "draws, galleries as they are"
)
CLOSED = (
    "all people are enrolled, those with no more pictures than that too, who are nobody's probe but "
    "can be mistaken for others"
)
OPEN = (
    "in every draw a share of the people, at random, is kept out of the gallery, all their pictures "
    "are unknown probes; DIR: share of the known probes whose own person is nearest and within the "
    "threshold; FAR: share of the unknown probes that have anybody within it; threshold: the "
    "greatest whose FAR on the draw's own unknown probes is not above the asked one"
)
AVERAGE_PRECISION = (
    "every picture asks for the others of its person among all pictures; precision at each of them, "
    "averaged over them (0 for those without a record), then over the pictures; of equally near "
    "pictures those of others come first; mean over all that have something to find"
)


@dataclasses.dataclass(frozen=True)
class Draws:
    """How galleries are drawn.

    Attributes:
        enrolled: pictures of each person in the gallery.
        unknown: share of the people kept out of it in the open set, in (0, 1).
        count: how many draws, >= 2.
        seed: of all of them.
    """

    enrolled: int = 1
    unknown: float = 0.5
    count: int = 20
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class Draw:
    """One gallery and its probes, as rows of the pictures.

    Attributes:
        gallery: int64 [G].
        probes: int64 [P].
        known: bool [P], whether a probe's person is in the gallery.
    """

    gallery: NDArray[np.int64]
    probes: NDArray[np.int64]
    known: NDArray[np.bool_]


class People:
    """Pictures of people who can be enrolled: everybody with a record.

    Args:
        vectors: of the test people, duplicates left out.

    Attributes:
        values: float32 [N, D]; a row of NaN without a record.
        person: int64 [N], numbered from 0.
        count: how many people.
        lost: bool [N], without a record.
        left_out: how many people have no record at all.
    """

    def __init__(self, vectors: Vectors) -> None:
        roster = vectors.roster
        able = np.unique(roster.identities[~roster.lost])
        kept = vectors.where(roster.of_people(able))
        self.values = kept.values
        self.person = np.unique(kept.roster.identities, return_inverse=True)[1].astype(np.int64)
        self.lost = kept.roster.lost
        self.count = len(able)
        self.left_out = len(np.unique(roster.identities)) - len(able)

    def closed_draws(self, draws: Draws) -> Iterator[Draw]:
        """Galleries of everybody."""
        for number in range(draws.count):
            enrolled = self._enrolled(draws, number)
            probes = np.flatnonzero(~enrolled)
            yield Draw(np.flatnonzero(enrolled), probes, np.ones(len(probes), bool))

    def open_draws(self, draws: Draws) -> Iterator[Draw]:
        """Galleries of a part of the people, with the same pictures of each as in the closed set."""
        outside = round(draws.unknown * self.count)
        for number in range(draws.count):
            random = np.random.default_rng([draws.seed, number, 1])
            known = np.ones(self.count, bool)
            known[random.permutation(self.count)[:outside]] = False
            in_gallery = self._enrolled(draws, number) & known[self.person]
            probes = np.flatnonzero(~in_gallery)
            yield Draw(np.flatnonzero(in_gallery), probes, known[self.person[probes]])

    def _enrolled(self, draws: Draws, number: int) -> NDArray[np.bool_]:
        enrolled = np.zeros(len(self.person), bool)
        with_record = np.flatnonzero(~self.lost)
        places = metrics.places_among_own(
            self.person[with_record], np.random.default_rng([draws.seed, number])
        )
        enrolled[with_record] = places < draws.enrolled
        return enrolled

    def search(self, draw: Draw) -> metrics.Searched:
        """Every probe of a draw against its gallery."""
        return metrics.search_gallery(
            self.values[draw.gallery],
            self.person[draw.gallery],
            self.values[draw.probes],
            self.person[draw.probes],
        )


@dataclasses.dataclass(frozen=True)
class Trial:
    """A draw with what its search came to."""

    draw: Draw
    found: metrics.Searched

    def only(self, chosen: NDArray[np.bool_]) -> Trial:
        """The same gallery and some of the probes."""
        draw = Draw(self.draw.gallery, self.draw.probes[chosen], self.draw.known[chosen])
        return Trial(draw, self.found.where(chosen))


def trials(people: People, draws: Iterator[Draw]) -> list[Trial]:
    """Search every draw."""
    return [Trial(draw, people.search(draw)) for draw in draws]


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
    intervals = _intervals(
        people.count, lambda times: curves(times).mean(axis=0)[places].tolist(), bootstrap, seed
    )
    return {
        "protocol": CLOSED,
        "people": people.count,
        "probes": len(tried[0].draw.probes),
        "lost_probes": int(people.lost[tried[0].draw.probes].sum()),
        "cmc": of_draws.mean(axis=0)[: min(CURVE, people.count)].tolist(),
        "rank": {
            str(rank): {**_spread(of_draws[:, rank - 1]), "interval": interval}
            for rank, interval in zip(ranks, intervals or [None] * len(ranks))
        },
    }


def open_figures(
    people: People, tried: list[Trial], fars: tuple[float, ...], bootstrap: int, seed: int
) -> dict[str, Any]:
    """DIR at each FAR that the fewest unknown probes of a draw carry; the others say why not."""
    unknown = [int((~trial.draw.known).sum()) for trial in tried]
    known = [int(trial.draw.known.sum()) for trial in tried]
    figures: dict[str, Any] = {
        "protocol": OPEN,
        "gallery_people": len(np.unique(people.person[tried[0].draw.gallery])),
        "known_probes": float(np.mean(known)),
        "unknown_probes": {"mean": float(np.mean(unknown)), "least": min(unknown)},
    }
    if not min(known) or not min(unknown):
        return {**figures, "skipped": "a draw has no known or no unknown probes"}
    carried = [far for far in fars if metrics.supports_far(min(unknown), far)]
    figures["dir"] = {str(far): _too_few(min(unknown), far) for far in fars}
    figures["dir"] |= _detection(people, tried, carried, bootstrap, seed)
    lost = [people.lost[trial.draw.probes] for trial in tried]
    if any(flags.any() for flags in lost):
        found = [trial.only(~flags) for trial, flags in zip(tried, lost)]
        figures["without_lost"] = {
            "protocol": "only probes that have a record",
            "dir": _detection(people, found, carried, 0, seed),
        }
    return figures


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

    intervals = _intervals(
        people.count,
        lambda times: [float(np.mean([point.tar for point in row])) for row in points(times)],
        bootstrap if fars else 0,
        seed,
    )
    figures = {}
    for far, row, interval in zip(fars, points(), intervals or [None] * len(fars)):
        thresholds = [point.threshold for point in row if np.isfinite(point.threshold)]
        figures[str(far)] = {
            **_spread(np.array([point.tar for point in row])),
            "interval": interval,
            "far": float(np.mean([point.far for point in row])),
            "threshold": float(np.mean(thresholds)) if thresholds else None,
        }
    return figures


def average_precision_figures(people: People, bootstrap: int, seed: int) -> dict[str, Any]:
    """Mean average precision over all pictures with something to find."""
    precisions = metrics.average_precisions(people.values, people.person)
    asked = ~np.isnan(precisions)
    figures: dict[str, Any] = {"protocol": AVERAGE_PRECISION, "queries": int(asked.sum())}
    if not asked.any():
        return {**figures, "skipped": "nobody has two pictures", "mean": None}
    found, whose = precisions[asked], people.person[asked]

    def mean(times: NDArray[np.float64]) -> list[float]:
        weights = times[whose]
        if not weights.any():
            raise ValueError("the draw has no queries")
        return [float(np.average(found, weights=weights))]

    intervals = _intervals(people.count, mean, bootstrap, seed)
    return {**figures, "mean": float(found.mean()), "interval": intervals and intervals[0]}


def _intervals(people: int, statistic: Any, bootstrap: int, seed: int) -> list[list[float]] | None:
    """None where none are asked for, or too few people give none."""
    if not bootstrap:
        return None
    try:
        return metrics.people_intervals(
            people, statistic, replicates=bootstrap, seed=seed
        ).tolist()
    except ValueError:
        return None


def _spread(values: NDArray[np.float64]) -> dict[str, float]:
    return {"mean": float(values.mean()), "std": float(values.std(ddof=1))}


def _too_few(unknown: int, far: float) -> dict[str, Any]:
    needed = int(np.ceil(MINIMUM_FALSE_ACCEPTS / far))
    reason = (
        f"{unknown} unknown probes; {MINIMUM_FALSE_ACCEPTS} expected false alarms need {needed}"
    )
    return {"mean": None, "skipped": reason}
