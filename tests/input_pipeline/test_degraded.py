"""Degradations by name: what each does to a crop, and what is refused."""

import cv2
import numpy as np
import pytest

from facenet_tf.errors import InputError
from facenet_tf.input_pipeline.augment import Augmentation
from facenet_tf.input_pipeline.degraded import check_degradations, degradation_of, degraded
from facenet_tf.input_pipeline.pipeline import evaluation_batches, training_batches
from facenet_tf.preprocessing import Preprocessing


@pytest.fixture(scope="module")
def crop() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)


def one(crop, *names):
    return next(degraded([crop], names))


def test_low_resolution_averages_whole_blocks(crop):
    """96 to 32 pixels: each is the mean of 3x3, and the centre of each block has its value."""
    blocks = crop.reshape(32, 3, 32, 3, 3).mean(axis=(1, 3))
    changed = one(crop, "low_resolution:32")
    assert changed.shape == crop.shape and changed.dtype == np.uint8
    np.testing.assert_allclose(changed[1::3, 1::3], blocks, atol=1)


def test_low_resolution_comes_back_on_straight_lines(crop):
    changed = one(crop, "low_resolution:32").astype(float)
    third = changed[1::3, 1:-3:3] * 2 / 3 + changed[1::3, 4::3] / 3
    np.testing.assert_allclose(changed[1::3, 2:-3:3], third, atol=1.5)


def test_low_resolution_of_an_oblong_or_grey_crop(crop):
    oblong = one(crop[:, :48], "low_resolution:32")
    blocks = crop[:, :48].reshape(32, 3, 16, 3, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(oblong[1::3, 1::3], blocks, atol=1)
    assert one(crop[..., :1], "low_resolution:8").shape == (96, 96, 1)


def test_grey_is_luma_in_every_channel(crop):
    changed = one(crop, "grey")
    luma = crop @ np.array([0.299, 0.587, 0.114])
    for channel in range(3):
        np.testing.assert_allclose(changed[..., channel], luma, atol=1)


def test_degradations_follow_each_other(crop):
    both = one(crop, "grey", "low_resolution:12")
    np.testing.assert_array_equal(both, one(one(crop, "grey"), "low_resolution:12"))
    assert (both == both[..., :1]).all()
    assert one(crop) is crop


def test_few_pixels_keep_less_detail(crop):
    smooth = cv2.GaussianBlur(crop, (0, 0), 3)
    lost = [np.abs(one(smooth, f"low_resolution:{n}").astype(int) - smooth).mean() for n in (64, 8)]
    assert lost[0] < lost[1]


def test_blur_is_in_pixels_of_112(crop):
    """A crop of another size looks alike: a Gaussian of 2 pixels of 112 is one of 1.714 of 96."""
    impulse = np.zeros((96, 96), np.uint8)
    impulse[48] = 255
    line = one(impulse, "blur:2")[:, 10].astype(float)
    deviation = np.sqrt((line * (np.arange(96) - 48) ** 2).sum() / line.sum())
    assert deviation == pytest.approx(2 * 96 / 112, rel=0.03)


def test_jpeg_is_that_of_the_quality(crop):
    encoded = cv2.imencode(".jpg", crop[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 20])[1]
    expected = cv2.imdecode(encoded, cv2.IMREAD_COLOR)[..., ::-1]
    np.testing.assert_array_equal(one(crop, "jpeg:20"), expected)
    assert one(crop[..., :1], "jpeg:20").shape == (96, 96, 1)


def test_noise_has_its_deviation_and_follows_from_the_crop():
    grey = np.full((200, 200, 3), 128, np.uint8)
    changed = one(grey, "noise:10").astype(float) - 128
    assert changed.std() == pytest.approx(10, rel=0.02)
    assert abs(changed.mean()) < 0.1
    np.testing.assert_array_equal(one(grey, "noise:10"), one(grey, "noise:10"))
    other = one(grey + np.uint8(1), "noise:10").astype(float) - 129
    assert abs(np.corrcoef(changed.ravel(), other.ravel())[0, 1]) < 0.02


def test_rotation_is_clockwise_about_the_centre(crop):
    np.testing.assert_array_equal(one(crop, "rotation:90"), np.rot90(crop, -1))
    np.testing.assert_array_equal(one(crop, "rotation:-90"), np.rot90(crop))
    assert one(crop[..., :1], "rotation:30").shape == (96, 96, 1)


def test_occlusion_comes_from_below(crop):
    changed = one(crop, "occlusion:25")
    assert (changed[72:] == 128).all()
    np.testing.assert_array_equal(changed[:72], crop[:72])
    assert not (crop[72:] == 128).all()  # the crop itself stays


@pytest.mark.parametrize("name", ["", "gray", "grey:3", "x:1", "blurred:2"])
def test_other_names_are_refused(name):
    with pytest.raises(InputError, match=r"--degrade .*give grey, or low_resolution:SIDE"):
        degradation_of(name)


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("low_resolution", "a whole number from 1"),
        ("low_resolution:0", "a whole number from 1"),
        ("low_resolution:-4", "a whole number from 1"),
        ("low_resolution:7.5", "a whole number from 1"),
        ("blur:0", "a number from 0.1 to 50"),
        ("jpeg:101", "a whole number from 1 to 100"),
        ("noise:nan", "a number from 0.1"),
        ("rotation:0", "degrees"),
        ("occlusion:100", "percent"),
    ],
)
def test_strengths_that_cannot_be_meant_are_refused(name, asked):
    with pytest.raises(InputError, match=asked):
        degradation_of(name)


def test_what_would_change_nothing_is_refused():
    check_degradations(["grey", "low_resolution:31"], Preprocessing(size=32))
    with pytest.raises(InputError, match="grey already"):
        check_degradations(["grey"], Preprocessing(size=32, color="grey"))
    with pytest.raises(InputError, match="have 32 pixels"):
        check_degradations(["low_resolution:32"], Preprocessing(size=32))


def test_batches_hold_degraded_crops(dataset):
    records = np.arange(5)
    plain = next(iter(evaluation_batches(dataset, records, 5))).numpy()
    found = next(iter(evaluation_batches(dataset, records, 5, ["low_resolution:4"]))).numpy()
    np.testing.assert_array_equal(found, list(degraded(plain, ["low_resolution:4"])))
    assert (found != plain).any()


def test_training_crops_are_degraded_before_they_are_varied(dataset):
    def images(augmentation, degrade=()):
        records = np.arange(len(dataset.labels))
        given = (3, 2, 17, 0, 1, augmentation)
        return next(iter(training_batches(dataset, records, *given, degrade=degrade)))["image"]

    off, flipped = Augmentation(enabled=False), {"rotation": 0.0, "scale": 0.0, "translation": 0.0}
    name = "low_resolution:4"
    poor = np.stack(list(degraded(images(off).numpy(), [name])))
    np.testing.assert_array_equal(images(off, [name]), poor)
    light = {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0, "grey": 0.0}
    mirrored = images(Augmentation(flip=1.0, **flipped, **light), [name]).numpy()
    np.testing.assert_allclose(mirrored, poor[:, :, ::-1], atol=1)
