"""Galleries of enrolled people and their probes, drawn again and again."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from facenet_tf import metrics
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.roster import Vectors


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

    @classmethod
    def of(cls, config: EvaluateConfig) -> Draws:
        """As an evaluation asks for them."""
        asked = config.identification
        return cls(asked.enrolled, asked.unknown, config.draws, config.seed)


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
        """Galleries of everybody: probes are all pictures that are not enrolled."""
        for number in range(draws.count):
            enrolled = self._enrolled(draws, number)
            probes = np.flatnonzero(~enrolled)
            yield Draw(np.flatnonzero(enrolled), probes, np.ones(len(probes), bool))

    def open_draws(self, draws: Draws) -> Iterator[Draw]:
        """Galleries of a part of the people, with the pictures of each as in the closed draws."""
        outside = min(max(1, round(draws.unknown * self.count)), self.count - 1)
        for number in range(draws.count):
            random = np.random.default_rng([draws.seed, number, 1])
            known = np.ones(self.count, bool)
            known[random.permutation(self.count)[:outside]] = False
            in_gallery = self._enrolled(draws, number) & known[self.person]
            probes = np.flatnonzero(~in_gallery)
            yield Draw(np.flatnonzero(in_gallery), probes, known[self.person[probes]])

    def too_few(self, draws: Draws) -> str | None:
        """Why no gallery can be drawn; None if one can."""
        with_record = np.bincount(self.person[~self.lost], minlength=self.count)
        probes = np.bincount(self.person, minlength=self.count) - with_record.clip(
            max=draws.enrolled
        )
        if self.count < 2 or not probes.any():
            return (
                f"{self.count} people with a record, {int(probes.sum())} pictures beside the "
                f"{draws.enrolled} of each to enrol: two people and a picture are needed"
            )
        return None

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


def closed_trials(people: People, draws: Draws) -> list[Trial]:
    """Search the gallery of every closed draw."""
    return [Trial(draw, people.search(draw)) for draw in people.closed_draws(draws)]


def open_trials(people: People, draws: Draws) -> list[Trial]:
    """Search the gallery of every open draw."""
    return [Trial(draw, people.search(draw)) for draw in people.open_draws(draws)]
