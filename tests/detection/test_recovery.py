"""The second look: what it brings back, and what it must not make up."""

import cv2
import numpy as np
import pytest

from benchmarks.scenes import astronaut, faceless, scenery
from facenet_tf.detection import Face
from facenet_tf.detection.mtcnn import MtcnnDetector
from facenet_tf.detection.recovery import (
    LADDER,
    LONGEST_SIDE,
    is_plausible,
    recover,
)
from facenet_tf.preprocessing import FIVE_POINTS_112


@pytest.fixture(scope="module")
def detector():
    return MtcnnDetector()


class Recorder:
    """Finds nothing before a given look, then what it was told; keeps what it was shown."""

    name = "recorder"

    def __init__(self, look, find):
        self.look, self.find, self.shown = look, find, []

    def describe(self):
        return {}

    def detect(self, images):
        self.shown.append(list(images))
        return [self.find(image) if len(self.shown) >= self.look else [] for image in images]


def marked(height=80, width=60):
    """A black picture with a white 9 x 9 block centred on (30, 40)."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[36:45, 26:35] = 255
    return picture


def face_at_the_mark(image):
    """A plausible face whose nose and box centre lie on the white block."""
    white = image[..., 0] > 250
    y, x = np.argwhere(white)[:, 0].mean(), np.argwhere(white)[:, 1].mean()
    side = 5 * np.sqrt(white.sum())
    points = (FIVE_POINTS_112 - FIVE_POINTS_112[2]) / 100 * side + [x, y]
    return [Face((x - side / 2, y - side / 2, side, side), 0.99, points)]


@pytest.mark.parametrize("look", range(1, len(LADDER) + 1))
def test_faces_come_back_in_the_coordinates_of_the_picture(look):
    result = recover(Recorder(look, face_at_the_mark), [marked()])[0]
    assert result.rung == LADDER[look - 1].name
    face = result.faces[0]
    np.testing.assert_allclose(face.landmarks[2], [30, 40], atol=0.35)
    left, top, width, height = face.box
    np.testing.assert_allclose([left + width / 2, top + height / 2], [30, 40], atol=0.35)
    np.testing.assert_allclose([width, height], 45, atol=6)


def test_only_pictures_without_a_face_are_shown_again():
    detector = Recorder(1, lambda image: face_at_the_mark(image) if image.max() > 250 else [])
    results = recover(detector, [marked(), np.zeros((70, 60, 3), np.uint8)])
    assert results[0] is not None and results[1] is None
    assert [len(images) for images in detector.shown] == [2] + [1] * (len(LADDER) - 1)


def shown(height, width):
    """[H, W] of the view on every rung of a picture of this size."""
    detector = Recorder(99, face_at_the_mark)
    recover(detector, [np.zeros((height, width, 3), np.uint8)])
    return [images[0].shape[:2] for images in detector.shown]


def test_views_of_ordinary_pictures():
    assert shown(250, 250) == [(374, 374), (500, 500), (750, 750), (960, 960)]
    assert shown(80, 60) == [(120, 100), (160, 140), (240, 200), (360, 300)]


@pytest.mark.parametrize("size", [(700, 900), (6000, 50), (50, 6000), (1, 5000), (3000, 4000)])
def test_views_of_large_pictures_and_strips_are_bounded(size):
    longer, shorter = max(size), min(size)
    scale = LONGEST_SIDE / longer
    for view in shown(*size):
        assert max(view) <= 2 * LONGEST_SIDE
        assert min(view) <= 3 * max(1, round(scale * shorter))


def test_faces_in_large_pictures_come_back_too():
    picture = cv2.resize(marked(), None, fx=25, fy=25, interpolation=cv2.INTER_NEAREST)
    face = recover(Recorder(1, face_at_the_mark), [picture])[0].faces[0]
    np.testing.assert_allclose(face.landmarks[2], np.array([30.5, 40.5]) * 25 - 0.5, atol=4)


@pytest.mark.parametrize("point", [np.nan, np.inf, 40.0])
def test_landmarks_that_decide_nothing_are_not_plausible(point):
    landmarks = np.full((5, 2), point)
    assert not is_plausible(Face((0.0, 10.0, 60.0, 60.0), 0.99, landmarks), (80, 60, 3))
    broken = Recorder(1, lambda image: [Face((10.0, 10.0, 90.0, 90.0), 0.99, landmarks)])
    assert recover(broken, [marked()]) == [None]


def test_nothing_to_do():
    assert recover(Recorder(1, face_at_the_mark), []) == []


@pytest.mark.parametrize(
    "change",
    [
        {"confidence": 0.9},
        {"box": (25, 35, 12, 12)},
        {"box": (-60, 10, 60, 60)},
        {"landmarks": FIVE_POINTS_112[[1, 0, 2, 4, 3]]},
    ],
)
def test_faces_that_do_not_look_like_one_are_not_plausible(change):
    values = {"box": (0.0, 10.0, 60.0, 60.0), "confidence": 0.99, "landmarks": FIVE_POINTS_112}
    assert is_plausible(Face(**values), (80, 60, 3))
    assert not is_plausible(Face(**{**values, **change}), (80, 60, 3))


@pytest.mark.parametrize(("margin", "scale"), [(-10, 1.0), (-10, 0.5), (0, 0.18)])
def test_a_face_cut_tightly_is_brought_back(detector, margin, scale):
    top, left = 64 - margin, 182 - margin
    cut = np.ascontiguousarray(astronaut()[top : 171 + margin, left : 265 + margin])
    head = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    assert detector.detect([head]) == [[]]
    (found,) = recover(detector, [head])
    faces = found.faces
    assert len(faces) == 1 and found.rung == "border"
    whole = detector.detect([astronaut()])[0][0].landmarks
    expected = (whole - [left, top] + 0.5) * scale - 0.5
    side = min(head.shape[:2])
    np.testing.assert_allclose(faces[0].landmarks, expected, atol=0.12 * side)


def test_scenery_has_no_faces(detector):
    pictures = [cv2.resize(picture, (200, 160)) for picture in scenery()]
    found = detector.detect(pictures)
    assert not any(found)
    assert recover(detector, pictures) == [None] * len(pictures)


def accepted(detector, pictures):
    """How many pictures give a face at first sight or at the second look."""
    count = 0
    for start in range(0, len(pictures), 16):
        batch = pictures[start : start + 16]
        found = detector.detect(batch)
        missed = [picture for picture, faces in zip(batch, found, strict=True) if not faces]
        count += len(batch) - len(missed) + sum(map(bool, recover(detector, missed)))
    return count


def test_faces_are_hardly_ever_made_up(detector):
    assert accepted(detector, faceless(32, seed=1)) == 0


@pytest.mark.slow
def test_at_most_one_in_a_hundred_faces_is_made_up(detector):
    assert accepted(detector, faceless(500, seed=2)) <= 5


def test_a_blank_picture_gives_nothing(detector):
    assert recover(detector, [np.full((60, 60, 3), 90, np.uint8)]) == [None]
