"""Our cascade against the package `mtcnn`, whose weights it uses."""

import cv2
import numpy as np
import pytest

from benchmarks.scenes import astronaut, crowd
from facenet_tf.detection.mtcnn import MtcnnDetector
from facenet_tf.errors import InputError


@pytest.fixture(scope="module")
def detector():
    return MtcnnDetector()


@pytest.fixture(scope="module")
def package():
    from mtcnn import MTCNN

    return MTCNN()


def variations():
    picture = astronaut()
    noise = np.random.default_rng(0).normal(0, 20, picture.shape)
    return {
        "as it is": picture,
        "mirrored": np.ascontiguousarray(picture[:, ::-1]),
        "half": cv2.resize(picture, (256, 256), interpolation=cv2.INTER_AREA),
        "odd sides": cv2.resize(picture, (401, 299)),
        "noisy": np.clip(picture + noise, 0, 255).astype(np.uint8),
        "tight": np.ascontiguousarray(picture[55:190, 170:280]),
        "crowd": crowd(),
    }


def assert_same_faces(faces, others, tolerance):
    assert len(faces) == len(others)
    for face, other in zip(faces, others, strict=True):
        np.testing.assert_allclose(face.box, other.box, atol=tolerance)
        np.testing.assert_allclose(face.landmarks, other.landmarks, atol=tolerance)
        assert face.confidence == pytest.approx(other.confidence, abs=1e-3)


@pytest.mark.parametrize("name", variations())
def test_faces_are_those_of_the_package(detector, package, name):
    picture = variations()[name]
    expected = package.detect_faces(picture, output_type="numpy")
    faces = detector.detect([picture])[0]
    assert len(faces) == len(expected) == (4 if name == "crowd" else 1)
    for face, row in zip(faces, expected, strict=True):
        np.testing.assert_allclose(face.box, row[1:5], atol=0.05)
        np.testing.assert_allclose(face.landmarks, row[6:].reshape(2, 5).T, atol=0.05)
        assert face.confidence == pytest.approx(row[5], abs=1e-3)


def test_a_batch_of_many_sizes_gives_what_each_picture_gives(detector):
    pictures = list(variations().values())
    pictures = [*pictures, np.zeros((80, 90, 3), np.uint8), *pictures[::-1]]
    together = detector.detect(pictures)
    for picture, faces in zip(pictures, together, strict=True):
        assert_same_faces(faces, detector.detect([picture])[0], 0.01)


def test_landmarks_lie_where_they_are_named(detector):
    left_eye, right_eye, nose, left_mouth, right_mouth = detector.detect([astronaut()])[0][
        0
    ].landmarks
    assert left_eye[0] < nose[0] < right_eye[0] and left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


@pytest.mark.parametrize("size", [12, 17.5, 20, 33, 40, 60, 80])
def test_any_smallest_face_size_finds_a_large_face(detector, size):
    picture = cv2.resize(astronaut(), (256, 256), interpolation=cv2.INTER_AREA)
    expected = detector.detect([picture])[0][0]
    faces = MtcnnDetector(min_face_size=size).detect(
        [np.kron(picture, np.ones((2, 2, 1), np.uint8))]
    )
    assert len(faces[0]) == 1
    np.testing.assert_allclose(faces[0][0].landmarks, expected.landmarks * 2 + 0.5, atol=6)


def test_faces_below_the_smallest_size_are_left_out(detector):
    widths = [face.box[2] for face in detector.detect([crowd()])[0]]
    found = MtcnnDetector(min_face_size=120).detect([crowd()])[0]
    assert min(widths) < 60 and len(found) < len(widths)


def legal_values(number):
    """Arguments anywhere in their range, of the thresholds also its ends."""
    draw = np.random.default_rng(number)
    return {
        "min_face_size": 12 * 10 ** draw.uniform(0, 1),
        "thresholds": [draw.choice([0.0, 1.0, *draw.random(6)]) for _ in range(3)],
        "scale_factor": draw.uniform(0.1, 0.95),
    }


@pytest.mark.parametrize("number", range(16))
def test_any_legal_values_give_boxes_in_the_picture(number):
    arguments = legal_values(number)
    detector = MtcnnDetector(**arguments)
    pictures = [astronaut()[40:200:2, 150:300:2], crowd()[::5, ::5], np.zeros((9, 90, 3), np.uint8)]
    for picture, faces in zip(pictures, detector.detect(pictures), strict=True):
        height, width = picture.shape[:2]
        for face in faces:
            x, y, across, down = face.box
            assert 0 <= x <= x + across <= width - 1 and 0 <= y <= y + down <= height - 1
            assert arguments["thresholds"][2] < face.confidence <= 1
            assert np.isfinite(face.landmarks).all()
        confidences = [face.confidence for face in faces]
        assert confidences == sorted(confidences, reverse=True)


def test_engines_find_the_same_faces(detector):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    pictures = list(variations().values())
    found = MtcnnDetector(engine="onnx").detect(pictures)
    for faces, others in zip(found, detector.detect(pictures), strict=True):
        assert faces
        assert_same_faces(faces, others, 0.01)


def test_grey_pictures_are_taken(detector):
    grey = cv2.cvtColor(astronaut(), cv2.COLOR_RGB2GRAY)
    flat, one_channel, three = detector.detect([grey, grey[..., None], np.dstack([grey] * 3)])
    assert len(flat) == 1
    assert_same_faces(flat, three, 1e-6)
    assert_same_faces(one_channel, three, 1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (5, 300), (19, 19), (20, 20), (21, 500), (150, 150)])
def test_pictures_without_a_face_give_none(detector, shape):
    blank = np.full((*shape, 3), 120, np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    assert detector.detect([blank, noise]) == [[], []]


def test_no_pictures_give_no_lists(detector):
    assert detector.detect([]) == []


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((50, 50, 4), np.uint8),
        np.zeros((50, 50, 3), np.float32),
        np.zeros(50, np.uint8),
        np.zeros((0, 50, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused(detector, picture):
    with pytest.raises(ValueError, match="uint8"):
        detector.detect([picture])


@pytest.mark.parametrize(
    "arguments",
    [
        {"min_face_size": 0},
        {"min_face_size": 11.9},
        {"min_face_size": float("nan")},
        {"min_face_size": float("inf")},
        {"thresholds": (0.6, 0.7)},
        {"thresholds": (0.6, 0.7, 1.5)},
        {"scale_factor": 1.0},
    ],
)
def test_other_arguments_are_refused(arguments):
    with pytest.raises(InputError, match=next(iter(arguments))):
        MtcnnDetector(**arguments)


def test_description_tells_all_that_decides():
    first, second = MtcnnDetector().describe(), MtcnnDetector(thresholds=(0.6, 0.7, 0.9)).describe()
    assert first["name"] == "mtcnn" and len(first["weights"]) == 16
    assert first["engine"]["name"] == "litert"
    assert first != second and first == MtcnnDetector().describe()


def test_the_relaxed_detector_shares_the_engine_and_asks_for_less(detector):
    relaxed = detector.relaxed()
    assert relaxed.describe() == {**detector.describe(), "thresholds": [0.42, 0.49, 0.56]}
    assert relaxed._engine is detector._engine and detector.thresholds == (0.6, 0.7, 0.8)
    faint = cv2.resize(astronaut(), (64, 64), interpolation=cv2.INTER_AREA)
    strict, loose = detector.detect([faint])[0], relaxed.detect([faint])[0]
    assert len(loose) >= len(strict)
