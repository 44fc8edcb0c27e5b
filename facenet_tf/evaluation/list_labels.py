"""Whether the labels of a list of pairs are those of the names that the pictures have."""

import dataclasses
import logging
from pathlib import Path

import numpy as np

from facenet_tf.errors import InputError
from facenet_tf.evaluation.pair_sets import PairSet
from facenet_tf.evaluation.roster import Roster

logger = logging.getLogger(__name__)


def with_checked_labels(pairs: PairSet, roster: Roster, source: Path) -> PairSet:
    """The pairs of a list, where a genuine pair is of one name and an impostor pair of two.

    A list for which the pictures have no names, all being in one folder (as CALFW, CPLFW and AgeDB
    come) or each with a name of its own, is measured all the same: its labels decide, and what is
    missing is said. Where names tell people apart, a label against them is a mistake in one of the
    two: columns in another order, 0 and 1 exchanged, or folders that are no people's.

    Args:
        pairs: as the list has them.
        roster: whose rows they are.
        source: the list's file or folder, for messages.

    Raises:
        InputError: names tell the people apart, and a pair is not of the kind that the list says.
    """
    names = roster.identities
    against = pairs.genuine != (names[pairs.left] == names[pairs.right])
    if not against.any():
        return pairs
    rows = np.unique([pairs.left, pairs.right])
    if len(np.unique(names[rows])) in (1, len(rows)):
        told = (
            f"the names of the pictures are no people's and contradict {against.sum()} of "
            f"{len(pairs)} labels: those of the list count, intervals over people say nothing, and "
            "who was seen in training is unknown"
        )
        logger.warning("--pairs %s: %s", source, told)
        return dataclasses.replace(pairs, protocol=f"{pairs.protocol}; {told}")
    first = int(np.argmax(against))
    left, right = pairs.left[first], pairs.right[first]
    kind = "a genuine" if pairs.genuine[first] else "an impostor"
    raise InputError(
        f"--pairs {source}: {int(against.sum())} of {len(pairs)} labels contradict the names of "
        f"the pictures (first: {kind} pair, {roster.keys[left]} of {names[left]} and "
        f"{roster.keys[right]} of {names[right]}): correct the list, or the names, which "
        "--identity-level of build_tfrecords.py takes from other folders"
    )
