import os
from pathlib import Path

import numpy as np
import pytest

from facenet_tf.datasets import lfw
from facenet_tf.errors import InputError

PAIRS = """2\t1
Ann\t1\t2
Bob\t1\tCy\t3
Dan\t4\t5
Eve\t1\tFay_X\t12
"""
DEV = """2
Ann\t1\t2
Bob\t1\t3
Ann\t1\tCy\t3
Dan\t4\tEve\t5
"""


def write(directory, **files):
    for name, text in files.items():
        (directory / f"{name}.txt").write_text(text)
    return directory


class TestPairs:
    def test_folds(self, tmp_path):
        pairs = lfw.read_pairs(write(tmp_path, pairs=PAIRS) / "pairs.txt")
        assert pairs.left == [
            "Ann/Ann_0001.jpg",
            "Bob/Bob_0001.jpg",
            "Dan/Dan_0004.jpg",
            "Eve/Eve_0001.jpg",
        ]
        assert pairs.right == [
            "Ann/Ann_0002.jpg",
            "Cy/Cy_0003.jpg",
            "Dan/Dan_0005.jpg",
            "Fay_X/Fay_X_0012.jpg",
        ]
        np.testing.assert_array_equal(pairs.genuine, [True, False, True, False])
        np.testing.assert_array_equal(pairs.fold, [0, 0, 1, 1])
        assert pairs.fold.dtype == np.int64
        assert len(pairs) == 4

    def test_development_file_is_one_fold(self, tmp_path):
        pairs = lfw.read_pairs(write(tmp_path, pairs=DEV) / "pairs.txt")
        np.testing.assert_array_equal(pairs.genuine, [True, True, False, False])
        np.testing.assert_array_equal(pairs.fold, [0, 0, 0, 0])

    @pytest.mark.parametrize(
        "text",
        ["", "hello\n", "2\nAnn 1 2\n", "2\nAnn 1 2\nAnn 1 3\nAnn 1 2\nBob 1 Cy 2\n", "1\nAnn 1\n"],
    )
    def test_other_file(self, tmp_path, text):
        with pytest.raises(
            InputError, match=r"pairs\.txt(, line 4: LFW's form| is not a pairs file)"
        ):
            lfw.read_pairs(write(tmp_path, pairs=text) / "pairs.txt")

    def test_missing_file(self, tmp_path):
        with pytest.raises(InputError, match=r"pairs\.txt cannot be read"):
            lfw.read_pairs(tmp_path / "pairs.txt")


class TestPeople:
    def test_folds(self, tmp_path):
        path = write(tmp_path, people="2\n2\nAnn\t2\nBob\t1\n1\nCy\t3\n") / "people.txt"
        assert lfw.read_people(path) == [{"Ann": 2, "Bob": 1}, {"Cy": 3}]

    def test_one_set(self, tmp_path):
        path = write(tmp_path, people="2\nAnn\t2\nBob\t1\n") / "people.txt"
        assert lfw.read_people(path) == [{"Ann": 2, "Bob": 1}]

    @pytest.mark.parametrize("text", ["", "2\n", "3\nAnn 1\nBob 1\n", "2\nAnn x\nBob 1\n"])
    def test_other_file(self, tmp_path, text):
        with pytest.raises(InputError, match="not a people file"):
            lfw.read_people(write(tmp_path, people=text) / "people.txt")


class TestViews:
    def test_from_people_files(self, tmp_path):
        write(
            tmp_path,
            peopleDevTrain="2\nAnn\t2\nBob\t1\n",
            peopleDevTest="1\nCy\t1\n",
            people="2\n1\nAnn\t2\n2\nBob\t1\nCy\t1\n",
        )
        assert lfw.view1(tmp_path) == {"Ann": "train", "Bob": "train", "Cy": "test"}
        assert lfw.view2_folds(tmp_path) == {"Ann": 0, "Bob": 1, "Cy": 1}

    def test_from_pairs_files(self, tmp_path):
        """What scikit-learn downloads."""
        write(tmp_path, pairsDevTrain=DEV, pairsDevTest="1\nX 1 2\nX 1 Y 2\n", pairs=PAIRS)
        sides = lfw.view1(tmp_path)
        assert {name for name in sides if sides[name] == "train"} == {
            "Ann",
            "Bob",
            "Cy",
            "Dan",
            "Eve",
        }
        assert {name for name in sides if sides[name] == "test"} == {"X", "Y"}
        folds = {"Ann": 0, "Bob": 0, "Cy": 0, "Dan": 1, "Eve": 1, "Fay_X": 1}
        assert lfw.view2_folds(tmp_path) == folds


