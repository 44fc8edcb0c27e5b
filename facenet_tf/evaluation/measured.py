"""Which people and pairs are measured, as rows of one roster."""

import dataclasses
from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from facenet_tf import metrics
from facenet_tf.datasets.pair_lists import read_cfp, read_list
from facenet_tf.datasets.pairs import Pairs
from facenet_tf.datasets.template_lists import Members, read_members
from facenet_tf.errors import InputError
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.fixed_thresholds import FixedThresholds
from facenet_tf.evaluation.list_labels import with_checked_labels
from facenet_tf.evaluation.made import Made
from facenet_tf.evaluation.named_pictures import rows_of_named
from facenet_tf.evaluation.pair_sets import (
    MOST_PICTURES_PAIRED,
    PairSet,
    all_pairs_of_split,
    listed_pairs,
)
from facenet_tf.evaluation.ready_crops import check_takes_crops
from facenet_tf.evaluation.roster import LISTED, Roster, Vectors, people_with_most_pictures
from facenet_tf.evaluation.seen import SeenPeople
from facenet_tf.records.dataset import FaceDataset

FOLDS = 10
CUT = f"{FOLDS} folds, contiguous within genuine and within impostor pairs"
LIST_PROTOCOLS = {
    "lfw_view1": "LFW View 1, pairsDevTest.txt",
    "lfw_view2": "LFW View 2, pairs.txt, image-restricted list, people not seen in training",
    "cfp_ff": "CFP, frontal against frontal",
    "cfp_fp": "CFP, frontal against profile",
    "agedb_30": "AgeDB-30: pictures of a person 30 years apart",
    "calfw": "CALFW, pairs_CALFW.txt: LFW's people at other ages",
    "cplfw": "CPLFW, pairs_CPLFW.txt: LFW's people in other poses",
    "pairs": "a list of pairs",
}
LIST_FOLDS = {"lfw_view1": 1, "lfw_view2": FOLDS}
_OF_CFP: dict[str, Literal["FF", "FP"]] = {"cfp_ff": "FF", "cfp_fp": "FP"}


