"""Which people and pairs are measured, as rows of one roster."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from facenet_tf import metrics
from facenet_tf.datasets.lfw import read_pairs
from facenet_tf.datasets.pairs import Pairs
from facenet_tf.errors import InputError
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.pair_sets import PairSet, all_pairs_of_split, listed_pairs
from facenet_tf.evaluation.roster import Roster, people_with_most_pictures
from facenet_tf.evaluation.seen import SeenPeople
from facenet_tf.records.dataset import FaceDataset

FOLDS = 10
LISTS = {
    "lfw_view1": "LFW View 1, pairsDevTest.txt",
    "lfw_view2": "LFW View 2, pairs.txt, image-restricted list, people not seen in training",
}
LIST_FOLDS = {"lfw_view1": 1, "lfw_view2": FOLDS}


@dataclasses.dataclass(frozen=True)
class Measured:
    """What is measured, as rows of one roster.

    Attributes:
        roster: every picture that a figure or the export needs.
        people: names of the unseen people that the SVM tells apart.
        unseen: all pairs of the test people's pictures, if these give any.
        validation: the same of the validation people, who choose thresholds.
        listed: the published list of pairs without those of seen people, if one is asked for.
        folded: the same pairs with the folds they are scored in.
        left_out: how many people of the published list were seen, and so their pairs left out.
        dataset: where the pictures are; None for vectors that came without them.
    """

    roster: Roster
    people: list[str]
    unseen: PairSet | None
    validation: PairSet | None
    listed: PairSet | None
    folded: PairSet | None
    left_out: int
    dataset: FaceDataset | None = None

    @property
    def people_rows(self) -> NDArray[np.bool_]:
        """Pictures of the SVM's people, duplicates left out."""
        return self.roster.of_people(self.people) & ~self.roster.duplicate

    @property
    def test_rows(self) -> NDArray[np.bool_]:
        """Pictures of all test people, duplicates left out."""
        return (self.roster.splits == "test") & ~self.roster.duplicate


def choose_measured(
    config: EvaluateConfig, roster: Roster, seen: SeenPeople, dataset: FaceDataset | None = None
) -> Measured:
    """People and pairs as the config asks for.

    Args:
        config: of the evaluation.
        roster: all pictures, those of seen people not in the split "test".
        seen: whom the model knows.
        dataset: where the pictures are.

    Raises:
        InputError: the dataset has no test people, or not the pictures of the published list.
    """
    pairs = read_published(config)
    asked = {"test": not config.list_only, "validation": True, "train": config.include_training}
    needed = np.isin(roster.splits, [split for split, wanted in asked.items() if wanted])
    if pairs is not None:
        needed |= np.isin(roster.keys, [*pairs.left, *pairs.right])
    roster = roster.where(needed)
    test = roster.where((roster.splits == "test") & ~roster.duplicate)
    if not len(test) and not config.list_only:
        raise InputError(
            f"{config.dataset} has no test people that the run did not see: build it with some"
        )
    listed, folded, left_out = None, None, 0
    if pairs is not None:
        listed, left_out = _without_seen(
            listed_pairs(roster, pairs, LISTS[config.protocol]), roster, seen
        )
        folded = _with_folds(listed, config)
    return Measured(
        roster=roster,
        people=[] if config.list_only else people_with_most_pictures(test, config.unseen_people),
        unseen=None if config.list_only else all_pairs_of_split(roster, "test", config.seed),
        validation=all_pairs_of_split(roster, "validation", config.seed),
        listed=listed,
        folded=folded,
        left_out=left_out,
        dataset=dataset,
    )


def read_published(config: EvaluateConfig) -> Pairs | None:
    """The published list of pairs that the config asks for.

    Raises:
        InputError: the file is missing or damaged, or is another view's list.
    """
    if config.protocol == "none" or config.pairs is None:
        return None
    pairs = read_pairs(config.pairs)
    folds = len(np.unique(pairs.fold))
    if folds != LIST_FOLDS[config.protocol]:
        raise InputError(
            f"--pairs {config.pairs} has {folds} folds, the list of {config.protocol} has "
            f"{LIST_FOLDS[config.protocol]}: give the file of that view"
        )
    return pairs


def _without_seen(pairs: PairSet, roster: Roster, seen: SeenPeople) -> tuple[PairSet, int]:
    people = np.unique(roster.identities[np.concatenate([pairs.left, pairs.right])])
    known = [str(name) for name in people if str(name) in seen]
    if not known:
        return pairs, 0
    hidden = roster.of_people(known)
    kept = pairs.where(~hidden[pairs.left] & ~hidden[pairs.right])
    protocol = (
        f"{pairs.protocol}, minus {len(known)} people seen in training: not comparable with "
        "published figures"
    )
    if not len(kept) or kept.genuine.all() or not kept.genuine.any():
        raise InputError("--protocol: hardly a pair is left without people seen in training")
    return dataclasses.replace(kept, protocol=protocol), len(known)


def _with_folds(listed: PairSet, config: EvaluateConfig) -> PairSet:
    """The pairs in the folds of View 2's list; View 1's list, which has none, cut into some.

    Raises:
        InputError: the pairs do not suffice.
    """
    if config.protocol == "lfw_view1":
        try:
            fold = metrics.contiguous_folds(listed.genuine, FOLDS)
        except ValueError as error:
            raise InputError(f"--pairs {config.pairs}: {error}; give a longer list") from error
        return dataclasses.replace(listed, fold=fold)
    if listed.fold is None or len(np.unique(listed.fold)) < 2:
        raise InputError(
            f"--pairs {config.pairs}: without people seen in training fewer than two folds are "
            "left; give a model that saw fewer of them"
        )
    return listed