def test_protocol_directory(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    assert lfw.protocol_directory(images) is None
    write(tmp_path, pairs=PAIRS)
    assert lfw.protocol_directory(images) == tmp_path
    write(images, pairs=PAIRS)
    assert lfw.protocol_directory(images) == images


def test_missing_files(tmp_path):
    write(tmp_path, pairs=PAIRS, peopleDevTrain="1\nAnn\t2\n")
    assert lfw.missing_files(tmp_path, "lfw_view2") == []
    assert lfw.missing_files(tmp_path, "lfw_view1") == ["peopleDevTest.txt or pairsDevTest.txt"]


class TestScikitLearn:
    def prepared(self, data_home):
        person = data_home / "lfw_home" / "lfw_funneled" / "Ann"
        person.mkdir(parents=True)
        (person / "Ann_0001.jpg").write_bytes(b"x")
        (person.parent / "pairs_01.txt").write_text("not a picture")
        return data_home

    def test_prepared_directory_is_read_without_download(self, tmp_path, monkeypatch):
        monkeypatch.setattr("sklearn.datasets.fetch_lfw_people", None)
        (picture,) = lfw.list_pictures(None, self.prepared(tmp_path)).pictures
        assert (picture.key, picture.identity) == ("Ann/Ann_0001.jpg", "Ann")

    def test_missing_directory_is_downloaded(self, tmp_path, monkeypatch):
        def fetch(data_home, **options):
            assert options["funneled"]
            self.prepared(Path(data_home))

        monkeypatch.setattr("sklearn.datasets.fetch_lfw_people", fetch)
        assert len(lfw.list_pictures(None, tmp_path).pictures) == 1

    def test_failed_download(self, tmp_path, monkeypatch):
        def fetch(**options):
            raise OSError("no network")

        monkeypatch.setattr("sklearn.datasets.fetch_lfw_people", fetch)
        with pytest.raises(InputError, match=r"could not be downloaded.*no network"):
            lfw.list_pictures(None, tmp_path)

    def test_interrupted_unpacking(self, tmp_path):
        self.prepared(tmp_path)
        (tmp_path / "lfw_home" / "lfw-funneled.tgz").write_bytes(b"x")
        with pytest.raises(InputError, match="incomplete"):
            lfw.list_pictures(None, tmp_path)


def test_official_files():
    root = os.environ.get("FACENET_TF_DATA")
    if not root or not Path(root, "lfw").is_dir():
        pytest.skip("FACENET_TF_DATA names no directory with lfw/")
    directory = Path(root, "lfw")
    keys = {picture.key for picture in lfw.list_pictures(directory / "images").pictures}
    assert len(keys) == 13233
    sides, folds = lfw.view1(directory), lfw.view2_folds(directory)
    assert len(sides) == len(folds) == 5749
    assert sum(side == "train" for side in sides.values()) == 4038
    assert set(folds.values()) == set(range(10))
    for name, count, in_fold in [
        ("pairs", 6000, 600),
        ("pairsDevTrain", 2200, 2200),
        ("pairsDevTest", 1000, 1000),
    ]:
        pairs = lfw.read_pairs(directory / f"{name}.txt")
        assert (len(pairs), int(pairs.genuine.sum())) == (count, count // 2)
        assert set(np.bincount(pairs.fold)) == {in_fold}
        assert keys.issuperset(pairs.left + pairs.right)
        people = [key.split("/")[0] for key in pairs.left]
        if name == "pairs":
            assert all(folds[who] == fold for who, fold in zip(people, pairs.fold, strict=True))
        else:
            side = "train" if "Train" in name else "test"
            assert {sides[who] for who in people} == {side}
