"""Embeddings of others: what is read, what becomes of bad rows, and what is refused."""

import csv
import dataclasses
import itertools

import numpy as np
import pytest

from facenet_tf.errors import InputError
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import choose_measured
from facenet_tf.evaluation.roster import LISTED, SEEN, Vectors
from facenet_tf.evaluation.seen import SeenPeople, without_seen
from facenet_tf.evaluation.systems.vectors_file import read_embeddings, read_vectors, usable_rows

from ..made_up import people_vectors

ROWS = np.array([[3.0, 4.0], [0.0, 2.0], [-1.0, 0.0], [1e-30, 1e-30]])


def npz(path, **arrays):
    given = {"embeddings": ROWS, "identities": np.array(["b", "a", "a", "b"]), **arrays}
    np.savez(path / "v.npz", **{name: each for name, each in given.items() if each is not None})
    return path / "v.npz"


def as_csv(path, text):
    (path / "v.csv").write_text(text)
    return path / "v.csv"


def test_rows_come_sorted_and_of_length_1(tmp_path):
    found = read_vectors(npz(tmp_path, keys=np.array(["z", "y", "x", "w"])))
    roster = found.vectors.roster
    assert roster.keys.tolist() == ["x", "y", "w", "z"]
    assert roster.identities.tolist() == ["a", "a", "b", "b"]
    half = np.sqrt(0.5)
    np.testing.assert_allclose(found.vectors.values, [[-1, 0], [0, 1], [half, half], [0.6, 0.8]])
    assert found.vectors.values.dtype == np.float32
    assert set(roster.splits) == {"test"} and not roster.lost.any()
    assert found.quality is None


def test_labels_stand_for_names_and_numbers_for_keys(tmp_path):
    file = npz(tmp_path, identities=None, labels=np.array([7, 7, 8, 8]), quality=np.arange(4.0))
    found = read_vectors(file)
    assert found.vectors.roster.identities.tolist() == ["7", "7", "8", "8"]
    assert found.vectors.roster.keys.tolist() == ["0", "1", "2", "3"]
    assert found.quality.tolist() == [0, 1, 2, 3]


def test_evaluation_directories_hold_such_a_file(evaluated):
    found = read_vectors(evaluated[0] / "embeddings.npz").vectors
    with np.load(evaluated[0] / "embeddings.npz") as saved:
        order = [saved["keys"].tolist().index(key) for key in found.roster.keys]
        np.testing.assert_allclose(found.values, saved["embeddings"][order], atol=1e-6)
        np.testing.assert_array_equal(found.roster.splits, saved["splits"][order])


def test_every_split_that_an_evaluation_writes_is_read_again(tmp_path):
    """Known people become "seen", validation people of the list of pairs "listed"."""
    splits = ["train", "validation", "validation", "test", "test", "test", "unused"]
    vectors = people_vectors(len(splits), 6)
    roster = dataclasses.replace(vectors.roster, splits=np.repeat(splits, 6))
    keys = roster.keys.reshape(-1, 6)
    genuine = [f"{a} {b} 1" for own in keys[[1, 3, 6]] for a, b in itertools.combinations(own, 2)]
    impostor = [f"{a} {b} 0" for a, b in itertools.product(keys[1], keys[6])]
    (tmp_path / "pairs.txt").write_text("\n".join(genuine + impostor))
    config = EvaluateConfig(
        tmp_path, include_training=True, protocol="pairs", pairs=tmp_path / "pairs.txt"
    )
    seen = SeenPeople(frozenset({"p3"}), "")
    measured = choose_measured(config, without_seen(roster, seen), seen).roster
    by_person = dict(zip(measured.identities.tolist(), measured.splits.tolist(), strict=True))
    assert list(by_person.values()) == [
        "train", LISTED, "validation", SEEN, "test", "test", "unused"
    ]  # fmt: skip
    Vectors(measured, vectors.values).save(tmp_path / "v.npz")
    again = read_vectors(tmp_path / "v.npz").vectors
    for name in ("keys", "identities", "splits"):
        np.testing.assert_array_equal(getattr(again.roster, name), getattr(measured, name))
    np.testing.assert_allclose(again.values, vectors.values, atol=1e-6)


