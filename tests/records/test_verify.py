"""Damage of every kind, each found and named."""

import hashlib
import json
import shutil

import numpy as np
import pytest

from facenet_tf import cli
from facenet_tf.commands import verify_dataset
from facenet_tf.errors import InputError
from facenet_tf.records import checksums, durable
from facenet_tf.records.builder import build_dataset
from facenet_tf.records.dataset import FaceDataset
from facenet_tf.records.framing import frame, unframe
from facenet_tf.records.layout import LABEL, LENGTH, OFFSET, ROW, SHARD
from facenet_tf.records.verify import Verification
from tests.records.fake_faces import SHY, draw, draw_people, make_detector
from tests.records.test_builder import config_for


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    path = tmp_path_factory.mktemp("built")
    root = draw_people(path / "people", 4, 3)
    draw(root / "person0" / "recovered.png", (SHY, 30, 40, 36))
    draw(root / "person1" / "nobody.png")
    config = config_for(path, root, shards=3, fallback=True)
    return build_dataset(config, make_detector).directory


@pytest.fixture
def copy(built, tmp_path):
    return shutil.copytree(built, tmp_path / "copy")


def problems(directory):
    verification = Verification(directory)
    shards = range(len(verification.shards))
    return [
        *verification.tables(),
        *(problem for number in shards for problem in verification.shard(number)),
    ]


def shard_of(directory, record):
    """Path, offset and length of a record."""
    dataset = FaceDataset.open(directory)
    number, offset, length = (int(value) for value in dataset.index[record, :3])
    return directory / dataset.manifest["shards"][number]["file"], offset, length


def rewrite(directory, name, change):
    """Change a file and make its hash in the manifest fit, as a careful forger would."""
    path = directory / name
    path.write_bytes(change(path.read_bytes()))
    manifest = json.loads((directory / "dataset.json").read_text())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if name in manifest["files"]:
        manifest["files"][name] = digest
    for shard in manifest["shards"]:
        if shard["file"] == name:
            shard["sha256"] = digest
    durable.write_json(directory / "dataset.json", checksums.sealed(manifest))


def save_index(directory, index):
    np.save(directory / "index.npy", index)
    rewrite(directory, "index.npy", bytes)


def test_intact(built):
    assert problems(built) == []


def test_lists_of_other_commands_are_no_damage(copy):
    (copy / "duplicates.csv").write_text("exclude,path,reason\n")
    (copy / "label_issues").mkdir()
    assert problems(copy) == []


@pytest.mark.parametrize("record", [0, 5, 13])
@pytest.mark.parametrize("place", ["head", "payload", "end"])
def test_flipped_byte(copy, record, place):
    path, offset, length = shard_of(copy, record)
    at = {"head": offset + 1, "payload": offset + 12 + length // 2, "end": offset + length + 14}
    data = bytearray(path.read_bytes())
    data[at[place]] ^= 0x10
    path.write_bytes(data)
    digest, damage = problems(copy)
    assert digest == f"{path.name}: its SHA-256 is not the one in the manifest"
    assert damage.startswith(f"{path.name}: record {record} (byte {offset}) is damaged")
    with pytest.raises(InputError, match=rf"{path.name}: record {record} \(byte {offset}\)"):
        FaceDataset.open(copy).read(np.array([record]))


def test_truncated_shard(copy):
    path, offset, _ = shard_of(copy, 13)
    path.write_bytes(path.read_bytes()[: offset + 20])
    digest, damage = problems(copy)
    assert "SHA-256" in digest
    assert damage.startswith(f"{path.name}: record 13 (byte {offset}) is damaged, the file ends")


def test_missing_shard(copy):
    path, _, _ = shard_of(copy, 13)
    path.unlink()
    assert problems(copy) == [f"{path.name}: it cannot be read (No such file or directory)"]


@pytest.mark.parametrize("name", ["index.npy", "images.csv", "recovered.png", "report.html"])
def test_flipped_byte_in_another_file(copy, name):
    data = bytearray((copy / name).read_bytes())
    data[-3] ^= 1
    (copy / name).write_bytes(data)
    assert problems(copy)[0] == f"{name}: its SHA-256 is not the one in the manifest"


def test_flipped_byte_in_the_manifest(copy):
    path = copy / "dataset.json"
    whole = path.read_bytes()
    for at in range(0, len(whole), 61):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        try:
            found = problems(copy)
        except InputError as error:
            found = [str(error)]
        assert found and "dataset" in found[0], (at, whole[at - 9 : at + 9])
    path.write_bytes(whole[:-1])
    with pytest.raises(InputError, match=r"dataset\.json is damaged: it is not as it was written"):
        FaceDataset.open(copy)


def test_manifest_from_before_it_had_a_checksum(copy):
    path = copy / "dataset.json"
    manifest = json.loads(path.read_text())
    del manifest["checksum"]
    durable.write_json(path, manifest)
    (problem,) = problems(copy)
    assert problem.startswith("dataset.json: it has no checksum")
    assert len(FaceDataset.open(copy)) == 14


@pytest.mark.parametrize("name", ["index.npy", "images.csv"])
def test_readers_notice_a_table_that_still_looks_right(copy, name):
    path, number = copy / name, -5
    data = bytearray(path.read_bytes())
    if name == "index.npy":  # of the last record, a label that another person has
        number = -8 * (6 - LABEL)
    data[number] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match=rf"{name} is damaged: its SHA-256"):
        FaceDataset.open(copy).keys()


