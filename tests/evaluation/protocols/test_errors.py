"""The worst errors of made-up people, some of them placed by hand."""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest

from facenet_tf.errors import InputError
from facenet_tf.evaluation import measured as measured_module
from facenet_tf.evaluation import pair_sets
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.options.all_pairs import AllPairsOptions
from facenet_tf.evaluation.options.errors import ErrorsOptions
from facenet_tf.evaluation.pair_sets import all_pairs_of_split
from facenet_tf.evaluation.protocol import Results
from facenet_tf.evaluation.protocols import errors
from facenet_tf.evaluation.roster import Vectors

from ..made_up import people_vectors, thresholds_at


def measured_of(vectors) -> Measured:
    pairs = all_pairs_of_split(vectors.roster, "test", 0)
    people = np.unique(vectors.roster.identities).tolist()
    return Measured(vectors.roster, people, pairs, None, None, None, 0)


def found_in(vectors, worst=3, when="many", **more):
    config = SimpleNamespace(errors=ErrorsOptions(worst), all_pairs=AllPairsOptions(when))
    measured = dataclasses.replace(measured_of(vectors), **more)
    return errors.figures(vectors, measured, config)


def by_hand(vectors, genuine):
    """(distance, keys) of all pairs of a kind, by a loop."""
    roster, rows = vectors.roster, vectors.values.astype(float)
    known = np.flatnonzero(~roster.lost)
    return sorted(
        (((rows[a] - rows[b]) ** 2).sum(), {roster.keys[a], roster.keys[b]})
        for a in known
        for b in known
        if a < b and (roster.identities[a] == roster.identities[b]) == genuine
    )


@pytest.fixture
def vectors() -> Vectors:
    return people_vectors(people=5, pictures=6, spread=0.9, lost=(4,))


def test_the_first_of_each_kind_is_the_worst_of_all(vectors):
    found = found_in(vectors)
    nearest, farthest = by_hand(vectors, genuine=False)[0], by_hand(vectors, genuine=True)[-1]
    for (distance, keys), kind in ((nearest, "false_matches"), (farthest, "false_non_matches")):
        assert found[kind][0]["distance"] == pytest.approx(distance)
        assert set(found[kind][0]["pictures"]) == keys


def test_each_pair_is_of_other_people_and_they_get_better(vectors):
    found = found_in(vectors, worst=4)
    for kind, way in (("false_matches", 1), ("false_non_matches", -1)):
        assert len({tuple(sorted(each["people"])) for each in found[kind]}) == 4
        distances = [way * each["distance"] for each in found[kind]]
        assert distances == sorted(distances)
        for each in found[kind]:
            same = len(set(each["people"])) == 1
            assert each["wrong"] == ((each["distance"] <= found["threshold"]) != same)


def test_the_worst_pairs_of_many_pictures_are_those_of_all(monkeypatch):
    """Of twelve pictures in 90 all pairs are scored; the worst pairs are not among them."""
    monkeypatch.setattr(pair_sets, "MOST_PICTURES_PAIRED", 12)
    monkeypatch.setattr(measured_module, "MOST_PICTURES_PAIRED", 12)
    vectors = people_vectors(people=9, pictures=10, spread=0.9, lost=(4, 40), duplicate=(7,))
    kept = vectors.where(~vectors.roster.duplicate)
    found = found_in(vectors, worst=5, thresholds=thresholds_at(balanced=0.7))
    assert "all pairs of 12 pictures" in found["protocol"]
    assert "those of all test pictures" in found["protocol"]
    assert "those of all" not in found_in(vectors, when="never")["protocol"]
    for kind, genuine in (("false_matches", False), ("false_non_matches", True)):
        pairs = by_hand(kept, genuine)[:: -1 if genuine else 1]
        worst = {}
        for distance, keys in pairs:
            worst.setdefault(frozenset(key.split("/")[0] for key in keys), (distance, keys))
        assert [set(each["pictures"]) for each in found[kind]] == [
            keys for _, keys in list(worst.values())[:5]
        ]


