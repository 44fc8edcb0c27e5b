import dataclasses
import errno
import json
import os
import re
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from benchmarks.disturbed import contents
from facenet_tf.detection import recovery
from facenet_tf.errors import InputError
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.quality import pose
from facenet_tf.records.builder import build_dataset
from facenet_tf.records.config import BuildConfig
from facenet_tf.records.schema import FEATURES, parse
from tests.records.fake_faces import (
    FACE,
    SHY,
    SWAPPED,
    SquareDetector,
    draw,
    draw_people,
    make_detector,
    make_other_detector,
)


def config_for(tmp_path, root, output="out", **options):
    return BuildConfig(root, output=tmp_path / output, **{"workers": 1, **options})


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    """One picture for every outcome."""
    root = tmp_path_factory.mktemp("zoo")
    draw(root / "ann" / "ok.png", (FACE, 30, 40, 48))
    draw(root / "ann" / "recovered.png", (SHY, 30, 40, 36))
    draw(root / "ann" / "no_face.png")
    draw(root / "ann" / "several_faces.png", (FACE, 2, 2, 30), (FACE, 60, 50, 30))
    draw(root / "ann" / "too_small.png", (FACE, 30, 40, 9))
    draw(root / "bob" / "bad_landmarks.png", (SWAPPED, 30, 40, 48))
    draw(root / "bob" / "ok.png", (FACE, 30, 40, 48), seed=1)
    (root / "bob" / "not_an_image.jpg").write_text("no picture at all")
    whole = (root / "bob" / "ok.png").read_bytes()
    (root / "bob" / "unreadable.png").write_bytes(whole[: len(whole) // 2])
    (root / "bob" / "z_duplicate.png").write_bytes(whole)
    (root / "cy").mkdir()
    (root / "cy" / "duplicate.png").write_bytes(whole)
    (root / "cy" / "gone.png").symlink_to(root / "nowhere.png")
    return root


def test_every_outcome(zoo, tmp_path):
    dataset = build_dataset(config_for(tmp_path, zoo, face="refuse"), make_detector)
    expected = {
        "ann/no_face.png": "no_face",
        "ann/ok.png": "ok",
        "ann/recovered.png": "recovered",
        "ann/several_faces.png": "several_faces",
        "ann/too_small.png": "too_small",
        "bob/bad_landmarks.png": "bad_landmarks",
        "bob/not_an_image.jpg": "not_an_image",
        "bob/ok.png": "ok",
        "bob/unreadable.png": "unreadable",
        "bob/z_duplicate.png": "duplicate",
        "cy/duplicate.png": "duplicate",
        "cy/gone.png": "unreadable",
    }
    assert dataset.outcomes() == expected
    assert sum(dataset.manifest["outcomes"].values()) == dataset.manifest["pictures"] == 12
    assert sorted(dataset.keys()) == ["ann/ok.png", "ann/recovered.png", "bob/ok.png"]
    details = {row.path: row.detail for row in dataset.rows}
    assert details["bob/z_duplicate.png"] == "bob/ok.png"
    assert details["cy/duplicate.png"] == "bob/ok.png, under another identity: bob"
    assert details["cy/gone.png"] == "No such file or directory"
    assert all(
        details[key] for key in expected if expected[key] not in ("ok", "recovered", "no_face")
    )
    assert sum(dataset.manifest["rungs"].values()) == 1
    people = {person["name"]: person for person in dataset.manifest["identities"]}
    assert (people["cy"]["pictures"], people["cy"]["records"]) == (2, 0)
    assert dataset.manifest["singletons"] == 1  # bob


def test_the_recovery_is_part_of_what_decides_the_records(zoo, tmp_path, monkeypatch):
    dataset = build_dataset(config_for(tmp_path, zoo), make_detector)
    assert {rung["name"] for rung in dataset.manifest["recovery"]["ladder"]} >= {"border"}
    monkeypatch.setattr(recovery, "MIN_SHARE", 0.3)
    stricter = build_dataset(config_for(tmp_path, zoo, output="stricter"), make_detector)
    assert stricter.fingerprint != dataset.fingerprint
    without = build_dataset(config_for(tmp_path, zoo, output="no", recover=False), make_detector)
    assert without.manifest["recovery"] is None


def test_fallback_and_kept_duplicates(zoo, tmp_path):
    config = config_for(tmp_path, zoo, fallback=True, duplicates="keep")
    dataset = build_dataset(config, make_detector)
    outcomes = dataset.manifest["outcomes"]
    assert outcomes == {"fallback": 3, "not_an_image": 1, "ok": 5, "recovered": 1, "unreadable": 2}
    same = [n for n, key in enumerate(dataset.keys()) if key in SAME_BYTES]
    assert len(same) == 3
    assert len(set(dataset.sources[same])) == 1
    assert len(set(dataset.sources)) == len(dataset) - 2
    assert len(set(dataset.labels[same])) == 2


SAME_BYTES = {"bob/ok.png", "bob/z_duplicate.png", "cy/duplicate.png"}


def test_att_marks_repaired_pictures(tmp_path):
    def portrait(person, number, damaged):
        levels = np.random.default_rng([person, number]).integers(14, 256, 112 * 92, np.uint8)
        levels[5000:5002] = 13, 10
        data = b"P5\n92 112\n255\n" + levels.tobytes()
        if damaged:  # line ends converted, where there is none already
            data = b"P5\r\n92 112\r\n255\r\n" + levels.tobytes()
        target = tmp_path / "att" / f"s{person}" / f"{number}.pgm"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    for person in (1, 2):
        for number in (1, 2):
            portrait(person, number, damaged=(person, number) == (1, 2))
    config = config_for(tmp_path, tmp_path / "att", source="att", test_people=0)
    dataset = build_dataset(config, AlwaysThere)
    assert dataset.outcomes() == {
        "s1/1.pgm": "ok",
        "s1/2.pgm": "repaired",
        "s2/1.pgm": "ok",
        "s2/2.pgm": "ok",
    }
    assert dataset.manifest["variant"] == "att (given directory)"


class AlwaysThere(SquareDetector):
    """Finds a face in every picture."""

    def __init__(self, config):
        super().__init__()

    def detect(self, images):
        black = [np.zeros_like(image) for image in images]
        for image in black:
            image[20:60, 20:60] = FACE
        return super().detect(black)


def test_records_are_what_tensorflow_reads(tmp_path):
    root = draw_people(tmp_path / "people")
    config = config_for(
        tmp_path, root, encoding="png", preprocessing=Preprocessing(size=64), shards=3
    )
    dataset = build_dataset(config, make_detector)
    files = [str(dataset.directory / shard["file"]) for shard in dataset.manifest["shards"]]
    payloads = list(tf.data.TFRecordDataset(files).as_numpy_iterator())
    assert payloads == dataset.read(dataset.split("all"))
    keys = dataset.keys()
    rows = {row.path: row for row in dataset.rows}
    for number, payload in enumerate(payloads):
        record = tf.io.parse_single_example(payload, FEATURES)
        row = rows[keys[number]]
        assert record["image/path"].numpy().decode() == row.path
        assert record["image/label"].numpy() == dataset.labels[number] == row.label
        assert record["image/identity"].numpy().decode() == dataset.class_names[row.label]
        assert record["image/sha256"].numpy().decode() == row.sha256
        assert record["image/outcome"].numpy().decode() == row.outcome == "ok"
        assert tf.io.decode_png(record["image/encoded"]).shape == (64, 64, 3)
        box = [float(value) for value in row.box.split()]
        np.testing.assert_allclose(record["face/box"], box, atol=1e-3)
        # The transform takes the landmarks to the template.
        points = record["face/landmarks"].numpy().reshape(5, 2)
        matrix = record["face/transform"].numpy().reshape(2, 3)
        found = points @ matrix[:, :2].T + matrix[:, 2]
        np.testing.assert_allclose(found, config.preprocessing.template(), atol=1)


@pytest.fixture(scope="module")
def reference(zoo, tmp_path_factory):
    config = config_for(tmp_path_factory.mktemp("reference"), zoo, shards=4)
    return contents(build_dataset(config, make_detector).directory)


class TestSameBytes:
    def test_whatever_the_number_of_workers(self, zoo, tmp_path, reference):
        config = config_for(tmp_path, zoo, workers=2, shards=4)
        assert contents(build_dataset(config, make_detector).directory) == reference

    def test_when_overwritten(self, zoo, tmp_path, reference):
        config = config_for(tmp_path, zoo, shards=4)
        build_dataset(dataclasses.replace(config, quality=50, shards=2), make_detector)
        config = dataclasses.replace(config, overwrite=True)
        assert contents(build_dataset(config, make_detector).directory) == reference

    @pytest.mark.parametrize("finished", [0, 1, 3])
    def test_when_continued(self, zoo, tmp_path, reference, finished, monkeypatch):
        config = config_for(tmp_path, zoo, shards=4)
        interrupt(monkeypatch, config, finished)
        assert not (config.output / "dataset.json").exists()
        assert len(list(config.output.rglob("dataset/shard-*"))) == finished
        assert contents(build_dataset(config, make_detector).directory) == reference

    def test_when_continued_with_another_detector(self, zoo, tmp_path, reference, monkeypatch):
        config = config_for(tmp_path, zoo, shards=4)
        interrupt(monkeypatch, config, 2, make_other_detector)
        assert contents(build_dataset(config, make_detector).directory) == reference

    def test_names_no_host_and_no_directory(self, zoo, tmp_path, reference):
        host = re.compile(rb"\b" + re.escape(os.uname().nodename.encode()) + rb"\b")
        for name, data in reference.items():
            said = re.sub(rb"base64,[^\"]*", b"", data) if name.endswith(".html") else data
            assert str(zoo).encode() not in said, name
            assert name.endswith((".tfrecord", ".png", ".npy")) or not host.search(said), name


def interrupt(monkeypatch, config, after, detector=make_detector):
    """Build until so many shards are finished, and be interrupted in the next."""
    from facenet_tf.records.shard import ShardWriter

    write, written = ShardWriter.write, []

    def write_some(self, task):
        shard = write(self, task)
        written.append(task)
        if len(written) > after:
            raise KeyboardInterrupt
        return shard

    with monkeypatch.context() as patch:
        patch.setattr(ShardWriter, "write", write_some)
        with pytest.raises(KeyboardInterrupt):
            build_dataset(config, detector)


def test_continuing_does_not_repeat_finished_shards(zoo, tmp_path, monkeypatch):
    config = config_for(tmp_path, zoo, shards=4)
    interrupt(monkeypatch, config, 3)
    from facenet_tf.records.shard import ShardWriter

    tasks = []
    write = ShardWriter.write
    monkeypatch.setattr(
        ShardWriter, "write", lambda self, task: (tasks.append(task), write(self, task))[1]
    )
    build_dataset(config, make_detector)
    assert len(tasks) == 1


def test_overwriting_in_vain_keeps_the_old_dataset(zoo, tmp_path):
    config = config_for(tmp_path, zoo)
    before = contents(build_dataset(config, make_detector).directory)
    vain = dataclasses.replace(config, overwrite=True, smallest_face=1000.0)
    with pytest.raises(InputError, match="nobody has two usable pictures"):
        build_dataset(vain, make_detector)
    after = contents(config.output)
    assert {name: after[name] for name in before} == before
    assert all(name.startswith(".building") for name in after.keys() - before)


def test_odd_files_become_rows(tmp_path, monkeypatch):
    root = draw_people(tmp_path / "people", 4, 2)
    odd = root / "person0"
    os.mkfifo(odd / "pipe.jpg")
    (odd / "loop.png").symlink_to(odd / "loop.png")
    (root / "person1" / "loop").symlink_to(root)
    (odd / "empty.jpg").write_bytes(b"")
    (odd / "device.png").symlink_to("/dev/zero")
    (odd / "folder.jpg").mkdir()
    (root / "poster.png").write_bytes(b"x")
    jpeg = cv2.imencode(".jpg", cv2.imread(str(odd / "0.png")))[1].tobytes()
    (odd / "cut.jpg").write_bytes(jpeg[: len(jpeg) // 2])
    (odd / "iphone.jpg").write_bytes(b"\0\0\0\x18ftypheic" + bytes(200))
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    checked = b"IHDR" + header
    bomb = b"\x89PNG\r\n\x1a\n\0\0\0\x0d" + checked + struct.pack(">I", zlib.crc32(checked))
    (odd / "bomb.png").write_bytes(bomb + b"\0\0\0\0IEND\xae\x42\x60\x82")
    (odd / "locked.png").write_bytes(jpeg + b"locked")
    (odd / "locked.png").chmod(0)
    with (odd / "sparse.tif").open("wb") as file:
        file.truncate(1 << 40)
    frames = [Image.open(root / "person2" / "0.png").convert("P"), Image.new("P", (100, 120), 3)]
    gif = root / "person2" / "animation.gif"
    frames[0].save(gif, save_all=True, append_images=frames[1:])
    (root / "person1" / "0.png").rename(root / "person1" / "a\rb,\n.png")
    (root / "person1" / "1.png").rename(os.fsdecode(os.fsencode(root / "person1") + b"/\xfc.png"))
    (root / "person3").rename(os.fsdecode(os.fsencode(root) + b"/per\nson\xe9"))

    read_bytes = Path.read_bytes
    if os.geteuid() == 0:  # to whom nothing is locked

        def refuse(path):
            if path.name == "locked.png":
                raise PermissionError(errno.EACCES, "Permission denied")
            return read_bytes(path)

        monkeypatch.setattr(Path, "read_bytes", refuse)
    dataset = build_dataset(config_for(tmp_path, root), make_detector)
    assert dataset.outcomes() == {
        "person0/0.png": "ok",
        "person0/1.png": "ok",
        "person0/bomb.png": "too_large",
        "person0/cut.jpg": "unreadable",
        "person0/device.png": "unreadable",
        "person0/empty.jpg": "not_an_image",
        "person0/iphone.jpg": "unreadable",
        "person0/locked.png": "unreadable",
        "person0/loop.png": "unreadable",
        "person0/pipe.jpg": "unreadable",
        "person0/sparse.tif": "unreadable",
        "person1/\\xfc.png": "ok",
        "person1/a\rb,\n.png": "ok",
        "person2/0.png": "ok",
        "person2/1.png": "ok",
        # OpenCV reads the first picture of an animation from 4.11 on.
        "person2/animation.gif": "ok" if cv2.haveImageReader(str(gif)) else "unreadable",
        "per\nson\\xe9/0.png": "ok",
        "per\nson\\xe9/1.png": "ok",
    }
    details = {row.path.removeprefix("person0/"): row.detail for row in dataset.rows}
    assert details["bomb.png"] == "30000 x 30000 pixels are more than 100 megapixels"
    assert details["locked.png"] == "Permission denied"
    assert details["loop.png"] == "Too many levels of symbolic links"
    assert details["pipe.jpg"] == details["device.png"] == "not a regular file"
    assert details["sparse.tif"] == "larger than 512 MiB"
    assert dataset.manifest["without_identity"] == 1


def test_largest_picture_is_an_option(tmp_path):
    root = draw_people(tmp_path / "people", 3, 2)
    draw(root / "person0" / "large.png", (FACE, 30, 40, 48), size=(130, 100))
    config = config_for(tmp_path, root, max_megapixels=0.012)
    assert build_dataset(config, make_detector).outcomes()["person0/large.png"] == "too_large"


def test_landmarks_are_whole_64ths_of_a_pixel(tmp_path):
    root = draw_people(tmp_path / "people", 2, 2)
    config = config_for(tmp_path, root, encoding="png")
    exact = build_dataset(config, make_detector)
    other = build_dataset(dataclasses.replace(config, output=tmp_path / "b"), SlightlyOff)
    records = [[parse(payload) for payload in d.read(d.split("all"))] for d in (exact, other)]
    for one, another in zip(*records, strict=True):
        assert (one.landmarks * 64 % 1 == 0).all()
        np.testing.assert_array_equal(one.landmarks, another.landmarks)
        np.testing.assert_array_equal(one.transform, another.transform)
        assert one.encoded == another.encoded


class SlightlyOff(SquareDetector):
    """What another order of the same sums does."""

    def __init__(self, config):
        super().__init__()

    def detect(self, images):
        return [
            [dataclasses.replace(face, landmarks=face.landmarks + 1e-6) for face in faces]
            for faces in super().detect(images)
        ]


class TestBadInput:
    def test_nobody_with_two_usable_pictures(self, tmp_path):
        root = draw_people(tmp_path / "people", 3, 1)
        draw(root / "person1" / "b.png")
        config = config_for(tmp_path, root)
        with pytest.raises(InputError, match=r"nobody has two usable pictures \(3 ok, 1 no_face\)"):
            build_dataset(config, make_detector)
        assert not (config.output / "dataset.json").exists()

    def test_nobody_passes_a_filter(self, tmp_path):
        root = draw_people(tmp_path / "people", 2, 2)
        config = config_for(tmp_path, root, min_sharpness=1e9, smallest_face=10)
        told = r"\(4 blurred\): see --face, --fallback, --min-sharpness$"
        with pytest.raises(InputError, match=told):
            build_dataset(config, make_detector)

    def test_one_picture_is_legal(self, tmp_path):
        root = draw_people(tmp_path / "people", 3, 1)
        draw(root / "person1" / "b.png", (FACE, 30, 40, 48))
        dataset = build_dataset(config_for(tmp_path, root, test_people=0), make_detector)
        assert len(dataset.split("train")) == 4
        assert dataset.manifest["singletons"] == 2

    def test_output_inside_the_pictures(self, tmp_path):
        root = draw_people(tmp_path / "people")
        with pytest.raises(InputError, match="inside the pictures"):
            build_dataset(config_for(tmp_path, root, "people/out"), make_detector)

    def test_picture_that_changes_meanwhile(self, tmp_path, monkeypatch):
        root = draw_people(tmp_path / "people")

        class Vandal(SquareDetector):
            def __init__(self, config):
                super().__init__()

            def detect(self, images):
                draw(root / "person3" / "2.png", (FACE, 30, 40, 48), seed=9)
                return super().detect(images)

        monkeypatch.setattr("facenet_tf.records.shard._CHUNK_PICTURES", 4)
        with pytest.raises(InputError, match=r"2\.png has changed during the build"):
            build_dataset(config_for(tmp_path, root), Vandal)


def test_memory_is_bounded_by_the_chunk(zoo, tmp_path, monkeypatch):
    expected = build_dataset(config_for(tmp_path, zoo, "a"), make_detector)
    monkeypatch.setattr("facenet_tf.records.shard._CHUNK_PIXELS", 2 * 120 * 100)
    chunked = build_dataset(config_for(tmp_path, zoo, "b"), make_detector)
    assert contents(chunked.directory) == contents(expected.directory)


def test_quality_decides_and_is_told_of_every_face(zoo, tmp_path):
    dataset = build_dataset(config_for(tmp_path, zoo), make_detector)
    faces = [row for row in dataset.rows if row.stored]
    assert all(float(row.face_size) == min(map(float, row.box.split()[2:])) for row in faces)
    for row in faces:
        landmarks = np.array(row.landmarks.split(), float).reshape(5, 2)
        assert [float(row.yaw), float(row.roll)] == pytest.approx(pose(landmarks), abs=0.1)
        assert float(row.sharpness) >= 0
        assert 0 < float(row.exposure) < 1
    # A red square has a luma of 0.299, a green one of 0.587.
    config = config_for(tmp_path, zoo, "dark", max_exposure=0.5)
    outcomes = build_dataset(config, make_detector).outcomes()
    assert outcomes.pop("ann/recovered.png") == "too_bright"
    assert outcomes == {k: v for k, v in dataset.outcomes().items() if k != "ann/recovered.png"}
    with pytest.raises(InputError, match="4 too_dark"):
        build_dataset(config_for(tmp_path, zoo, "bright", min_exposure=0.7), make_detector)


def test_report_is_written(zoo, tmp_path):
    dataset = build_dataset(config_for(tmp_path, zoo), make_detector)
    text = (dataset.directory / "report.html").read_text()
    for outcome in dataset.manifest["outcomes"]:
        assert f"<h3>{outcome}</h3>" in text


def test_contact_sheet_shows_recovered_faces(zoo, tmp_path):
    dataset = build_dataset(config_for(tmp_path, zoo), make_detector)
    sheet = cv2.imread(str(dataset.directory / "recovered.png"))
    assert sheet.shape == (112, 112, 3)
    assert abs(sheet[56, 56].astype(int) - SHY[::-1]).max() < 60
    plain = build_dataset(config_for(tmp_path, zoo, "plain", recover=False), make_detector)
    assert not (plain.directory / "recovered.png").exists()


def test_manifest_splits(tmp_path):
    root = draw_people(tmp_path / "people", 6, 2)
    config = config_for(tmp_path, root, test_people=2, validation_people=1)
    manifest = json.loads(
        (build_dataset(config, make_detector).directory / "dataset.json").read_text()
    )
    assert manifest["splits"] == {
        "test": {"identities": 2, "records": 4},
        "train": {"identities": 3, "records": 6},
        "validation": {"identities": 1, "records": 2},
    }
    assert manifest["config"]["seed"] == 0
    assert manifest["preprocessing_fingerprint"] == Preprocessing().fingerprint()
