"""Labels of lists against the names of the pictures."""

import dataclasses
import logging
from pathlib import Path

import numpy as np
import pytest

from facenet_tf.errors import InputError
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.list_labels import with_checked_labels
from facenet_tf.evaluation.measured import choose_measured
from facenet_tf.evaluation.pair_sets import PairSet
from facenet_tf.evaluation.seen import SeenPeople

from .made_up import people_vectors

SOURCE = Path("lists/mine.txt")


@pytest.fixture
def roster():
    """p0 … p3, each with five pictures in a row."""
    return people_vectors(4, 5).roster


def pairs_of(*rows):
    left, right, genuine = zip(*rows, strict=True)
    return PairSet("list", np.array(left), np.array(right), np.array(genuine, bool))


RIGHT = (0, 1, True), (5, 9, True), (0, 5, False), (4, 19, False)


def test_labels_that_are_those_of_the_names_pass(roster):
    pairs = pairs_of(*RIGHT)
    assert with_checked_labels(pairs, roster, SOURCE) is pairs


@pytest.mark.parametrize(
    ("wrong", "first"),
    [
        ((0, 5, True), r"a genuine pair, p0/000 of p0 and p1/005 of p1"),
        ((6, 7, False), r"an impostor pair, p1/006 of p1 and p1/007 of p1"),
    ],
)
def test_the_first_label_against_the_names_is_told_with_their_number(roster, wrong, first):
    pairs = pairs_of(*RIGHT, wrong, (10, 15, True))
    with pytest.raises(InputError, match=rf"lists.mine\.txt: 2 of 6 labels .*{first}.*: correct"):
        with_checked_labels(pairs, roster, SOURCE)


@pytest.mark.parametrize("names", [["aligned images"] * 20, [f"{row}" for row in range(20)]])
def test_names_that_tell_nobody_apart_are_said_and_the_list_decides(roster, names, caplog):
    nameless = dataclasses.replace(roster, identities=np.array(names))
    pairs = pairs_of(*RIGHT)
    with caplog.at_level(logging.WARNING):
        found = with_checked_labels(pairs, nameless, SOURCE)
    assert found.genuine.tolist() == pairs.genuine.tolist()
    assert "contradict 2 of 4 labels" in found.protocol
    assert "contradict 2 of 4 labels" in caplog.text


def test_a_list_is_checked_before_it_is_measured(roster, tmp_path):
    file = tmp_path / "pairs.txt"
    file.write_text("".join(f"p0/{row:03} p{row}/{5 * row:03} 1\n" for row in range(1, 4)) * 4)
    config = EvaluateConfig(tmp_path, protocol="pairs", pairs=file, list_only=True)
    with pytest.raises(InputError, match=r"12 of 12 labels"):
        choose_measured(config, roster, SeenPeople(frozenset(), "none"))
