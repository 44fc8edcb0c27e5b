import json
import shutil

import numpy as np
import pytest

from facenet_tf.errors import InputError
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.records.builder import build_dataset
from facenet_tf.records.config import BuildConfig
from facenet_tf.records.dataset import FaceDataset
from tests.records.fake_faces import draw_people, make_detector


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("built")
    root = draw_people(tmp_path / "people", 6, 3)
    config = BuildConfig(
        root,
        output=tmp_path / "out",
        workers=1,
        shards=3,
        test_people=2,
        validation_people=1,
        preprocessing=Preprocessing(size=48, color="grey"),
    )
    return build_dataset(config, make_detector).directory


@pytest.fixture
def copy(built, tmp_path):
    return shutil.copytree(built, tmp_path / "copy")


def test_opens_what_was_built(built):
    dataset = FaceDataset.open(str(built))
    assert len(dataset) == 18
    assert dataset.preprocessing == Preprocessing(size=48, color="grey")
    assert dataset.class_names == [f"person{n}" for n in range(6)]
    assert dataset.fingerprint == dataset.manifest["fingerprint"]
    assert dataset.index.dtype == dataset.labels.dtype == np.int64
    assert isinstance(dataset.index, np.memmap)
    places = [tuple(line) for line in dataset.index[:, :2]]
    assert places == sorted(places)
    assert sorted(dataset.sources) == list(range(18))
    assert set(dataset.outcomes().values()) == {"ok"}


def test_splits_are_of_identities(built):
    dataset = FaceDataset.open(built)
    names = {
        split: {dataset.class_names[label] for label in dataset.labels[dataset.split(split)]}
        for split in ("train", "validation", "test", "unused")
    }
    assert names["train"] == {"person0", "person1", "person2"}
    assert names["validation"] == {"person3"}
    assert names["test"] == {"person4", "person5"}
    assert names["unused"] == set()
    np.testing.assert_array_equal(dataset.split("all"), np.arange(18))
    parts = [dataset.split(split) for split in names]
    assert all((np.diff(part) > 0).all() for part in parts)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(18))


def test_reads_in_the_order_asked_for(built):
    dataset = FaceDataset.open(built)
    keys = dataset.keys()
    wanted = np.array([17, 0, 5, 5, 9])
    for number, payload in zip(wanted, dataset.read(wanted), strict=True):
        assert keys[number].encode() in payload
        assert f"person{dataset.labels[number]}".encode() in payload
    assert dataset.read(np.array([], np.int64)) == []


def test_no_such_record(built):
    with pytest.raises(IndexError):
        FaceDataset.open(built).read(np.array([18]))


class TestDamage:
    def test_flipped_bit_names_shard_and_record(self, copy):
        dataset = FaceDataset.open(copy)
        record = int(np.flatnonzero(dataset.index[:, 0] == 1)[1])
        _, offset, length = dataset.index[record, :3]
        path = copy / dataset.manifest["shards"][1]["file"]
        data = bytearray(path.read_bytes())
        data[offset + 12 + length // 2] ^= 1
        path.write_bytes(data)
        with pytest.raises(InputError, match=rf"{path.name}: record {record} .*byte {offset}"):
            dataset.read(np.array([0, record]))
        assert len(dataset.read(np.array([0, record - 1, 17]))) == 3

    def test_cut_shard(self, copy):
        path = copy / "shard-00002-of-00003.tfrecord"
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(
            InputError, match=r"shard-00002-of-00003\.tfrecord is missing or incomplete"
        ):
            FaceDataset.open(copy)

    def test_shard_that_vanishes(self, copy):
        dataset = FaceDataset.open(copy)
        (copy / dataset.manifest["shards"][0]["file"]).unlink()
        with pytest.raises(InputError, match=r"shard-00000-of-00003\.tfrecord cannot be read"):
            dataset.read(np.array([0]))

    def test_index_of_another_dataset(self, copy):
        np.save(copy / "index.npy", np.zeros((3, 6), np.int64))
        with pytest.raises(InputError, match=r"index\.npy does not belong"):
            FaceDataset.open(copy)

    @pytest.mark.parametrize("name", ["index.npy", "dataset.json"])
    def test_unreadable_file(self, copy, name):
        (copy / name).write_bytes(b"nonsense")
        with pytest.raises(InputError, match=f"{name} cannot be read"):
            FaceDataset.open(copy)

    def test_unreadable_rows(self, copy):
        (copy / "images.csv").write_text("nonsense")
        with pytest.raises(InputError, match=r"images\.csv cannot be read"):
            FaceDataset.open(copy).keys()


def test_missing_directory(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        FaceDataset.open(tmp_path / "nowhere")


def test_unfinished_directory(tmp_path):
    with pytest.raises(InputError, match=r"has no dataset\.json"):
        FaceDataset.open(tmp_path)


def test_other_format(copy):
    manifest = json.loads((copy / "dataset.json").read_text())
    (copy / "dataset.json").write_text(json.dumps({**manifest, "format": 99}))
    with pytest.raises(InputError, match="format 99"):
        FaceDataset.open(copy)
