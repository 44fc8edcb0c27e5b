"""The pyramid against TensorFlow's area means, and its strips against the whole."""

import subprocess
import sys

import cv2
import numpy as np
import pytest
import tensorflow as tf

from benchmarks.scenes import astronaut, crowd
from facenet_tf.detection import pyramid
from facenet_tf.detection.engines import make_engine
from facenet_tf.detection.mtcnn import MtcnnDetector


@pytest.fixture(scope="module")
def engine():
    return make_engine("litert")


SIZES = [(50, 70), (51, 33), (250, 250), (97, 300), (12, 12), (401, 299)]


def test_large_and_small_pictures_are_normalized_alike():
    stack = np.random.default_rng(0).integers(0, 256, (1, 40, 30, 3)).astype(np.uint8)
    (normal,) = pyramid.few_at_once(stack)
    assert normal.dtype == np.float32
    whole = pyramid._reduced(stack[0], (24, 18), 0, 24)
    np.testing.assert_array_equal(whole, pyramid._reduced(normal[0], (24, 18), 0, 24))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scale", [1.0, 0.999, 0.6, 0.4254, 0.1])
def test_pixels_are_means_of_areas(size, scale):
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    target = max(1, int(size[0] * scale)), max(1, int(size[1] * scale))
    expected = tf.image.resize((picture - 127.5) / 128, target, method="area").numpy()
    found = pyramid._reduced(picture, target, 0, target[0])
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_parts_of_a_reduced_picture_are_those_of_the_whole(monkeypatch):
    picture = np.random.default_rng(0).integers(0, 256, (301, 203, 3)).astype(np.uint8)
    whole = pyramid._reduced(picture, (128, 86), 0, 128)
    monkeypatch.setattr(pyramid, "_BAND_PIXELS", 2_000)
    np.testing.assert_allclose(
        pyramid._reduced(picture, (128, 86), 17, 90), whole[17:90], atol=1e-4
    )


@pytest.mark.parametrize("height", range(12, 60))
@pytest.mark.parametrize("rows", [1, 3, 100])
def test_strips_have_every_row_of_cells_once(height, rows):
    cells = 0
    for first, start, stop in pyramid._strips(height, rows):
        assert first == cells and start == 2 * first and 11 <= stop - start <= 2 * rows + 11
        # What P-Net makes of so many pixels: two less, half of it rounded up, four less.
        cells += -(-(stop - start - 2) // 2) - 4
    assert stop == height and cells == -(-(height - 2) // 2) - 4


@pytest.mark.parametrize("shape", [(1, 97, 131), (3, 64, 65)])
@pytest.mark.parametrize("scale", [1.0, 0.6])
@pytest.mark.parametrize(("run", "band"), [(300, 2_000_000), (32_000, 3_000), (500, 900)])
def test_small_pieces_give_the_cells_of_the_whole(engine, monkeypatch, shape, scale, run, band):
    rng = np.random.default_rng(1)
    scene = cv2.resize(crowd(), (shape[2], shape[1])).astype(int)
    pictures = np.clip(scene + rng.integers(-30, 31, (*shape, 3)), 0, 255).astype(np.uint8)
    expected = pyramid.candidates(engine, pictures, scale, 0.3)
    monkeypatch.setattr(pyramid, "_RUN_PIXELS", run)
    monkeypatch.setattr(pyramid, "_RUN_ROWS", 1)
    monkeypatch.setattr(pyramid, "_BAND_PIXELS", band)
    found = pyramid.candidates(engine, pictures, scale, 0.3)
    assert sum(len(one.cells) for one in expected) > 10
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.cells, other.cells)
        np.testing.assert_allclose(one.offsets, other.offsets, atol=1e-4)
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-4)


@pytest.mark.parametrize("side", [12, 12.5, 20, 47.3, 300])
@pytest.mark.parametrize("factor", [0.1, 0.5, 0.709, 0.95])
def test_scales_reach_from_the_smallest_face_to_the_picture(side, factor):
    found = pyramid.scales(400, 300, side, factor)
    assert found[0] == pyramid.CELL / side
    assert int(300 * found[-1]) >= 12 > int(300 * found[-1] * factor)
    np.testing.assert_allclose(np.divide(found[1:], found[:-1]), factor)


def test_pictures_smaller_than_a_face_have_no_scales():
    assert pyramid.scales(19, 500, 20, 0.709) == []


def canvas(height, width, places):
    """Grey noise with the astronaut's head, 80 pixels wide, at some places (top, left)."""
    rng = np.random.default_rng(0)
    picture = rng.integers(100, 140, (height, width, 1), np.uint8).repeat(3, 2)
    head = astronaut()[0:220, 120:330]
    for top, left in places:
        picture[top : top + 220, left : left + 210] = head
    return picture


def assert_found(faces, places):
    """The box begins 62 pixels right of and 64 below the head's corner."""
    corners = sorted((round(face.box[1] - 64, -1), round(face.box[0] - 62, -1)) for face in faces)
    assert len(corners) == len(places)
    np.testing.assert_allclose(corners, sorted(places), atol=15)


def test_pieces_lose_no_face(monkeypatch):
    places = [(0, 0), (330, 40), (150, 700), (480, 590), (10, 420)]
    monkeypatch.setattr(pyramid, "_BAND_PIXELS", 40_000)
    monkeypatch.setattr(pyramid, "_RUN_PIXELS", 10_000)
    detector = MtcnnDetector(min_face_size=40)
    assert_found(detector.detect([canvas(700, 910, places)])[0], places)


MEMORY = """
import resource, sys
from facenet_tf.detection.mtcnn import MtcnnDetector
from tests.detection.test_pyramid import assert_found, canvas

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

detector = MtcnnDetector()
places = [(0, 0), (7780, 9790), (3950, 4871), (40, 5003), (6001, 77)]
picture = canvas(8000, 10000, places)
detector.detect([picture[:500, :500]])
before = peak()
assert_found(detector.detect([picture])[0], places)
print((peak() - before) / picture.nbytes)
"""


@pytest.mark.slow
def test_eighty_megapixels_take_bounded_memory():
    """A face above the smallest size is found anywhere, by not much more than the picture."""
    command = [sys.executable, "-c", MEMORY]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert float(done.stdout) < 4