def test_csv_says_the_same(tmp_path):
    keys, people = ["z", "y", "x", "w"], ["b", "a", "a", "b"]
    with (tmp_path / "v.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["key", "e0", "e1", "identity", "quality"])
        writer.writerows([k, *row, who, 1] for k, row, who in zip(keys, ROWS, people, strict=True))
    found, same = read_vectors(tmp_path / "v.csv"), read_vectors(npz(tmp_path, keys=np.array(keys)))
    np.testing.assert_array_equal(found.vectors.values, same.vectors.values)
    np.testing.assert_array_equal(found.vectors.roster.keys, same.vectors.roster.keys)
    assert found.quality.tolist() == [1, 1, 1, 1]


def test_rows_that_are_no_direction_are_lost_pictures(tmp_path):
    rows = ROWS.copy()
    rows[0, 1], rows[1, 0], rows[2] = np.nan, np.inf, 0
    keys = np.array(["nan", "inf", "zero", "good"])
    found = read_vectors(npz(tmp_path, embeddings=rows, keys=keys)).vectors
    outcome = dict(zip(found.roster.keys.tolist(), found.roster.outcomes.tolist(), strict=True))
    assert outcome == {
        "nan": "not_finite",
        "inf": "not_finite",
        "zero": "zero_vector",
        "good": "ok",
    }
    assert found.roster.lost.sum() == 3
    np.testing.assert_array_equal(np.isnan(found.values).all(axis=1), found.roster.lost)


def test_an_empty_cell_is_no_number(tmp_path):
    found = read_vectors(as_csv(tmp_path, "identity,x1,x2\na,1,2\na,,3\nb,1,1\n")).vectors
    assert found.roster.outcomes.tolist() == ["ok", "not_finite", "ok"]


def test_huge_and_tiny_rows_keep_their_direction():
    rows, outcomes = usable_rows(np.array([[1e200, 1e200], [1e-200, 0.0]]))
    np.testing.assert_allclose(rows, [[np.sqrt(0.5)] * 2, [1, 0]], atol=1e-6)
    assert outcomes.tolist() == ["ok", "ok"]


@pytest.mark.parametrize(
    ("arrays", "named"),
    [
        ({"embeddings": ROWS[0]}, r"must be numbers \[pictures, dimension\], not float64 \[2\]"),
        ({"embeddings": ROWS[:, :0]}, r"must be numbers .*\[4, 0\]"),
        ({"embeddings": ROWS.astype(str)}, "must be numbers"),
        ({"embeddings": None}, "no array `embeddings`"),
        ({"identities": None}, "whom each row shows"),
        ({"identities": np.array(["a", "b"])}, "4 embeddings, but `identities` has the shape"),
        ({"identities": np.array(["a", "b", " ", ""])}, r"identities\[2\]: no identity \(2 such"),
        ({"identities": None, "labels": np.array([1, np.nan, 2, 2])}, r"labels\[1\]: no identity"),
        ({"keys": np.array(["x", "y", "x", "z"])}, r"1 keys are there .* \(first: x\)"),
        ({"splits": np.array(["test"] * 3 + ["exam"])}, "no split 'exam'"),
        ({"splits": np.array(["test"] * 3 + ["train"])}, "b is in more than one split"),
        ({"identities": np.array(["a"] * 4)}, "of one person"),
        ({"embeddings": ROWS * np.nan}, "none of the 4 embeddings is finite"),
        ({"identities": np.array([{}, {}, {}, {}])}, "without pickle"),
    ],
)
def test_arrays_that_cannot_be_meant_are_named(tmp_path, arrays, named):
    with pytest.raises(InputError, match=named):
        read_vectors(npz(tmp_path, **arrays))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "whom each row shows"),
        ("identity,e0\n", "no rows below its head"),
        ("e0,e1\n1,2\n", r"the column `identity` is missing \(there are: e0, e1\)$"),
        ("Identity,e0\na,2\n", r"the column `identity` is missing \(there are: Identity, e0\)"),
        ("identity;e0\na;2\n", "missing .*separate columns by commas"),
        ("identity,e0,e1\na,1,2\nb,1\n", "line 3: 2 cells, the head has 3"),
        ("identity,e0,e1\na,1,2\n\nb,1,two\n", "line 4, column e1: 'two' is no number"),
        (f"identity,e0\na,{'w' * 99}\n", "line 2, column e0: 'w{40}…' is no number"),
        ("identity,e0,e0\na,1,2\n", "column e0 is there more than once"),
        ("identity\na\nb\n", "no columns of numbers"),
        ("identity,e0,e1\na,1,2\n\n,3,4\n", "line 4: no identity"),
        (",identity,e0,e1\n0,a,1,2\n", "the column `` is none of key, identity"),
        ("identity,age,e0,e1\na,30,1,2\n", "the column `age` is none of"),
        ("Unnamed: 0,identity,e0,e1\n0,a,1,2\n", "the column `Unnamed: 0` is none of"),
        ("identity,embedding\na,[1]\n", "the column `embedding` is none of"),
    ],
)
def test_tables_that_cannot_be_meant_are_named(tmp_path, text, named):
    with pytest.raises(InputError, match=named):
        read_vectors(as_csv(tmp_path, text))


