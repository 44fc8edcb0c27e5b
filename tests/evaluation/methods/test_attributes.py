"""Attributes of pictures or people: which group each is in, and what is refused."""

import pytest

from facenet_tf.errors import InputError
from facenet_tf.evaluation.methods import attributes
from facenet_tf.evaluation.methods.attributes import UNKNOWN, read_attributes

from ..made_up import people_vectors


@pytest.fixture
def roster():
    return people_vectors(people=3, pictures=2).roster


@pytest.fixture
def written(tmp_path):
    def write(text):
        (tmp_path / "a.csv").write_text(text)
        return tmp_path / "a.csv"

    return write


def test_people_give_their_group_to_their_pictures(roster, written):
    file = written("identity,sex,glasses\np0,f,no\np1,m,\nother,m,yes\n")
    groups = read_attributes(file, (), roster)
    assert groups["sex"].tolist() == ["f", "f", "m", "m", UNKNOWN, UNKNOWN]
    assert groups["glasses"].tolist() == ["no", "no", *[UNKNOWN] * 4]


def test_pictures_may_have_groups_of_their_own(roster, written):
    file = written("\ufeffkey,light\np0/001,day\np1/002, night \n")
    groups = read_attributes(file, ("light",), roster)
    assert groups["light"].tolist() == [UNKNOWN, "day", "night", UNKNOWN, UNKNOWN, UNKNOWN]


@pytest.mark.parametrize(
    ("text", "columns", "named"),
    [
        ("person,sex\np0,f\n", (), "a column `key`"),
        ("identity,sex\np0,f\n", ("age",), "no column age: its attributes are sex"),
        ("identity\np0\n", (), "its attributes are none"),
        ("identity,sex\np0\n", (), "row 2: 1 cells, the head has 2"),
        ("identity,sex\np0,f\np0,m\n", (), "identity p0 is there more than once"),
        ("identity,sex\nq0,f\n", (), "sex says nothing of these pictures by identity"),
        ("", (), "a column `key`"),
    ],
)
def test_what_cannot_be_meant_is_named(roster, written, text, columns, named):
    with pytest.raises(InputError, match=named):
        read_attributes(written(text), columns, roster)


def test_numbers_without_groups_are_refused(roster, written, monkeypatch):
    monkeypatch.setattr(attributes, "MOST_GROUPS", 2)
    with pytest.raises(InputError, match="age has 3 values: put them into 2 groups"):
        read_attributes(written("identity,age\np0,31\np1,32\np2,33\n"), (), roster)


def test_unreadable_file_is_named(roster, tmp_path):
    with pytest.raises(InputError, match=r"none\.csv: it cannot be read"):
        read_attributes(tmp_path / "none.csv", (), roster)
