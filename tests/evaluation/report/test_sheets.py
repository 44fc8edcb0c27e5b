"""Contact sheets show the crops of the records."""

import base64

import cv2
import numpy as np
import pytest

from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import choose_measured
from facenet_tf.evaluation.protocol import Sheet, Strip
from facenet_tf.evaluation.report.sheets import SIDE, shown
from facenet_tf.evaluation.roster import Roster
from facenet_tf.evaluation.seen import SeenPeople
from facenet_tf.input_pipeline.pipeline import evaluation_arrays

from ..made_up import people_vectors
from ..protocols.test_errors import measured_of


@pytest.fixture
def measured(dataset):
    nobody = SeenPeople(frozenset(), "")
    return choose_measured(EvaluateConfig(), Roster.of(dataset), nobody, dataset)


def decoded(image):
    kind, data = image.split(",")
    assert kind == "data:image/webp;base64"
    return cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)


def test_each_picture_shows_its_own_crop(measured, dataset):
    other = np.flatnonzero(measured.roster.identities != measured.roster.identities[2])
    rows = (2, int(other[0]), 2)
    sheet = shown(
        Sheet("title", "note", (Strip("pair", rows[:2]), Strip("one", rows[2:]))), measured
    )
    assert [(caption, len(pictures)) for caption, pictures in sheet.strips] == [
        ("pair", 2),
        ("one", 1),
    ]
    pictures = [picture for _, strip in sheet.strips for picture in strip]
    crops = np.concatenate(list(evaluation_arrays(dataset, measured.roster.records[list(rows)], 3)))
    for row, picture, crop in zip(rows, pictures, crops):
        assert picture.key == picture.caption == measured.roster.keys[row]
        found = decoded(picture.image)[..., ::-1].astype(float)
        expected = cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        assert np.abs(found - expected).mean() < 10
    assert np.abs(decoded(pictures[0].image).astype(float) - decoded(pictures[1].image)).mean() > 20


def test_a_picture_without_a_record_is_named(measured):
    row = int(np.flatnonzero(measured.roster.lost)[0])
    sheet = shown(Sheet("title", "", (Strip("lost", (row,), ("gone",)),)), measured)
    (picture,) = sheet.strips[0][1]
    assert (picture.image, picture.caption) == ("", "gone")


def test_without_a_dataset_all_are_named():
    measured = measured_of(people_vectors())
    assert measured.dataset is None
    sheet = shown(Sheet("title", "", (Strip("", (0, 1)),)), measured)
    assert [picture.image for picture in sheet.strips[0][1]] == ["", ""]
