"""Encoded crops become the pixels that OpenCV makes of them."""

import cv2
import numpy as np
import pytest
import tensorflow as tf

from facenet_tf.input_pipeline.decoding import decode
from facenet_tf.pictures import encode_crop

from .conftest import decode_with_opencv, random_crop

SIDE = 37


def encoded_crops(encoding, channels, count=5, quality=80):
    rng = np.random.default_rng(1)
    crops = [random_crop(rng, (SIDE, SIDE, channels)) for _ in range(count)]
    return [encode_crop(crop, encoding, quality=quality) for crop in crops]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("encoding", ["jpeg", "png"])
def test_pixels_are_those_of_opencv(encoding, channels):
    encoded = encoded_crops(encoding, channels)
    found = tf.function(decode)(tf.constant(encoded), (SIDE, SIDE, channels))
    assert (found.dtype, found.shape) == (tf.uint8, (5, SIDE, SIDE, channels))
    np.testing.assert_array_equal(found, [decode_with_opencv(crop) for crop in encoded])


def test_colours_of_half_the_size_too():
    """As other programs write them: chroma in every second pixel."""
    crop = random_crop(np.random.default_rng(2), (SIDE, SIDE, 3))
    halved = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
    encoded = cv2.imencode(".jpg", crop, halved)[1].tobytes()
    found = decode(tf.constant([encoded]), (SIDE, SIDE, 3))
    np.testing.assert_array_equal(found[0], decode_with_opencv(encoded))


def test_no_crops_are_none():
    assert decode(tf.zeros([0], tf.string), (SIDE, SIDE, 3)).shape == (0, SIDE, SIDE, 3)


@pytest.mark.parametrize("encoded", [b"no picture", encoded_crops("png", 3, 1)[0][:50]])
def test_bytes_that_are_no_crop_are_refused(encoded):
    with pytest.raises(tf.errors.InvalidArgumentError):
        decode(tf.constant([encoded]), (SIDE, SIDE, 3))


def test_a_crop_of_another_size_is_refused():
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        tf.function(decode)(tf.constant(encoded_crops("jpeg", 3)), (SIDE + 1, SIDE + 1, 3))
