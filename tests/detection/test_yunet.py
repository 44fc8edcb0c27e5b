"""The adapter to OpenCV's YuNet, on rows as its documentation gives them; no model is run here."""

import cv2
import numpy as np
import pytest

from facenet_tf.detection.yunet import YuNetDetector, faces_of_rows
from facenet_tf.errors import InputError

# x, y, w, h, right eye, left eye, nose, right and left mouth corner (of the person), score
ROWS = np.array(
    [
        [400, 80, 60, 75, 415, 110, 445, 111, 430, 128, 418, 140, 443, 141, 0.91],
        [100, 50, 80, 100, 118, 92, 160, 90, 139, 115, 122, 130, 157, 129, 0.97],
        [10, 10, 12, 15, 12, 15, 18, 15, 15, 19, 13, 22, 17, 22, 0.93],
    ],
    np.float32,
)


class Recorded:
    """Stands for cv2.FaceDetectorYN; keeps what it was shown."""

    def __init__(self, rows):
        self.rows, self.sizes, self.shown, self.thresholds = rows, [], [], []

    def setInputSize(self, size):
        self.sizes.append(size)

    def setScoreThreshold(self, threshold):
        self.thresholds.append(threshold)

    def detect(self, image):
        self.shown.append(image)
        return 1, self.rows


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "yunet.onnx"
    path.write_bytes(b"weights")
    return path


def adapter(monkeypatch, model, rows, **options):
    recorded = Recorded(rows)
    monkeypatch.setattr(cv2.FaceDetectorYN, "create", lambda *arguments: recorded)
    return YuNetDetector(model, **options), recorded


def test_rows_are_faces_most_confident_first():
    first, second, third = faces_of_rows(ROWS)
    assert [first.confidence, second.confidence, third.confidence] == pytest.approx(
        [0.97, 0.93, 0.91]
    )
    assert first.box == (100, 50, 80, 100)
    expected = [[118, 92], [160, 90], [139, 115], [122, 130], [157, 129]]
    np.testing.assert_array_equal(first.landmarks, expected)
    left_eye, right_eye, _, left_mouth, right_mouth = first.landmarks
    assert left_eye[0] < right_eye[0] and left_mouth[0] < right_mouth[0]
    assert faces_of_rows(None) == []


def test_pictures_are_shown_in_their_size_and_as_bgr(monkeypatch, model):
    detector, recorded = adapter(monkeypatch, model, ROWS)
    red = np.zeros((200, 500, 3), np.uint8)
    red[..., 0] = 255
    faces = detector.detect([red, np.zeros((90, 70), np.uint8)])
    assert recorded.sizes == [(500, 200), (70, 90)]
    assert recorded.shown[0][0, 0].tolist() == [0, 0, 255]
    assert [len(found) for found in faces] == [2, 2]


def test_small_faces_are_left_out(monkeypatch, model):
    detector, _ = adapter(monkeypatch, model, ROWS, min_face_size=70)
    assert [face.box[2] for face in detector.detect([np.zeros((9, 9, 3), np.uint8)])[0]] == [80]


def test_no_faces(monkeypatch, model):
    detector, _ = adapter(monkeypatch, model, None)
    assert detector.detect([np.zeros((9, 9, 3), np.uint8)]) == [[]]


def test_description_tells_all_that_decides(monkeypatch, model, tmp_path):
    detector, _ = adapter(monkeypatch, model, None)
    other = tmp_path / "other.onnx"
    other.write_bytes(b"other weights")
    assert detector.describe()["engine"] == {"name": "opencv", "version": cv2.__version__}
    assert detector.describe() != adapter(monkeypatch, other, None)[0].describe()
    assert detector.describe() != adapter(monkeypatch, model, None, threshold=0.5)[0].describe()


def test_the_relaxed_detector_shares_the_network_and_asks_for_less(monkeypatch, model):
    detector, recorded = adapter(monkeypatch, model, ROWS, threshold=0.8)
    relaxed = detector.relaxed()
    pictures = [np.zeros((9, 9, 3), np.uint8)]
    for looking in (detector, relaxed, detector):
        looking.detect(pictures)
    assert recorded.thresholds == [0.8, 0.56, 0.8]
    assert relaxed.describe() == {**detector.describe(), "threshold": 0.56}


def test_missing_and_broken_models(tmp_path, model):
    with pytest.raises(InputError, match=r"nowhere\.onnx is missing: download"):
        YuNetDetector(tmp_path / "nowhere.onnx")
    with pytest.raises(InputError, match=r"yunet\.onnx is no model that OpenCV can read"):
        YuNetDetector(model)


def test_old_opencv(monkeypatch, model):
    monkeypatch.delattr(cv2, "FaceDetectorYN")
    with pytest.raises(InputError, match="pip install -U opencv"):
        YuNetDetector(model)


@pytest.mark.parametrize("options", [{"threshold": 1.5}, {"min_face_size": float("nan")}])
def test_other_arguments_are_refused(model, options):
    with pytest.raises(InputError, match=next(iter(options))):
        YuNetDetector(model, **options)
