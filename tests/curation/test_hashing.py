import cv2
import numpy as np
import pytest
from scipy.fft import dctn

from facenet_tf.curation.hashing import bit_differences, perceptual_hashes


def cloud(seed: int, side: int = 80, channels: int = 3) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(30, 220, (9, 9, channels)).astype(np.uint8)
    large = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    return large.reshape(side, side, channels)


def difference(left: np.ndarray, right: np.ndarray) -> int:
    return int(bit_differences(perceptual_hashes(left[None]), perceptual_hashes(right[None]))[0])


def test_is_the_sign_of_low_frequencies_about_their_median():
    image = cloud(0, side=64, channels=1)
    averaged = image[..., 0].reshape(32, 2, 32, 2).mean(axis=(1, 3))
    waves = dctn(averaged, type=2)[1:9, 1:9].reshape(-1)
    expected = "".join("1" if wave > np.median(waves) else "0" for wave in waves)
    found = perceptual_hashes(image[None])
    assert found.dtype == np.uint64
    assert format(int(found[0]), "064b") == expected


@pytest.mark.parametrize(
    "change",
    [
        lambda image: cv2.imdecode(cv2.imencode(".jpg", image, [1, 60])[1], cv2.IMREAD_COLOR),
        lambda image: cv2.resize(image, (112, 112), interpolation=cv2.INTER_LINEAR),
        lambda image: (image * 0.8 + 10).astype(np.uint8),
        lambda image: cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None],
    ],
    ids=["compressed", "enlarged", "darker", "grey"],
)
def test_hardly_changes_with(change):
    image = cloud(1)
    assert difference(image, change(image)) <= 4


def test_other_pictures_differ_in_many_bits():
    hashes = perceptual_hashes(np.stack([cloud(seed) for seed in range(40)]))
    left, right = np.triu_indices(40, 1)
    bits = bit_differences(hashes[left], hashes[right])
    assert bits.min() > 10
    assert abs(bits.mean() - 32) < 2


def test_a_flat_picture_has_a_hash():
    assert perceptual_hashes(np.full((2, 48, 48, 3), 7, np.uint8)).shape == (2,)


def test_bits_are_counted():
    left = np.array([0, 2**64 - 1, 0b1011, 2**63], np.uint64)
    right = np.array([0, 0, 0b0001, 1], np.uint64)
    np.testing.assert_array_equal(bit_differences(left, right), [0, 64, 2, 2])
