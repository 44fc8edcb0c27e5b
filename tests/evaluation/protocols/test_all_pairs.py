import json

import numpy as np
import pytest

from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.options.all_pairs import AllPairsOptions
from facenet_tf.evaluation.protocols.all_pairs import ALL_PAIRS, figures, tables
from facenet_tf.evaluation.protocols.verification import figures as verification_figures

from ..made_up import measured_of, people_vectors

FARS = (0.5, 0.1, 1e-2, 1e-6)


def found_of(vectors, **options):
    config = EvaluateConfig(
        fars=FARS, bootstrap=30, all_pairs=AllPairsOptions(when="always", **options)
    )
    return figures(vectors, measured_of(vectors), config), config


@pytest.mark.parametrize("lost", [(), (0, 7)])
def test_figures_are_those_of_verification(lost):
    vectors = people_vectors(12, 8, spread=0.8, lost=lost, duplicate=(3,))
    found, config = found_of(vectors)
    listed = verification_figures(vectors, measured_of(vectors), config)["unseen_people"]
    for name in ("pairs", "genuine_pairs", "impostor_pairs"):
        assert found[name] == listed[name]
    for name in ("auc", "eer", "d_prime"):
        assert found[name] == pytest.approx(listed[name])
    assert found["tar"] == listed["tar"]
    assert found["curve"]["tar"] == pytest.approx(listed["curve"]["tar"])
    assert found["lost_pictures"] == len(lost)
    json.dumps(found, allow_nan=False)  # a lost picture may leave a threshold at -inf


@pytest.mark.parametrize("lost", [(), (0,)])
def test_intervals_hold_the_figures(lost):
    found, _ = found_of(people_vectors(20, 6, spread=0.8, lost=lost))
    for far, (low, high) in found["bootstrap"]["tar"].items():
        assert low <= found["tar"][far] <= high
    assert set(found["bootstrap"]["tar"]) == {"0.5", "0.1", "0.01"}


def test_few_kept_pairs_carry_low_fars_only():
    found, _ = found_of(people_vectors(20, 6, spread=0.8), nearest=1500)
    assert set(found["bootstrap"]["tar"]) == {"0.1", "0.01"}
    assert "1500 nearest" in found["bootstrap"]["protocol"]
    rows = tables({"all_pairs": found, "config": {"fars": FARS}})[0].rows
    assert [row[4] == "-" for row in rows] == [True, False, False, True]
    assert rows[3][1] == "no figure"
    assert "need 10000000" in rows[3][3]


def test_one_person_who_has_most_pairs_is_told():
    """Nine with a pair each, and one with 91 of the 100."""
    vectors = people_vectors(10, 14, spread=0.8)
    own = np.array([int(key.rpartition("/")[2]) for key in vectors.roster.keys])
    first = vectors.roster.identities == vectors.roster.identities[0]
    few = vectors.where(first | (own % 14 < 2))
    found, _ = found_of(few)
    assert (found["genuine_pairs"], found["largest_share"]) == (100, 0.91)
    assert found["effective_people"] == pytest.approx(100**2 / (91**2 + 9))
    table = tables({"all_pairs": found, "config": {"fars": FARS}})[0]
    assert "91% of the genuine pairs are one person's" in table.note
    assert {row[4] for row in table.rows} == {row[3] for row in table.rows[:2]} == {"-"}


def test_ten_people_with_as_many_pictures_each_have_intervals():
    found, _ = found_of(people_vectors(10, 6, spread=0.8))
    table = tables({"all_pairs": found, "config": {"fars": FARS}})[0]
    assert found["effective_people"] == pytest.approx(10)
    assert "-" not in {row[4] for row in table.rows[:2]} and "one person's" not in table.note


def test_tar_where_people_count_alike_is_the_mean_of_theirs():
    vectors = people_vectors(20, [8] * 15 + [2] * 5, spread=0.8, lost=(3,))
    found, _ = found_of(vectors)
    for far in ("0.1", "0.01"):
        shares, most = [], found["tar_points"][far]["threshold"] * (1 + 1e-12)
        for name in np.unique(vectors.roster.identities):
            rows = vectors.values[vectors.roster.identities == name].astype(float)
            left, right = np.triu_indices(len(rows), 1)
            shares.append(np.mean(np.sum((rows[left] - rows[right]) ** 2, axis=1) <= most))
        assert found["tar_of_people"][far] == pytest.approx(np.mean(shares))
        assert found["tar_of_people"][far] != pytest.approx(found["tar"][far], abs=1e-4)


def test_nobody_twice_gives_no_figures():
    assert "no genuine pair" in found_of(people_vectors(5, 1))[0]["skipped"]


def test_few_pictures_are_left_to_verification():
    vectors = people_vectors()
    assert figures(vectors, measured_of(vectors), EvaluateConfig()) is None
    never = EvaluateConfig(all_pairs=AllPairsOptions(when="never"))
    assert figures(vectors, measured_of(vectors), never) is None
    assert not ALL_PAIRS.for_baselines


def test_many_pictures_are_measured_without_asking(monkeypatch):
    monkeypatch.setattr("facenet_tf.evaluation.measured.MOST_PICTURES_PAIRED", 79)
    vectors = people_vectors(people=4, pictures=20)
    found = figures(vectors, measured_of(vectors), EvaluateConfig(bootstrap=0))
    assert found["pairs"] == 80 * 79 // 2
    assert np.isfinite(found["auc"])
