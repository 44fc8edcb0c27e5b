"""The adapter to the package `retina-face`, on an answer as it documents it; no model is run."""

import hashlib
import sys
import types

import numpy as np
import pytest

from facenet_tf.detection import retinaface
from facenet_tf.detection.retinaface import RetinaFaceDetector, faces_of_answer
from facenet_tf.errors import InputError

ANSWER = {
    "face_1": {
        "score": np.float32(0.95),
        "facial_area": [500, 20, 530, 60],
        "landmarks": {
            "right_eye": [508.0, 33.0],
            "left_eye": [521.0, 34.0],
            "nose": [515.0, 41.0],
            "mouth_right": [509.0, 49.0],
            "mouth_left": [520.0, 50.0],
        },
    },
    "face_2": {  # the example of the package's documentation
        "score": 0.9993440508842468,
        "facial_area": [155, 81, 434, 443],
        "landmarks": {
            "right_eye": [257.82974, 209.64787],
            "left_eye": [374.93427, 251.78687],
            "nose": [303.4773, 299.91144],
            "mouth_right": [228.37329, 338.73193],
            "mouth_left": [320.21982, 374.58798],
        },
    },
}


@pytest.fixture
def weights(monkeypatch, tmp_path):
    """The directory in which the package keeps its weights."""
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
    folder = tmp_path / ".deepface" / "weights"
    folder.mkdir(parents=True)
    (folder / "other_network.h5").write_bytes(b"not asked for")
    return folder


@pytest.fixture
def package(monkeypatch, weights):
    """The package as installed, giving the recorded answer; its calls are kept."""
    calls = []

    def detect_faces(image, threshold, model):
        calls.append((image, threshold, model))
        return ANSWER

    module = types.ModuleType("retinaface")
    module.RetinaFace = types.SimpleNamespace(
        build_model=lambda: "the model", detect_faces=detect_faces, calls=calls
    )
    monkeypatch.setitem(sys.modules, "retinaface", module)
    monkeypatch.setattr(retinaface, "version", lambda name: "0.0.19")
    return module.RetinaFace


def test_answers_are_faces_most_confident_first():
    first, second = faces_of_answer(ANSWER)
    assert first.box == (155, 81, 279, 362) and first.confidence == pytest.approx(0.99934405)
    np.testing.assert_allclose(first.landmarks[0], [257.82974, 209.64787])
    np.testing.assert_allclose(first.landmarks[4], [320.21982, 374.58798])
    for face in (first, second):
        left_eye, right_eye, _, left_mouth, right_mouth = face.landmarks
        assert left_eye[0] < right_eye[0] and left_mouth[0] < right_mouth[0]
    assert faces_of_answer({}) == []


def test_pictures_are_shown_as_bgr(package):
    blue = np.zeros((40, 30, 3), np.uint8)
    blue[..., 2] = 255
    faces = RetinaFaceDetector(threshold=0.7).detect([blue])
    (image, threshold, model), *_ = package.calls
    assert image[0, 0].tolist() == [255, 0, 0] and (threshold, model) == (0.7, "the model")
    assert len(faces[0]) == 2


def test_small_faces_are_left_out(package):
    faces = RetinaFaceDetector(min_face_size=31).detect([np.zeros((9, 9), np.uint8)])
    assert [face.box[2] for face in faces[0]] == [279]


def test_description(package):
    about = RetinaFaceDetector().describe()
    assert about["engine"] == {"name": "retina-face", "version": "0.0.19"}
    assert about != RetinaFaceDetector(threshold=0.5).describe()


def test_the_weights_are_in_the_description(package, weights):
    assert RetinaFaceDetector().describe()["weights"] == {}
    (weights / "retinaface.h5").write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()[:16]
    assert RetinaFaceDetector().describe()["weights"] == {"retinaface.h5": digest}
    (weights / "retinaface.h5").write_bytes(b"other weights")
    assert RetinaFaceDetector().describe()["weights"]["retinaface.h5"] != digest


def test_weights_in_the_home_directory(package, weights, monkeypatch, tmp_path):
    monkeypatch.delenv("DEEPFACE_HOME")
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path)
    (weights / "retinaface.onnx").write_bytes(b"weights")
    assert list(RetinaFaceDetector().describe()["weights"]) == ["retinaface.onnx"]


def test_the_relaxed_detector_shares_the_network_and_asks_for_less(package):
    detector = RetinaFaceDetector(threshold=0.8)
    relaxed = detector.relaxed()
    for looking in (relaxed, detector):
        looking.detect([np.zeros((9, 9, 3), np.uint8)])
    assert [call[1:] for call in package.calls] == [(0.56, "the model"), (0.8, "the model")]
    assert relaxed.describe() == {**detector.describe(), "threshold": 0.56}


def test_missing_package():
    with pytest.raises(InputError, match=r"pip install 'facenet-tf\[retinaface\]'"):
        RetinaFaceDetector()


def test_missing_weights(package):
    def build_model():
        raise ValueError("Pre-trained weight could not be loaded!")

    package.build_model = build_model
    with pytest.raises(InputError, match="Pre-trained weight could not be loaded"):
        RetinaFaceDetector()


@pytest.mark.parametrize("options", [{"threshold": -0.1}, {"min_face_size": float("inf")}])
def test_other_arguments_are_refused(package, options):
    with pytest.raises(InputError, match=next(iter(options))):
        RetinaFaceDetector(**options)
