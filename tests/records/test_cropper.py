import cv2
import numpy as np
import pytest

from facenet_tf.preprocessing import Preprocessing, centre_crop
from facenet_tf.quality import measure_quality
from facenet_tf.records import cropper
from facenet_tf.records.config import BuildConfig
from facenet_tf.records.cropper import FaceCropper, central_box
from tests.records.fake_faces import FACE, POINT, SHY, SWAPPED, SquareDetector, draw


@pytest.fixture
def picture(tmp_path):
    def make(*squares, size=(120, 100), seed=0):
        path = draw(tmp_path / "picture.png", *squares, size=size, seed=seed)
        return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)

    return make


def crop(image, **options):
    (finding,) = FaceCropper(BuildConfig(**options).resolved(), SquareDetector())([image])
    return finding


def test_a_face_is_aligned(picture):
    finding = crop(picture((FACE, 30, 40, 48)))
    assert (finding.outcome, finding.rung, finding.faces) == ("ok", "", 1)
    assert finding.face.box == (30, 40, 48, 48)
    assert finding.crop.pixels.shape == (112, 112, 3)
    np.testing.assert_array_equal(finding.crop.pixels[56, 56], FACE)


def test_nothing_found(picture):
    finding = crop(picture())
    assert (finding.outcome, finding.faces, finding.face, finding.crop) == (
        "no_face",
        0,
        None,
        None,
    )


def test_recovery_is_an_option(picture):
    image = picture((SHY, 30, 40, 36))
    finding = crop(image)
    assert finding.outcome == "recovered"
    assert finding.rung
    # In the coordinates of the picture, whatever the enlargement.
    np.testing.assert_allclose(finding.face.box, (30, 40, 36, 36), atol=1)
    assert crop(image, recover=False).outcome == "no_face"


def test_which_of_several(picture):
    image = picture((FACE, 2, 2, 30), (FACE, 60, 50, 24))
    assert crop(image, face="most_confident").face.box[:2] == (2, 2)
    assert crop(image, face="nearest_centre").face.box[:2] == (60, 50)
    refused = crop(image, face="refuse")
    assert (refused.outcome, refused.detail, refused.crop) == ("several_faces", "2 faces", None)


def test_too_small(picture):
    finding = crop(picture((FACE, 30, 40, 10)))
    assert (finding.outcome, finding.detail) == ("too_small", "10.0 pixels")
    assert crop(picture((FACE, 30, 40, 10)), smallest_face=10.0).outcome == "ok"


def test_bad_landmarks(picture):
    swapped = crop(picture((SWAPPED, 30, 40, 48)))
    assert swapped.outcome == "bad_landmarks"
    assert swapped.detail.startswith("rmse 2")  # about 22 pixels, by the field notes on mirroring
    assert crop(picture((SWAPPED, 30, 40, 48)), max_rmse=30.0).outcome == "ok"
    assert crop(picture((POINT, 30, 40, 48))).outcome == "bad_landmarks"


def test_quality_is_measured_in_the_picture(picture):
    finding = crop(picture((FACE, 30, 40, 48)))
    assert finding.quality == measure_quality(
        picture((FACE, 30, 40, 48)), finding.face.box, finding.face.landmarks
    )
    assert finding.quality.face_size == 48
    assert crop(picture((SWAPPED, 30, 40, 48))).quality is None


@pytest.mark.parametrize("fallback", [True, False])
def test_faces_that_are_not_good_enough_are_dropped(picture, fallback):
    image = picture((SHY, 30, 40, 36))  # of one colour, found by the recovery
    kept = crop(image, fallback=fallback)
    assert kept.quality.sharpness < 100
    finding = crop(image, min_sharpness=100.0, fallback=fallback)
    assert (finding.outcome, finding.crop, finding.rung) == ("blurred", None, kept.rung)
    assert finding.detail == f"sharpness {kept.quality.sharpness:.1f}"
    assert finding.quality == kept.quality


@pytest.mark.parametrize(
    ("square", "reason"),
    [
        (None, "no_face"),
        ((FACE, 30, 40, 10), "too_small: 10.0 pixels"),
        ((SWAPPED, 30, 40, 48), "bad_landmarks: rmse"),
    ],
)
def test_fallback_is_the_centre(picture, square, reason):
    image = picture(*filter(None, [square]))
    finding = crop(image, fallback=True)
    assert finding.outcome == "fallback"
    assert finding.detail.startswith(reason)
    expected = centre_crop(image, BuildConfig().preprocessing)
    np.testing.assert_array_equal(finding.crop.pixels, expected.pixels)


def test_batches_keep_one_size_together_and_hold_no_more_than_asked(picture):
    sizes = [(120, 100), (100, 120), (120, 100), (120, 100), (120, 100), (120, 100)]
    images = [picture((FACE, 20 + n, 40, 48), size=size) for n, size in enumerate(sizes)]
    detector = SquareDetector()
    findings = FaceCropper(BuildConfig(batch_size=2).resolved(), detector)(images)
    assert [finding.face.box[0] for finding in findings] == [20, 21, 22, 23, 24, 25]
    wide, high = (100, 120), (120, 100)
    assert detector.batches == [[wide, high], [high, high], [high, high]]


def test_large_pictures_come_alone(picture, monkeypatch):
    monkeypatch.setattr(cropper, "_BATCH_PIXELS", 120 * 100 * 3 - 1)
    detector = SquareDetector()
    images = [picture((FACE, 20, 40, 48))] * 4
    FaceCropper(BuildConfig().resolved(), detector)(images)
    assert list(map(len, detector.batches)) == [2, 2]


def test_central_box():
    square, narrow = Preprocessing(), Preprocessing(size=100, width=50)
    assert central_box(np.zeros((10, 30, 3)), square) == (10, 0, 10, 10)
    assert central_box(np.zeros((31, 10, 3)), square) == (0, 10, 10, 10)
    assert central_box(np.zeros((10, 30, 3)), narrow) == (12, 0, 5, 10)
