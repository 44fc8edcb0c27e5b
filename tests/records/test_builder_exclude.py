"""Builds that leave out what a reviewed list names."""

import pytest

from facenet_tf.errors import InputError
from facenet_tf.records.builder import build_dataset
from facenet_tf.records.config import BuildConfig
from tests.records.fake_faces import draw_people, make_detector


@pytest.fixture
def people(tmp_path):
    root = draw_people(tmp_path / "people", 3, 3)
    # The first picture of person0 is filed under person2 too.
    (root / "person2" / "copy.png").write_bytes((root / "person0" / "0.png").read_bytes())
    return root


def build(tmp_path, people, *listed, output="out"):
    path = tmp_path / f"{output}.csv"
    lines = "".join(f"{verdict},{key},wrong person\n" for verdict, key in listed)
    path.write_text(f"exclude,path,reason\n{lines}")
    config = BuildConfig(people, output=tmp_path / output, workers=1, exclude=(path,))
    return build_dataset(config, make_detector)


def test_an_excluded_picture_is_a_row_with_the_reason(tmp_path, people):
    listed = [("yes", "person1/1.png"), ("no", "person1/2.png")]
    dataset = build(tmp_path, people, *listed)
    (row,) = (row for row in dataset.rows if row.outcome == "excluded")
    assert (row.path, row.detail, row.stored) == ("person1/1.png", "wrong person", False)
    assert len(row.sha256) == 64
    assert dataset.manifest["outcomes"] == {"duplicate": 1, "excluded": 1, "ok": 8}
    assert dataset.outcomes()["person1/2.png"] == "ok"


def test_an_excluded_picture_stands_for_no_other(tmp_path, people):
    outcomes = build(tmp_path, people, ("yes", "person0/0.png")).outcomes()
    assert (outcomes["person0/0.png"], outcomes["person2/copy.png"]) == ("excluded", "ok")


def test_both_of_two_may_be_excluded(tmp_path, people):
    listed = [("yes", "person0/0.png"), ("yes", "person2/copy.png")]
    assert build(tmp_path, people, *listed).manifest["outcomes"] == {"excluded": 2, "ok": 8}


def test_the_list_decides_the_records_not_where_it_lies(tmp_path, people):
    one = build(tmp_path, people, ("yes", "person1/1.png"))
    same = build(tmp_path, people, ("yes", "person1/1.png"), output="same")
    other = build(tmp_path, people, ("yes", "person1/2.png"), output="other")
    assert one.fingerprint == same.fingerprint != other.fingerprint
    assert one.manifest == same.manifest


def test_a_list_of_another_source_is_refused(tmp_path, people):
    with pytest.raises(InputError, match="none of the 1 pictures listed"):
        build(tmp_path, people, ("yes", "somebody/else.png"))


def test_pictures_that_are_gone_are_told(tmp_path, people, caplog):
    dataset = build(tmp_path, people, ("yes", "person1/1.png"), ("yes", "person1/gone.png"))
    assert dataset.manifest["outcomes"]["excluded"] == 1
    assert "person1/gone.png" in caplog.text
