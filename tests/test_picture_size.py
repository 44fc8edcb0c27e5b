"""Sizes from headers, against what Pillow has written."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from facenet_tf.picture_size import declared_size

SIZE = (321, 45)


def saved(format, mode="RGB", **options):
    stream = io.BytesIO()
    Image.new(mode, SIZE).save(stream, format, **options)
    return stream.getvalue()


def with_comment(pnm):
    return pnm[:3] + b"# by hand\n" + pnm[3:]


CASES = {
    "png": saved("PNG"),
    "jpeg": saved("JPEG"),
    "progressive": saved("JPEG", progressive=True),
    "thumbnail before the frame": saved("JPEG", exif=b"Exif\0\0" + bytes(5000)),
    "gif": saved("GIF"),
    "bmp": saved("BMP"),
    "webp": saved("WEBP"),
    "lossless webp": saved("WEBP", lossless=True),
    "extended webp": saved("WEBP", mode="RGBA", exif=b"Exif\0\0" + bytes(20)),
    "tiff": saved("TIFF"),
    "big-endian tiff": saved("TIFF", mode="I;16B"),
    "ppm": saved("PPM"),
    "pgm": saved("PPM", mode="L"),
    "pbm with a comment": with_comment(saved("PPM", mode="1")),
    "pam": cv2.imencode(".pam", np.zeros((45, 321, 3), np.uint8))[1].tobytes(),
    "jp2": cv2.imencode(".jp2", np.zeros((45, 321, 3), np.uint8))[1].tobytes(),
}


@pytest.mark.parametrize("name", CASES)
def test_is_that_of_the_picture(name):
    assert declared_size(CASES[name]) == SIZE


def test_avif():
    done, data = cv2.imencode(".avif", np.zeros((45, 321, 3), np.uint8))
    assert done
    assert declared_size(data.tobytes()) == SIZE


@pytest.mark.parametrize("name", CASES)
def test_cut_headers_declare_nothing_or_the_size(name):
    for length in range(0, min(200, len(CASES[name]))):
        found = declared_size(CASES[name][:length])
        # A text header may be cut within a number; others are whole or not.
        assert found is None or found == SIZE or CASES[name].startswith(b"P")


def test_other_bytes_declare_nothing():
    assert declared_size(b"") is None
    assert declared_size(b"hello, world") is None
