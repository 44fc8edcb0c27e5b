"""Quality against heads made of points in space, turned pictures, blur and light."""

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from facenet_tf.preprocessing import FIVE_POINTS_112
from facenet_tf.quality import exposure, measure_quality, pose, sharpness

# Pupils, tip of the nose, corners of the mouth of an adult in millimetres: x to the right as seen,
# y down, z towards the camera.
HEAD = np.array(
    [[-31.5, 0, 0], [31.5, 0, 0], [0, 36, 25.0], [-25.5, 70, 3], [25.5, 70, 3]], np.float64
)
YAWS = np.arange(-75, 76, 15)


def photograph(yaw=0.0, pitch=0.0, roll=0.0, distance=np.inf):
    """Landmarks [5, 2] in pixels of a head that looks to the right, and is turned clockwise."""
    turned = Rotation.from_euler("yxz", [yaw, pitch, roll], degrees=True).apply(HEAD)
    scale = 3.0 / (1 - turned[:, 2:] / distance)
    return turned[:, :2] * scale + [400, 300]


def turned_about(points, degrees, centre):
    """Points after a clockwise turn as seen, by OpenCV's own matrix (counter-clockwise)."""
    matrix = cv2.getRotationMatrix2D(centre, -degrees, 1.0)
    return points @ matrix[:, :2].T + matrix[:, 2]


@pytest.fixture(scope="module")
def portrait():
    """A textured picture with an upright face, and its box and landmarks."""
    random = np.random.default_rng(3)
    coarse = random.integers(60, 180, (120, 120, 3)).astype(np.uint8)
    image = cv2.resize(coarse, (240, 240), interpolation=cv2.INTER_CUBIC)
    return image, (60.0, 40.0, 110.0, 130.0), FIVE_POINTS_112 + np.array([60, 60])


class TestRoll:
    @pytest.mark.parametrize("degrees", [-170, -90, -30, -1, 0, 12.5, 45, 90, 179])
    def test_is_the_angle_by_which_the_template_is_turned(self, degrees):
        yaw, roll = pose(turned_about(FIVE_POINTS_112, degrees, (300.0, 20.0)) * 1.7)
        assert roll == pytest.approx(degrees, abs=1e-9)
        assert yaw == pytest.approx(pose(FIVE_POINTS_112)[0], abs=1e-9)

    @pytest.mark.parametrize("roll", [-60, 0, 25])
    @pytest.mark.parametrize("yaw", [-45, 0, 30])
    def test_of_a_head_that_looks_aside(self, yaw, roll):
        assert pose(photograph(yaw=yaw, roll=roll))[1] == pytest.approx(roll, abs=3)


class TestYaw:
    def test_rises_with_the_angle_and_has_its_sign(self):
        found = [pose(photograph(yaw=yaw))[0] for yaw in YAWS]
        assert np.all(np.diff(found) > 0)
        np.testing.assert_array_equal(np.sign(np.round(found)), np.sign(YAWS))
        # The head is the average one, but for a mouth that is not in the plane of its eyes.
        np.testing.assert_allclose(found, YAWS, atol=3)

    def test_mirrored_is_the_opposite(self):
        points = photograph(yaw=30, pitch=10)
        mirrored = (points * [-1, 1])[[1, 0, 2, 4, 3]]
        assert pose(mirrored)[0] == pytest.approx(-pose(points)[0])

    @pytest.mark.parametrize("pitch", [-20, 20])
    def test_is_hardly_moved_by_pitch_roll_and_a_near_camera(self, pitch):
        for yaw in (-45, 0, 45):
            points = photograph(yaw=yaw, pitch=pitch, roll=30, distance=600)
            assert pose(points)[0] == pytest.approx(yaw, abs=4)

    def test_of_a_frontal_face_is_none(self):
        assert abs(pose(FIVE_POINTS_112)[0]) < 1

    def test_of_a_profile_whose_eyes_meet(self):
        points = FIVE_POINTS_112.copy()
        points[:2, 0] = points[:2, 0].mean()
        points[2] += [20, 0]
        assert 80 < pose(points)[0] <= 90

    def test_points_that_coincide(self):
        with pytest.raises(ValueError, match="coincide"):
            pose(np.zeros((5, 2)))


class TestSharpness:
    def test_of_known_pictures(self):
        assert sharpness(np.full((20, 20), 99, np.uint8)) == 0
        # A checkerboard of levels 0 and d: every Laplacian is +4d or -4d, mean 0.
        board = (np.indices((20, 20)).sum(0) % 2 * 7).astype(np.uint8)
        assert sharpness(board) == pytest.approx((4 * 7) ** 2)

    def test_falls_under_blur(self, portrait):
        image, box, landmarks = portrait
        blurred = [image] + [cv2.GaussianBlur(image, (0, 0), sigma) for sigma in (1, 2, 4)]
        found = [measure_quality(picture, box, landmarks).sharpness for picture in blurred]
        assert np.all(np.diff(found) < 0)
        assert found[-1] < found[0] / 10

    def test_falls_with_the_size_of_the_face_and_not_with_its_place(self, portrait):
        image, box, landmarks = portrait
        small = cv2.resize(image, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
        shrunk = measure_quality(small, box, (landmarks + 0.5) / 4 - 0.5).sharpness
        whole = measure_quality(image, box, landmarks).sharpness
        assert shrunk < whole / 3
        moved = cv2.copyMakeBorder(image, 30, 0, 50, 0, cv2.BORDER_CONSTANT)
        again = measure_quality(moved, box, landmarks + np.array([50, 30])).sharpness
        assert again == pytest.approx(whole, rel=1e-3)

    def test_background_does_not_count(self, portrait):
        image, box, landmarks = portrait
        noisy = np.random.default_rng(0).integers(0, 256, image.shape).astype(np.uint8)
        noisy[60:172, 60:172] = image[60:172, 60:172]  # the template's frame
        assert measure_quality(noisy, box, landmarks) == measure_quality(image, box, landmarks)


class TestExposure:
    def test_is_the_mean_level(self):
        assert exposure(np.zeros((4, 4), np.uint8)) == 0
        assert exposure(np.full((4, 4), 255, np.uint8)) == 1
        assert exposure(np.array([[0, 51]], np.uint8)) == pytest.approx(0.1)

    def test_follows_the_light(self, portrait):
        image, box, landmarks = portrait
        found = measure_quality(image, box, landmarks).exposure
        half = measure_quality(image // 2, box, landmarks).exposure
        assert half == pytest.approx(found / 2, abs=0.01)


def test_size_is_the_shorter_side_of_the_box(portrait):
    image, _, landmarks = portrait
    assert measure_quality(image, (3.0, 4.0, 50.5, 60.0), landmarks).face_size == 50.5
    assert measure_quality(image, (3.0, 4.0, 70.0, 60.0), landmarks).face_size == 60


def test_of_a_grey_picture(portrait):
    image, box, landmarks = portrait
    with pytest.raises(ValueError, match="uint8"):
        measure_quality(image[..., 0], box, landmarks)
