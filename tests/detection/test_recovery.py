"""The second look: what it brings back, and what it must not make up."""

import json

import cv2
import numpy as np
import pytest

from benchmarks.scenes import astronaut, faceless, scenery
from benchmarks.second_look import looks
from facenet_tf.detection import Face, recovery, views
from facenet_tf.detection.mtcnn import MtcnnDetector
from facenet_tf.detection.recovery import LADDER, describe, is_plausible, recover, search
from facenet_tf.preprocessing import FIVE_POINTS_112


@pytest.fixture(scope="module")
def detector():
    return MtcnnDetector()


class Recorder:
    """Finds nothing before a given look, then what it was told; keeps what it was shown, and
    whether it was relaxed then."""

    name = "recorder"

    def __init__(self, look, find):
        self.look, self.find, self.shown, self.strained = look, find, [], []

    def describe(self):
        return {"threshold": 0.9}

    def detect(self, images, relaxed=False):
        self.shown.append(list(images))
        self.strained.append(relaxed)
        return [self.find(image) if len(self.shown) >= self.look else [] for image in images]

    def relaxed(self):
        return Relaxed(self)


class Relaxed(Recorder):
    def __init__(self, strict):
        self.strict = strict

    def describe(self):
        return {"threshold": 0.5}

    def detect(self, images):
        return self.strict.detect(images, relaxed=True)