def test_singular_and_plural_are_one(tmp_path):
    people, splits = ["a", "a", "b", "c"], ["test", "test", "test", "train"]
    singular = npz(tmp_path, identities=None, identity=people, key=[*"wxyz"], split=splits)
    found = read_vectors(singular).vectors.roster
    assert found.keys.tolist() == ["w", "x", "y", "z"]
    assert found.splits.tolist() == splits
    text = "keys,identities,splits,e0\nw,a,test,1\ny,b,test,2\nz,c,train,3\n"
    assert read_vectors(as_csv(tmp_path, text)).vectors.roster.splits.tolist() == splits[1:]


def test_an_identity_goes_before_a_label(tmp_path):
    found = read_vectors(as_csv(tmp_path, "label,identity,e0\n0,ann,1\n1,bob,2\n"))
    assert found.vectors.roster.identities.tolist() == ["ann", "bob"]
    assert found.vectors.values.shape == (2, 1)


def test_what_was_taken_is_said(tmp_path, caplog):
    caplog.set_level("INFO")
    read_vectors(npz(tmp_path, ages=np.arange(4)))
    assert "4 embeddings of 2 numbers (embeddings); identity: identities; not used: ages" in (
        caplog.text
    )
    assert "has no keys: its rows are matched with other files by their place" in caplog.text
    read_vectors(as_csv(tmp_path, "key,0,1,label,identity\nx,1,2,0,a\ny,1,3,1,b\n"))
    assert "(columns 0 … 1); key: key, identity: identity; not used: label" in caplog.text


def test_strangers_need_no_names(tmp_path):
    assert read_embeddings(npz(tmp_path, identities=None))[1] is None
    assert read_embeddings(as_csv(tmp_path, "identity,e0\n,1\nb,1\n"))[1].tolist() == ["", "b"]


def test_a_bare_array_is_no_npz(tmp_path):
    np.save(tmp_path / "v.npy", ROWS)
    (tmp_path / "v.npy").rename(tmp_path / "v.npz")
    with pytest.raises(InputError, match=r"v\.npz is a bare array: write it with np\.savez"):
        read_vectors(tmp_path / "v.npz")


def test_what_is_no_file_of_its_kind_is_named(tmp_path):
    for name in ("v.npz", "v.csv"):
        (tmp_path / name).write_bytes(b"\xff\xfe\x00 no such thing")
        with pytest.raises(InputError, match=rf"{name}.*cannot be read"):
            read_vectors(tmp_path / name)