@pytest.mark.parametrize("column", [SHARD, OFFSET, LENGTH, LABEL, ROW])
def test_index_that_does_not_fit(copy, column):
    index = np.load(copy / "index.npy")
    shard, _, _ = shard_of(copy, 6)
    index[6, column] += 1000
    save_index(copy, index)
    # A wrong length shows where the next record does not begin.
    named = f"record {7 if column == LENGTH else 6} does not fit {shard.name}"
    assert problems(copy) == [f"index.npy: {named}"]
    with pytest.raises(InputError, match=named):
        FaceDataset.open(copy)


def test_index_with_records_left_out(copy):
    save_index(copy, np.load(copy / "index.npy")[:-1])
    assert any("index.npy does not belong to it" in problem for problem in problems(copy))


def test_index_with_other_labels(copy):
    index = np.load(copy / "index.npy")
    index[[0, 13], LABEL] = index[[13, 0], LABEL]
    save_index(copy, index)
    assert problems(copy) == ["index.npy: it does not fit images.csv"]


@pytest.mark.parametrize(
    ("field", "of_record", "of_another"),
    [("identity", b"person", b"parson"), ("path", b".png", b".gif"), ("outcome", b"ok", b"no")],
)
def test_record_that_differs_from_its_row(copy, field, of_record, of_another):
    record = next(n for n, key in enumerate(FaceDataset.open(copy).keys()) if key[-5] == "1")
    path, offset, length = shard_of(copy, record)

    def forge(data):
        end = offset + length + 16
        payload = unframe(data[offset:end]).replace(of_record, of_another)
        return data[:offset] + frame(payload) + data[end:]

    rewrite(copy, path.name, forge)
    (problem,) = problems(copy)
    assert problem.startswith(f"{path.name}: record {record} differs from its row in images.csv: ")
    assert field in problem


def test_row_that_differs_from_its_record(copy):
    rewrite(copy, "images.csv", lambda data: data.replace(b'"0.99000"', b'"0.99100"', 1))
    (problem,) = problems(copy)
    assert problem.endswith("differs from its row in images.csv: confidence")


def test_row_without_its_numbers(copy):
    rewrite(copy, "images.csv", lambda data: data.replace(b'"0.99000"', b'"0.99O00"', 1))
    (problem,) = problems(copy)
    assert problem.endswith("differs from its row in images.csv: confidence")


def test_rows_that_differ_from_the_manifest(copy):
    rewrite(copy, "images.csv", lambda data: data.replace(b'"fallback"', b'"recovered"'))
    assert "images.csv: its outcomes are not those of the manifest" in problems(copy)


class TestCommand:
    def run(self, directory, capsys):
        with pytest.raises(SystemExit) as left:
            cli.run(verify_dataset.main, [str(directory)])
        told = capsys.readouterr()
        return left.value.code, told.out, told.err

    def test_intact(self, built, capsys):
        code, out, _ = self.run(built, capsys)
        assert code == 0
        assert "3 intact shards" in out
        assert "problems" in out.splitlines()[0]

    def test_damaged(self, copy, capsys):
        path, _, _ = shard_of(copy, 6)
        path.write_bytes(path.read_bytes()[:-1])
        code, out, err = self.run(copy, capsys)
        assert code == 2
        assert "2 intact shards" in out
        assert f"{path.name}: its SHA-256" in out
        assert "error: " in err and "problems in 1 of 4 parts" in err

    def test_no_dataset(self, tmp_path, capsys):
        code, out, err = self.run(tmp_path / "nowhere", capsys)
        assert (code, out) == (2, "")
        assert "nowhere does not exist" in err