def marked(height=80, width=60):
    """A black picture with a white 9 x 9 block centred on (30, 40)."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[36:45, 26:35] = 255
    return picture


def face_at_the_mark(image):
    """A plausible face, upright in what is shown, whose nose and box centre lie on the white
    block."""
    white = image[..., 0] > 240
    y, x = np.argwhere(white)[:, 0].mean(), np.argwhere(white)[:, 1].mean()
    side = 5 * np.sqrt(white.sum())
    points = (FIVE_POINTS_112 - FIVE_POINTS_112[2]) / 100 * side + [x, y]
    return [Face((x - side / 2, y - side / 2, side, side), 0.999, points)]


@pytest.mark.parametrize("look", range(1, len(LADDER) + 1))
def test_faces_come_back_in_the_coordinates_of_the_picture(look):
    result = recover(Recorder(look, face_at_the_mark), [marked()])[0]
    rung = LADDER[look - 1]
    assert result.rung == rung.name
    face = result.faces[0]
    np.testing.assert_allclose(face.landmarks[2], [30, 40], atol=0.35)
    left, top, width, height = face.box
    np.testing.assert_allclose([left + width / 2, top + height / 2], [30, 40], atol=0.35)
    np.testing.assert_allclose([width, height], 45, atol=6)
    right, down = face.landmarks[1] - face.landmarks[0]  # from eye to eye
    assert np.degrees(np.arctan2(down, right)) == pytest.approx(-rung.view.angle, abs=1)


def test_lowered_thresholds_are_for_the_rungs_that_ask_for_them():
    detector = Recorder(99, face_at_the_mark)
    recover(detector, [marked()])
    assert detector.strained == [rung.relaxed for rung in LADDER]
    assert True in detector.strained and False in detector.strained


def test_the_first_look_counts_where_it_finds_a_face():
    detector = Recorder(1, lambda image: face_at_the_mark(image) if image.max() > 250 else [])
    found, nothing = search(detector, [marked(), np.zeros((70, 60, 3), np.uint8)])
    assert found.rung == "" and len(found.faces) == 1
    assert nothing.rung == "" and nothing.faces == []
    (again,) = search(Recorder(2, face_at_the_mark), [marked()])
    assert again.rung == LADDER[0].name and len(again.faces) == 1


def test_description_tells_all_that_decides(monkeypatch):
    about = describe(Recorder(1, face_at_the_mark))
    assert json.loads(json.dumps(about)) == about
    assert about["relaxed"] == {"threshold": 0.5}
    assert [rung["name"] for rung in about["ladder"]] == [rung.name for rung in LADDER]
    assert {rung["view"]["angle"] for rung in about["ladder"]} == {0, 30, -30, 90, -90}
    for module, constant in [
        (recovery, "LADDER"),
        (recovery, "MAX_RMSE"),
        (recovery, "MIN_SHARE"),
        (views, "CLIP"),
        (views, "TILES"),
    ]:
        with monkeypatch.context() as patch:
            other = LADDER[:-1] if constant == "LADDER" else 3
            patch.setattr(module, constant, other)
            assert describe(Recorder(1, face_at_the_mark)) != about


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


def test_no_view_of_an_ordinary_picture_is_much_larger_than_it():
    assert shown(250, 250)[:3] == [(374, 374), (500, 500), (360, 360)]
    assert max(max(view) for view in shown(250, 250)) <= 500
    assert shown(80, 60)[:3] == [(120, 100), (160, 140), (240, 200)]
    assert max(max(view) for view in shown(80, 60)) <= 360


@pytest.mark.parametrize("size", [(700, 900), (6000, 50), (50, 6000), (1, 5000), (3000, 4000)])
def test_views_of_large_pictures_and_strips_are_bounded(size):
    for view, rung in zip(shown(*size), LADDER, strict=True):
        longest = rung.view.longest_side
        short = max(1, round(longest / max(size) * min(size)))
        assert max(view) <= 2 * longest
        if rung.view.angle in (0, 90, -90):
            assert min(view) <= 3 * short


def test_faces_in_large_pictures_come_back_too():
    picture = cv2.resize(marked(), None, fx=25, fy=25, interpolation=cv2.INTER_NEAREST)
    face = recover(Recorder(1, face_at_the_mark), [picture])[0].faces[0]
    np.testing.assert_allclose(face.landmarks[2], np.array([30.5, 40.5]) * 25 - 0.5, atol=4)


@pytest.mark.parametrize("point", [np.nan, np.inf, 40.0])
def test_landmarks_that_decide_nothing_are_not_plausible(point):
    landmarks = np.full((5, 2), point)
    assert not is_plausible(Face((0.0, 10.0, 60.0, 60.0), 1.0, landmarks), (80, 60, 3), LADDER[0])
    broken = Recorder(1, lambda image: [Face((10.0, 10.0, 90.0, 90.0), 1.0, landmarks)])
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
    assert is_plausible(Face(**values), (80, 60, 3), LADDER[0])
    assert not is_plausible(Face(**{**values, **change}), (80, 60, 3), LADDER[0])


def test_riskier_rungs_ask_for_more():
    face = Face((0.0, 10.0, 60.0, 60.0), 0.97, FIVE_POINTS_112)
    passed = {rung.name for rung in LADDER if is_plausible(face, (80, 60, 3), rung)}
    assert {rung.name for rung in LADDER} - passed == {"quarter_turn_right", "quarter_turn_left"}


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


def turned(picture, points, angle):
    """A picture and points in it, turned counterclockwise about the centre."""
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1)
    mapped = cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return mapped, points @ matrix[:, :2].T + matrix[:, 2]


def shrunk(picture, points, scale):
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return small, (points + 0.5) * scale - 0.5


def dulled(picture, points, contrast, black):
    return np.round(contrast * picture + black).astype(np.uint8), points


@pytest.mark.parametrize(
    ("rung", "harm", "arguments"),
    [
        ("border", shrunk, (0.2,)),
        ("border_plain", shrunk, (0.2,)),
        ("enlarged", shrunk, (0.12,)),
        ("enlarged_mirror", shrunk, (0.12,)),
        ("enlarged_most", shrunk, (0.12,)),
        ("relaxed", shrunk, (0.12,)),
        ("equalised", dulled, (0.1, 100)),
        ("relaxed_equalised", dulled, (0.06, 100)),
        ("turned_right", turned, (45,)),
        ("turned_left", turned, (-45,)),
        ("quarter_turn_right", turned, (90,)),
        ("quarter_turn_left", turned, (-90,)),
    ],
)
def test_each_rung_alone_finds_a_face_that_it_is_for(detector, monkeypatch, rung, harm, arguments):
    head = np.ascontiguousarray(astronaut()[10:220, 120:330])
    (face,) = detector.detect([head])[0]
    picture, expected = harm(head, face.landmarks, *arguments)
    monkeypatch.setattr(recovery, "LADDER", [own for own in LADDER if own.name == rung])
    (found,) = recover(detector, [picture])
    (best, *_) = found.faces
    eyes = np.linalg.norm(expected[1] - expected[0])
    assert np.linalg.norm(best.landmarks - expected, axis=1).mean() < 0.12 * eyes


def test_a_lying_face_is_found_by_a_quarter_turn(detector):
    head = np.ascontiguousarray(astronaut()[10:220, 120:330])
    (face,) = detector.detect([head])[0]
    picture = np.ascontiguousarray(np.rot90(head))  # (x, y) goes to (y, width - 1 - x)
    assert detector.detect([picture]) == [[]]
    (found,) = recover(detector, [picture])
    assert found.rung == "quarter_turn_right"
    x, y = face.landmarks.T
    expected = np.stack([y, head.shape[1] - 1 - x], -1)
    np.testing.assert_allclose(found.faces[0].landmarks, expected, atol=3)


def test_a_face_almost_without_contrast_is_found(detector):
    head = astronaut()[10:220, 120:330]
    (face,) = detector.detect([head])[0]
    picture, expected = dulled(head, face.landmarks, 0.06, 100)
    assert detector.detect([picture]) == [[]]
    (found,) = recover(detector, [picture])
    assert "equalised" in found.rung
    np.testing.assert_allclose(found.faces[0].landmarks, expected, atol=4)


def test_scenery_has_no_faces(detector):
    pictures = [cv2.resize(picture, (200, 160)) for picture in scenery()]
    found = detector.detect(pictures)
    assert not any(found)
    assert recover(detector, pictures) == [None] * len(pictures)


def accepted(detector, pictures):
    return sum(bool(found.faces) for found in looks(detector, pictures))


def test_faces_are_hardly_ever_made_up(detector):
    assert accepted(detector, faceless(32, seed=1)) == 0


@pytest.mark.slow
def test_at_most_one_in_a_hundred_faces_is_made_up(detector):
    assert accepted(detector, faceless(500, seed=2)) <= 5


def test_a_blank_picture_gives_nothing(detector):
    assert recover(detector, [np.full((60, 60, 3), 90, np.uint8)]) == [None]
