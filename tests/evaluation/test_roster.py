import dataclasses
from types import SimpleNamespace

import numpy as np

from facenet_tf.evaluation.roster import (
    NO_RECORD,
    Roster,
    Vectors,
    drawn_people,
    drawn_pictures,
    people_with_most_pictures,
)
from facenet_tf.records.rows import NOT_STORED


def make_roster(identities, lost=(), splits="test"):
    keys = [f"{name}/{number}" for number, name in enumerate(identities)]
    return Roster(
        keys=np.array(keys),
        identities=np.array(identities),
        splits=np.full(len(keys), splits),
        outcomes=np.array(["no_face" if row in lost else "ok" for row in range(len(keys))]),
        records=np.array([NO_RECORD if row in lost else row for row in range(len(keys))]),
        duplicate=np.zeros(len(keys), bool),
    )


def test_of_dataset_lists_every_picture(dataset, world):
    roster = Roster.of(dataset)
    assert len(roster) == world.people * world.pictures
    pairs = list(zip(roster.identities.tolist(), roster.keys.tolist(), strict=True))
    assert pairs == sorted(pairs)
    assert roster.keys[roster.lost].tolist() == [world.lost]
    assert roster.keys[roster.duplicate].tolist() == [world.duplicate]


def test_an_excluded_picture_is_left_out_but_stays_in_published_lists(dataset, world):
    rows = [
        dataclasses.replace(row, outcome="excluded", shard=NOT_STORED)
        if row.path in (world.original, "P0/P0_0001.jpg")
        else row
        for row in dataset.rows
    ]
    stored = [row.path for row in rows if row.stored]
    roster = Roster.of(SimpleNamespace(rows=rows, keys=lambda: stored))
    left_out = {"P0/P0_0001.jpg", world.original}
    assert set(roster.keys[roster.duplicate]) == left_out
    assert set(roster.keys[roster.lost]) == {world.lost, world.duplicate, *left_out}


def test_of_dataset_records_are_those_of_the_keys(dataset, world):
    roster = Roster.of(dataset)
    keys = dataset.keys()
    for key, record in zip(roster.keys, roster.records, strict=True):
        if record != NO_RECORD:
            assert keys[record] == (world.original if key == world.duplicate else key)


def test_of_dataset_splits_are_those_of_the_manifest(dataset):
    roster = Roster.of(dataset)
    split_of = {person["name"]: person["split"] for person in dataset.manifest["identities"]}
    assert [split_of[name] for name in roster.identities] == roster.splits.tolist()


def test_rows_of_keys():
    roster = make_roster(["a", "a", "b"])
    assert roster.rows_of(["b/2", "none", "a/0"]).tolist() == [2, -1, 0]


def test_people_with_most_pictures_counts_lost_ones_and_settles_ties_by_name():
    roster = make_roster(["a"] * 2 + ["b"] * 3 + ["c"] * 2 + ["d"], lost=(2, 3, 4))
    assert people_with_most_pictures(roster, 2) == ["a", "b"]
    assert people_with_most_pictures(roster, 99) == ["a", "b", "c", "d"]


def test_people_are_drawn_whole_up_to_a_number_of_pictures():
    roster = make_roster([name for name in "abcdefgh" for _ in range(3)])
    assert drawn_people(roster, 24, seed=0).tolist() == list("abcdefgh")
    drawn = [tuple(drawn_people(roster, 10, seed=seed)) for seed in range(20)]
    assert {len(set(people)) for people in drawn} == {3}
    assert len(set(drawn)) > 10 and set().union(*drawn) == set("abcdefgh")


def test_who_has_too_many_pictures_is_passed_over():
    roster = make_roster(["a"] * 20 + [name for name in "bcd" for _ in range(3)])
    for seed in range(10):
        assert set(drawn_people(roster, 9, seed=seed)) == set("bcd")


def test_pictures_are_drawn_of_as_many_people_as_possible():
    names = np.array(["a"] * 40 + ["b"] * 20 + ["c"] * 3)
    roster = make_roster(names)
    assert drawn_pictures(roster, 63, seed=0).all()
    draws = [drawn_pictures(roster, 23, seed=seed) for seed in range(10)]
    for drawn in draws:
        assert [int(drawn[names == name].sum()) for name in "abc"] == [10, 10, 3]
    assert np.any(draws, axis=0)[names != "c"].sum() > 45, "not always the same pictures"


def test_where_two_pictures_of_each_are_too_many_people_are_drawn():
    names = np.array([name for name in "abcdefgh" for _ in range(5)] + ["alone"])
    draws = [drawn_pictures(make_roster(names), 7, seed=seed) for seed in range(20)]
    for drawn in draws:
        people, counts = np.unique(names[drawn], return_counts=True)
        assert drawn.sum() == 7 and set(counts[people != "alone"]) == {2}
        assert "alone" in people, "three pairs leave a place"
    assert len(set().union(*(names[drawn] for drawn in draws))) == 9


def test_those_with_one_picture_come_last():
    """They are in no genuine pair."""
    names = np.array([f"alone {n}" for n in range(90)] + [f"p{n % 5}" for n in range(20)])
    for seed in range(10):
        drawn = drawn_pictures(make_roster(names), 30, seed=seed, each=4)
        assert sum(name.startswith("p") for name in names[drawn]) == 20 and drawn.sum() == 30
        drawn = drawn_pictures(make_roster(names), 9, seed=seed, each=4)
        counts = np.unique(names[drawn], return_counts=True)[1]
        assert sorted(counts) == [1, 4, 4]


def test_saved_vectors_leave_lost_pictures_out(tmp_path):
    values = np.array([[1, 0], [np.nan, np.nan], [0, 1]], np.float32)
    Vectors(make_roster(["b", "b", "a"], lost=(1,)), values).save(tmp_path / "e.npz")
    saved = np.load(tmp_path / "e.npz", allow_pickle=False)
    np.testing.assert_array_equal(saved["embeddings"], [[1, 0], [0, 1]])
    assert saved["keys"].tolist() == ["b/0", "a/2"]
    assert saved["labels"].tolist() == [1, 0]
