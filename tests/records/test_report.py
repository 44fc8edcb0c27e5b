"""The report of a dataset with one picture for most outcomes, read as a browser would."""

import base64
import dataclasses
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from facenet_tf.records import report
from facenet_tf.records.builder import build_dataset
from facenet_tf.records.config import BuildConfig
from facenet_tf.records.report import write_report
from facenet_tf.records.source import open_source
from tests.records.fake_faces import FACE, SHY, draw, draw_people, make_detector

ODD = "<i>&eve"


class Reader(HTMLParser):
    """Collects text and images below the last head."""

    def __init__(self, text):
        super().__init__()
        self.images: dict[str, list[np.ndarray]] = {}
        self.text: dict[str, str] = {"": ""}
        self.tags: list[str] = []
        self._head, self._in_head = "", False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self._head, self._in_head = "", True
        if tag == "img":
            kind, data = dict(attrs)["src"].split(",")
            assert kind == "data:image/webp;base64"
            image = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
            self.images.setdefault(self._head, []).append(image[..., ::-1])

    def handle_endtag(self, tag):
        if re.fullmatch("h[1-6]", tag):
            self._in_head = False

    def handle_data(self, data):
        if self._in_head:
            self._head += data
        self.text[self._head] = self.text.get(self._head, "") + data


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    root = tmp_path_factory.mktemp("report") / "src"
    draw_people(root, 3, 3)
    draw(root / ODD / "recovered.png", (SHY, 30, 40, 36))
    draw(root / ODD / "small.png", (FACE, 30, 40, 9))
    draw(root / ODD / "none.png")
    (root / ODD / "copy.png").write_bytes((root / "person0" / "0.png").read_bytes())
    (root / ODD / "poem.jpg").write_text("no picture")
    config = BuildConfig(root, output=root.parent / "out", workers=1, test_people=1)
    return build_dataset(config, make_detector), open_source(config).pictures


@pytest.fixture(scope="module")
def text(dataset):
    return (dataset[0].directory / "report.html").read_text()


@pytest.fixture(scope="module")
def read(text):
    return Reader(text)


def near(pixel, color):
    return np.abs(pixel.astype(int) - color).max() < 60


def test_examples_of_each_outcome(dataset, read):
    for outcome, count in dataset[0].manifest["outcomes"].items():
        assert f"{count} of 14 pictures" in read.text[outcome]
    assert len(read.images["ok"]) == 8  # of nine
    assert near(read.images["ok"][0][44, 40], FACE)
    assert near(read.images["recovered"][0][44, 40], SHY)
    # A twin's crop for the copy, the whole picture where there is no crop.
    assert near(read.images["duplicate"][0][44, 40], FACE)
    assert read.images["no_face"][0].shape == (112, 93, 3)
    assert near(read.images["too_small"][0][40, 32], FACE)  # centre of the small square
    assert "not_an_image" not in read.images
    assert f"{ODD}/poem.jpg" in read.text["not_an_image"]


def test_people_with_their_first_faces(read):
    # The copy comes first by name, hence it is the original of person0 that is the duplicate.
    for person, records, pictures in ((ODD, 2, 5), ("person0", 2, 3), ("person1", 3, 3)):
        assert len(read.images[person]) == records
        assert f"{records} records of {pictures} pictures" in read.text[person]


def test_no_more_people_and_faces_than_fit(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(report, "_PEOPLE", 2)
    monkeypatch.setattr(report, "_FACES", 1)
    found = Reader(rewritten(dataset, tmp_path))
    assert [len(found.images.get(name, [])) for name in (ODD, "person0", "person1")] == [1, 1, 0]


def rewritten(dataset, tmp_path, rows=None, pictures=None):
    opened, known = dataset
    path = tmp_path / "report.html"
    write_report(
        path,
        opened.manifest,
        [opened.directory / shard["file"] for shard in opened.manifest["shards"]],
        rows or opened.rows,
        known if pictures is None else pictures,
    )
    return path.read_text()


def test_follows_from_what_is_in_the_directory_and_the_sources(dataset, text, tmp_path):
    assert rewritten(dataset, tmp_path) == text


def test_worst_faces_come_with_their_figures(dataset, read):
    sharpness = sorted(float(row.sharpness) for row in dataset[0].rows if row.stored)
    assert len(read.images["Least sharp"]) == 8
    assert f"{sharpness[0]:.4g}, " in read.text["Least sharp"]
    smallest = min((row for row in dataset[0].rows if row.stored), key=lambda r: float(r.face_size))
    assert f"{float(smallest.face_size):.4g}, {smallest.path}" in read.text["Smallest"]


def test_distributions(read):
    assert read.tags.count("svg") == 8
    for title in ("Images per person", "Face size", "Sharpness", "Yaw", "Roll"):
        assert title in read.text["Distributions"]
    assert "not measured" not in read.text["Distributions"]


def test_one_file_for_a_phone(text):
    assert "width=device-width" in text
    style = re.search("<style>(.*)</style>", text, re.DOTALL)[1]
    assert not re.search(r"width:[^;}]*\d(px|cm|pt)", style)
    assert not re.search(r'\b(src|href)="(?!data:)', text)
    assert "<script" not in text
    assert not re.search(r"<img[^>]* width=", text)
    assert len(text) < 200_000


def test_names_from_outside_cannot_become_markup(text):
    assert "<i>" not in text
    assert "&lt;i&gt;&amp;eve" in text


def test_pictures_that_are_gone_or_changed_are_not_shown(dataset, read, tmp_path):
    gone = [dataclasses.replace(picture, path=tmp_path / "gone") for picture in dataset[1]]
    found = Reader(rewritten(dataset, tmp_path, pictures=gone))
    assert "no_face" not in found.images
    assert len(found.images["ok"]) == 8
    rows = [row if row.outcome != "no_face" else changed(row) for row in dataset[0].rows]
    assert "no_face" not in Reader(rewritten(dataset, tmp_path, rows)).images


def changed(row):
    return dataclasses.replace(row, sha256="0" * 64)


def test_what_the_build_could_not_decode_is_not_tried_again(dataset, tmp_path):
    opened, pictures = dataset
    rows = [dataclasses.replace(row, outcome="unreadable") for row in opened.rows if not row.stored]
    rows = [row for row in rows if not row.faces] + [row for row in opened.rows if row.stored]
    assert sum(row.outcome == "unreadable" for row in rows) == 3

    class Trap:
        def __init__(self, key):
            self.key = key

        def read(self):
            raise AssertionError(self.key)

    assert rewritten(dataset, tmp_path, rows, [Trap(picture.key) for picture in pictures])


def test_a_dataset_from_before_quality_was_measured(dataset, tmp_path):
    empty = dict.fromkeys(("face_size", "sharpness", "exposure", "yaw", "roll"), "")
    rows = [dataclasses.replace(row, **empty) for row in dataset[0].rows]
    found = Reader(rewritten(dataset, tmp_path, rows))
    assert found.text["Distributions"].count("not measured") == 5
    assert "Least sharp" not in found.images