def test_one_person_with_many_far_pairs_does_not_hide_the_others():
    vectors = people_vectors(people=3, pictures=(120, 3, 3), spread=0.9)
    people = [each["people"][0] for each in found_in(vectors)["false_non_matches"]]
    assert sorted(people) == ["p0", "p1", "p2"]


def test_people_are_confused_as_often_as_their_pairs_are_accepted(vectors):
    found = found_in(vectors, worst=100)
    for each in found["confused"]:
        distances = [
            distance
            for distance, keys in by_hand(vectors, genuine=False)
            if {key.split("/")[0] for key in keys} == set(each["people"])
        ]
        assert each["pairs"] == len(distances)
        assert each["accepted"] == np.sum(np.array(distances) <= found["threshold"] + 1e-9)
    shares = [each["accepted"] / each["pairs"] for each in found["confused"]]
    assert shares == sorted(shares, reverse=True)


def test_pairs_are_decided_by_the_threshold_that_others_chose(vectors):
    found = found_in(vectors, worst=100, thresholds=thresholds_at(balanced=0.7))
    assert found["threshold"] == 0.7
    assert "chosen by the dataset's 9 validation people" in found["protocol"]
    for each in found["false_matches"]:
        assert each["wrong"] == (each["distance"] <= 0.7)
    for each in found["false_non_matches"]:
        assert each["wrong"] == (each["distance"] > 0.7)
    accepted = [distance for distance, _ in by_hand(vectors, genuine=False) if distance <= 0.7]
    assert sum(each["accepted"] for each in found["confused"]) == len(accepted)


def test_a_threshold_of_these_very_pairs_is_called_that(vectors):
    found = found_in(vectors)
    assert "picked on the very pairs that it judges" in found["protocol"]
    assert "picked on the very pairs that it judges" in errors.tables({"errors": found})[0].note


def test_a_picture_under_a_wrong_name_is_found():
    vectors = people_vectors(people=4, pictures=8, spread=0.1)
    roster = vectors.roster
    names = roster.identities.copy()
    names[3] = "p2"
    wrong = Vectors(dataclasses.replace(roster, identities=names), vectors.values)
    doubtful = found_in(wrong)["doubtful_names"]
    assert doubtful["doubtful"] == 1
    assert doubtful["worst"][0]["picture"] == roster.keys[3]
    assert doubtful["worst"][0]["nearer_to"] == "p0"


def test_sheets_show_the_listed_pictures(vectors):
    measured, figures = measured_of(vectors), {"errors": found_in(vectors)}
    results = Results(None, measured, {"trained": vectors}, figures)
    matches, non_matches, doubtful = errors.sheets(results)
    for sheet, kind in ((matches, "false_matches"), (non_matches, "false_non_matches")):
        shown = [vectors.roster.keys[list(strip.rows)].tolist() for strip in sheet.strips]
        assert shown == [each["pictures"] for each in figures["errors"][kind]]
    for strip, each in zip(doubtful.strips, figures["errors"]["doubtful_names"]["worst"]):
        names = vectors.roster.identities[list(strip.rows)].tolist()
        assert names == [each["person"]] * 4 + [each["nearer_to"]] * 3
        assert len(set(strip.rows)) == len(strip.rows) == len(strip.captions)


def test_figures_are_json_and_the_same_again(vectors):
    assert json.dumps(found_in(vectors), allow_nan=False) == json.dumps(found_in(vectors))


@pytest.mark.parametrize(
    "alone", [people_vectors(people=1), people_vectors(people=2, pictures=1, lost=(0,))]
)
def test_without_pairs_there_is_a_reason(alone):
    assert "no genuine and impostor pairs" in found_in(alone)["skipped"]


def test_none_are_asked_for(vectors):
    assert found_in(vectors, worst=0) is None
    with pytest.raises(InputError, match=r"--errors\.worst"):
        ErrorsOptions(-1).check()