@dataclasses.dataclass(frozen=True)
class Measured:
    """What is measured, as rows of one roster.

    Attributes:
        roster: every picture that a figure or the export needs.
        people: names of the unseen people that the SVM tells apart.
        unseen: all pairs of the test people's pictures, if these give any.
        validation: the same of the validation people, who choose thresholds.
        steered: those of them who are known to have steered the training.
        seen: names of all people of the roster whom a measured system knows, whatever their split.
        trained_on: normalised names of all whom a measured system was trained on, in any dataset.
        thresholds: what decides pairs, of the vectors that are judged (see `chosen_thresholds`).
        listed: the published list of pairs without those of seen people, if one is asked for.
        folded: the same pairs with the folds they are scored in.
        folds: how these came about.
        members: pictures of the templates, if any are asked for.
        rows_of_members: their rows, in the same order; −1 for one that is not there.
        left_out: how many people of the published list were seen, and so their pairs left out.
        dataset: where the pictures are; None for vectors that came without them.
        quality: scores of the pictures that came with vectors, larger is better, by name.
        made: what made the measured vectors; None where their file does not say.
        compared: vectors of the same pictures by the systems to compare with, by name.
    """

    roster: Roster
    people: list[str]
    unseen: PairSet | None
    validation: PairSet | None
    listed: PairSet | None
    folded: PairSet | None
    left_out: int
    folds: str = ""
    members: Members | None = None
    rows_of_members: NDArray[np.int64] | None = None
    dataset: FaceDataset | None = None
    quality: Mapping[str, NDArray[np.float64]] = dataclasses.field(default_factory=dict)
    made: Made | None = None
    compared: Mapping[str, Vectors] = dataclasses.field(default_factory=dict)
    steered: frozenset[str] = frozenset()
    seen: frozenset[str] = frozenset()
    trained_on: frozenset[str] = frozenset()
    thresholds: FixedThresholds = dataclasses.field(default_factory=FixedThresholds)

    @property
    def people_rows(self) -> NDArray[np.bool_]:
        """Pictures of the SVM's people, duplicates left out."""
        return self.roster.of_people(self.people) & ~self.roster.duplicate

    @property
    def many(self) -> bool:
        """Whether `unseen` holds the pairs of some of the test people only."""
        return int(self.test_rows.sum()) > MOST_PICTURES_PAIRED

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
        InputError: the dataset has no test people, or not the pictures of the published list, or
            names against its labels, or its crops are not those of the files of ready crops.
    """
    if config.bins.files and dataset is not None:
        check_takes_crops(dataset.preprocessing)
    pairs = read_published(config)
    asked = {"test": not config.list_only, "validation": True, "train": config.include_training}
    needed = np.isin(roster.splits, [split for split, wanted in asked.items() if wanted])
    if pairs is not None:
        pairs = _by_its_keys(roster, pairs)
        needed |= np.isin(roster.keys, [*pairs.left, *pairs.right])
    members = read_members(config.templates.members) if config.templates.members else None
    pictures = [] if members is None else _known(roster, members.keys)
    needed |= np.isin(roster.keys, pictures)
    roster = roster.where(needed)
    test = roster.where((roster.splits == "test") & ~roster.duplicate)
    if not len(test) and not config.list_only:
        mend = "build it with some" if config.dataset else "call some `test` in its splits"
        raise InputError(
            f"{config.dataset or config.run} has no test people that the measured systems did not "
            f"see: {mend}"
        )
    listed, folded, left_out, has_folds = None, None, 0, False
    if pairs is not None and config.pairs is not None:
        named = listed_pairs(roster, pairs, LIST_PROTOCOLS[config.protocol], config.pairs)
        checked = with_checked_labels(named, roster, config.pairs)
        listed, left_out = _without_seen(checked, roster, seen)
        roster = _with_judged_apart(roster, listed)
        has_folds = len(np.unique(pairs.fold)) > 1
        folded = _with_folds(listed, config, has_folds)
    return Measured(
        roster=roster,
        people=[] if config.list_only else people_with_most_pictures(test, config.unseen_people),
        unseen=None if config.list_only else all_pairs_of_split(roster, "test", config.seed),
        validation=all_pairs_of_split(roster, "validation", config.seed),
        listed=listed,
        folded=folded,
        left_out=left_out,
        members=members,
        rows_of_members=None if members is None else roster.rows_of(pictures),
        folds="the folds of the list" if has_folds else CUT,
        dataset=dataset,
        steered=_steered(roster, seen),
        seen=frozenset(name for name in map(str, np.unique(roster.identities)) if name in seen),
        trained_on=seen.trained,
    )


def _steered(roster: Roster, seen: SeenPeople) -> frozenset[str]:
    choosing = np.unique(roster.identities[roster.splits == "validation"])
    return frozenset(name for name in map(str, choosing) if seen.steered(name))


def read_published(config: EvaluateConfig) -> Pairs | None:
    """The published list of pairs that the config asks for.

    Raises:
        InputError: the file is missing or damaged, or is another view's list.
    """
    if config.protocol == "none" or config.pairs is None:
        return None
    if config.protocol in _OF_CFP:
        return read_cfp(config.pairs, _OF_CFP[config.protocol])
    pairs = read_list(config.pairs)
    folds = len(np.unique(pairs.fold))
    if folds != LIST_FOLDS.get(config.protocol, folds):
        raise InputError(
            f"--pairs {config.pairs} has {folds} folds, the list of {config.protocol} has "
            f"{LIST_FOLDS[config.protocol]}: give the file of that view"
        )
    return pairs


def _by_its_keys(roster: Roster, pairs: Pairs) -> Pairs:
    """The pairs with the keys that the roster has for the pictures that they name."""
    return dataclasses.replace(
        pairs, left=_known(roster, pairs.left), right=_known(roster, pairs.right)
    )


def _known(roster: Roster, keys: list[str]) -> list[str]:
    rows = rows_of_named(roster, keys)
    return [str(roster.keys[row]) if row >= 0 else key for row, key in zip(rows, keys, strict=True)]


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


def _with_judged_apart(roster: Roster, listed: PairSet) -> Roster:
    """The roster with the list's people out of the validation split: who is judged chooses nothing
    that decides about them."""
    judged = np.unique(roster.identities[np.concatenate([listed.left, listed.right])])
    moved = roster.of_people(judged) & (roster.splits == "validation")
    return dataclasses.replace(roster, splits=np.where(moved, LISTED, roster.splits))


def _with_folds(listed: PairSet, config: EvaluateConfig, has_folds: bool) -> PairSet:
    """The pairs in the folds of their list; those of a list that has none, cut into some.

    Raises:
        InputError: the pairs do not suffice.
    """
    if not has_folds:
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
