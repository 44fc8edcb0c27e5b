"""Whom the model saw in training, so that nobody of them is measured as unseen.

Two kinds of people are kept apart. Those who were trained on take no part in anything. Those who
only steered the training (validation people: they chose the best epoch) are no test people either,
but may choose thresholds: the weights were not fitted to their faces.
"""

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np

from facenet_tf.datasets.names import normalized
from facenet_tf.evaluation.roster import SEEN, Roster
from facenet_tf.pretrained.origin import seen_by
from facenet_tf.records.dataset import FaceDataset


@dataclasses.dataclass(frozen=True)
class SeenPeople:
    """Normalised names of the people that trained or steered the run; how that is known."""

    names: frozenset[str]
    source: str
    before: str | None = None
    """Whether the weights of others that the run began with know the dataset's people, in words;
    None: it began with none."""
    steering: frozenset[str] = frozenset()
    """Those of the names that are known to have steered only; nobody ever trained on them."""

    def __contains__(self, name: str) -> bool:
        return normalized(name) in self.names

    @property
    def trained(self) -> frozenset[str]:
        """Those who were trained on, or of whom nobody knows whether they were."""
        return self.names - self.steering

    def steered(self, name: str) -> bool:
        """Whether a person is known to have steered the training, and no more than that."""
        return normalized(name) in self.steering


def seen_people(run: dict[str, Any], dataset: FaceDataset, roster: Roster) -> SeenPeople:
    """Who was seen: as the run recorded it, or the training people of the same dataset.

    Args:
        run: config.json of the run directory.
        dataset: the one evaluated on.
        roster: its pictures.
    """
    record = run.get("dataset", {})
    recorded, before = record.get("seen_people"), record.get("seen_before")
    own = run.get("fingerprint") == dataset.fingerprint
    if recorded is not None:
        names = frozenset(map(normalized, recorded))
        steering = _recorded_steering(record, names, roster, own)
        if before is None:
            return SeenPeople(names, "recorded by the run", steering=steering)
        known = seen_by(before, dataset.manifest["source"], dataset.manifest["name"])
        source = f"recorded by the run; by the weights it began with ({before}): {known}"
        return SeenPeople(names, source, known, steering)
    if own:
        steering = _people_of(roster, "validation")
        names = steering | _people_of(roster, "train")
        source = "the run's dataset is this one: its train and validation people"
        return SeenPeople(names, source, steering=steering)
    return SeenPeople(frozenset(), "unknown: the run was trained on another dataset")


def seen_by_file(name: str, roster: Roster) -> SeenPeople:
    """Whom the splits of a file of embeddings call training people, or seen ones.

    Args:
        name: of the file.
        roster: its pictures.
    """
    names = _people_of(roster, "train") | _people_of(roster, SEEN)
    told = f"the splits of {name}: its people of train and seen"
    return SeenPeople(names, told if names else f"unknown: {name} does not say")


def _recorded_steering(
    record: dict[str, Any], names: frozenset[str], roster: Roster, own: bool
) -> frozenset[str]:
    """Who only steered. A run of before did not tell them apart: on its own dataset the split does,
    on another nobody can."""
    if "steering_people" in record:
        return names & frozenset(map(normalized, record["steering_people"]))
    return names & _people_of(roster, "validation") if own else frozenset()


def _people_of(roster: Roster, split: str) -> frozenset[str]:
    people = np.unique(roster.identities[roster.splits == split])
    return frozenset(normalized(str(name)) for name in people)


def combined(systems: Iterable[SeenPeople]) -> SeenPeople:
    """Whom any of several systems saw; the first one is the one that is measured."""
    first, *others = systems
    names = frozenset().union(first.names, *(each.names for each in others))
    trained = frozenset().union(first.trained, *(each.trained for each in others))
    known = [f"of a system to compare with: {each.source}" for each in others if each.names]
    return SeenPeople(names, "; ".join([first.source, *known]), first.before, names - trained)


def without_seen(roster: Roster, seen: SeenPeople) -> Roster:
    """The roster with every test person that the run saw, and every validation person that it was
    trained on, moved to the split SEEN."""
    hidden_of = {"test": seen.names, "validation": seen.trained}
    people = np.unique(roster.identities)
    splits = roster.splits
    for split, names in hidden_of.items():
        hidden = roster.of_people([name for name in people if normalized(str(name)) in names])
        splits = np.where(hidden & (roster.splits == split), SEEN, splits)
    return dataclasses.replace(roster, splits=splits)
