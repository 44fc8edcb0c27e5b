"""Other views of a picture: what they show, and the way back."""

import cv2
import numpy as np
import pytest

from facenet_tf.detection import Face
from facenet_tf.detection.recovery import LADDER
from facenet_tf.detection.views import ViewKind, make_view

FILLS = [cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT_101, cv2.BORDER_CONSTANT]
KINDS = {rung.name: rung.view for rung in LADDER if not rung.view.equalised}


def ramps(height=60, width=50):
    """A picture whose red grows by 4 a pixel to the right, its green by 4 a pixel downwards."""
    y, x = np.mgrid[:height, :width]
    return np.stack([4 * x, 4 * y, 0 * x], -1).astype(np.uint8)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_each_pixel_comes_from_where_the_way_back_says(kind):
    picture = ramps()
    view = make_view(picture, kind)
    height, width = view.pixels.shape[:2]
    y, x = np.mgrid[:height, :width]
    source = np.stack([x, y, np.ones_like(x)], -1) @ view.back.T
    inside = ((source > 2) & (source < np.array([50, 60]) - 3)).all(-1)
    assert inside.sum() > 0.5 * picture[..., 0].size
    # Half a grey level is an eighth of a pixel; OpenCV interpolates at 1/32 of a pixel.
    shown = view.pixels[..., :2] / 4
    np.testing.assert_allclose(shown[inside], source[inside], atol=0.3)
    assert abs((shown - source)[inside].mean()) < 0.03


@pytest.mark.parametrize("fill", FILLS)
def test_a_border_is_the_one_of_opencv(fill):
    picture = np.random.default_rng(0).integers(0, 256, (80, 61, 3)).astype(np.uint8)
    mean = picture.mean((0, 1)).tolist()
    expected = cv2.copyMakeBorder(picture, 20, 20, 20, 20, fill, value=mean)
    view = make_view(picture, ViewKind(1, 0.25, fill))
    np.testing.assert_array_equal(view.pixels, expected)
    np.testing.assert_allclose(view.back, [[1, 0, -20], [0, 1, -20]], atol=1e-12)


@pytest.mark.parametrize(("angle", "turns"), [(90, -1), (-90, 1)])
def test_a_quarter_turn_moves_pixels_onto_pixels(angle, turns):
    picture = np.random.default_rng(0).integers(0, 256, (30, 47, 3)).astype(np.uint8)
    view = make_view(picture, ViewKind(1, 0, cv2.BORDER_CONSTANT, angle=angle))
    np.testing.assert_array_equal(view.pixels, np.rot90(picture, turns))


def test_a_turned_picture_is_shown_whole():
    picture = np.full((40, 90, 3), 255, np.uint8)
    picture[1:-1, 1:-1] = 100
    view = make_view(picture, ViewKind(1, 0.0, cv2.BORDER_CONSTANT, angle=30))
    corners = np.array([[0, 0], [89, 0], [0, 39], [89, 39]])
    there = cv2.invertAffineTransform(view.back)
    places = corners @ there[:, :2].T + there[:, 2]
    height, width = view.pixels.shape[:2]
    assert (places >= -1).all() and (places <= [width, height]).all()
    assert (width, height) == (round(90 * 0.8660254 + 20), round(45 + 40 * 0.8660254))


def test_equalisation_spreads_the_luminance_and_leaves_the_geometry():
    rng = np.random.default_rng(0)
    dull = rng.integers(100, 110, (60, 60, 3)).astype(np.uint8)
    plain = ViewKind(1, 0.25, cv2.BORDER_CONSTANT)
    equalised = ViewKind(1, 0.25, cv2.BORDER_CONSTANT, equalised=True)
    before, after = make_view(dull, plain), make_view(dull, equalised)
    inner = np.s_[15:-15, 15:-15]
    assert after.pixels[inner].std() > 2 * before.pixels[inner].std()
    np.testing.assert_array_equal(after.back, before.back)


def test_a_face_is_mapped_by_any_similarity():
    face = Face(
        (10.0, 20.0, 30.0, 40.0),
        0.9,
        np.array([[15, 30], [35, 30], [25, 40], [18, 50], [32, 50]], float),
    )
    moved = face.mapped(np.array([[2, 0, 5], [0, 2, -3]], float))
    assert moved.box == pytest.approx((25, 37, 60, 80)) and moved.confidence == 0.9
    np.testing.assert_allclose(moved.landmarks, face.landmarks * 2 + [5, -3])
    # A quarter turn clockwise: x' = -y, y' = x. Its corners are those of the box, turned.
    lying = face.mapped(np.array([[0, -1, 0], [1, 0, 0]], float))
    assert lying.box == pytest.approx((-60, 10, 40, 30))
    np.testing.assert_allclose(lying.landmarks[1], [-30, 35])
    # By 30 degrees the box keeps its sides, about the turned centre.
    sine, cosine = 0.5, np.sqrt(0.75)
    left, top, width, height = face.mapped(np.array([[cosine, -sine, 0], [sine, cosine, 0]])).box
    assert (width, height) == pytest.approx((30, 40))
    centre = [25 * cosine - 40 * sine, 25 * sine + 40 * cosine]
    assert [left + 15, top + 20] == pytest.approx(centre)
