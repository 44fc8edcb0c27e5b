"""Whom the model saw in training, so that nobody of them is measured as unseen."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np

from facenet_tf.datasets.names import normalized
from facenet_tf.evaluation.roster import Roster
from facenet_tf.pretrained.origin import seen_by
from facenet_tf.records.dataset import FaceDataset

SEEN = "seen"
"""What the split of a seen person becomes where the dataset is not the one of the run."""


@dataclasses.dataclass(frozen=True)
class SeenPeople:
    """Normalised names of the people that trained or steered the run; how that is known."""

    names: frozenset[str]
    source: str
    before: str | None = None
    """Whether the weights of others that the run began with know the dataset's people, in words;
    None: it began with none."""

    def __contains__(self, name: str) -> bool:
        return normalized(name) in self.names


def seen_people(run: dict[str, Any], dataset: FaceDataset, roster: Roster) -> SeenPeople:
    """Who was seen: as the run recorded it, or the training people of the same dataset.

    Args:
        run: config.json of the run directory.
        dataset: the one evaluated on.
        roster: its pictures.
    """
    record = run.get("dataset", {})
    recorded, before = record.get("seen_people"), record.get("seen_before")
    if recorded is not None:
        names = frozenset(map(normalized, recorded))
        if before is None:
            return SeenPeople(names, "recorded by the run")
        known = seen_by(before, dataset.manifest["source"], dataset.manifest["name"])
        source = f"recorded by the run; by the weights it began with ({before}): {known}"
        return SeenPeople(names, source, known)
    if run.get("fingerprint") == dataset.fingerprint:
        steering = np.isin(roster.splits, ("train", "validation"))
        names = frozenset(normalized(str(name)) for name in np.unique(roster.identities[steering]))
        return SeenPeople(names, "the run's dataset is this one: its train and validation people")
    return SeenPeople(frozenset(), "unknown: the run was trained on another dataset")


def combined(systems: Iterable[SeenPeople]) -> SeenPeople:
    """Whom any of several systems saw; the first one is the one that is measured."""
    first, *others = systems
    known = [f"of a system to compare with: {each.source}" for each in others if each.names]
    return SeenPeople(
        frozenset().union(first.names, *(each.names for each in others)),
        "; ".join([first.source, *known]),
        first.before,
    )


def without_seen(roster: Roster, seen: SeenPeople) -> Roster:
    """The roster with every test person that the run saw moved to the split SEEN."""
    people = [str(name) for name in np.unique(roster.identities[roster.splits == "test"])]
    hidden = np.isin(roster.identities, [name for name in people if name in seen])
    splits = np.where(hidden & (roster.splits == "test"), SEEN, roster.splits)
    return dataclasses.replace(roster, splits=splits)
