"""The face crop: template fit, resampling, fingerprint."""

import dataclasses
import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from facenet_tf.errors import InputError
from facenet_tf.preprocessing import (
    FIVE_POINTS_112,
    Preprocessing,
    align_face,
    central_window,
    centre_crop,
    check_same_preprocessing,
    landmark_rmse,
    similarity_transform,
)

VECTORS = json.loads((Path(__file__).parent / "data" / "vectors.json").read_text())
SIMILARITIES = VECTORS["similarity_112"]


def gradient(height, width):
    """Red is x, green is y, blue is 100: a crop then tells where it was taken from."""
    y, x = np.mgrid[:height, :width]
    return np.dstack([x, y, np.full_like(x, 100)]).astype(np.uint8)


def inverse(matrix):
    return np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]


class TestSimilarityTransform:
    @pytest.mark.parametrize("name", SIMILARITIES)
    def test_equals_the_conformance_matrices_at_112(self, name):
        landmarks = np.array(SIMILARITIES[name]["landmarks"])
        fit = similarity_transform(landmarks, Preprocessing().template())
        np.testing.assert_allclose(fit.matrix, SIMILARITIES[name]["M"], atol=1e-6)

    @pytest.mark.parametrize("name", SIMILARITIES)
    def test_equals_the_conformance_matrices_at_160(self, name):
        landmarks = np.array(SIMILARITIES[name]["landmarks"])
        fit = similarity_transform(landmarks, Preprocessing(size=160).template())
        np.testing.assert_allclose(fit.matrix, VECTORS["similarity_160_scaled"][name], atol=1e-6)

    @pytest.mark.parametrize("name", SIMILARITIES)
    def test_the_template_of_112x96_lies_8_pixels_to_the_left(self, name):
        template = Preprocessing(width=96).template()
        # SphereFace's own landmarks, of which ArcFace's are 8 pixels further to the right.
        theirs = [[30.2946, 51.6963], [65.5318, 51.5014], [48.0252, 71.7366]]
        theirs += [[33.5493, 92.3655], [62.7299, 92.2041]]
        np.testing.assert_allclose(template, theirs, atol=1e-9)
        fit = similarity_transform(np.array(SIMILARITIES[name]["landmarks"]), template)
        expected = np.array(SIMILARITIES[name]["M"]) - [[0, 0, 8], [0, 0, 0]]
        np.testing.assert_allclose(fit.matrix, expected, atol=1e-6)

    def test_other_sizes_scale_the_whole_frame(self):
        doubled = Preprocessing(size=224, width=192).template()
        np.testing.assert_allclose(doubled, 2 * Preprocessing(width=96).template())

    def test_mirrored_points_have_a_large_error(self):
        fit = similarity_transform(SIMILARITIES["mirrored"]["landmarks"], FIVE_POINTS_112)
        assert fit.scale == pytest.approx(0.2253, abs=1e-4)
        assert fit.rmse == pytest.approx(22.6, abs=0.05)
        assert np.linalg.det(fit.matrix[:, :2]) > 0

    def test_no_other_similarity_is_nearer(self):
        rng = np.random.default_rng(3)
        source, target = rng.normal(size=(2, 5, 2)) * 20
        fit = similarity_transform(source, target)
        a, b = fit.matrix[0, 0], fit.matrix[1, 0]
        for da, db, dx, dy in np.vstack([np.eye(4), -np.eye(4)]) * 1e-3:
            other = np.array(
                [[a + da, -b - db, fit.matrix[0, 2] + dx], [b + db, a + da, fit.matrix[1, 2] + dy]]
            )
            moved = source @ other[:, :2].T + other[:, 2]
            assert math.sqrt(((moved - target) ** 2).sum(1).mean()) > fit.rmse

    def test_two_points_are_met_exactly(self):
        source, target = np.array([[3.0, 4.0], [9.0, 1.0]]), np.array([[10.0, 10.0], [20.0, 30.0]])
        fit = similarity_transform(source, target)
        np.testing.assert_allclose(
            source @ fit.matrix[:, :2].T + fit.matrix[:, 2], target, atol=1e-9
        )
        assert fit.rmse < 1e-9
        assert np.linalg.det(fit.matrix[:, :2]) > 0

    @pytest.mark.parametrize(
        "points", [np.ones((5, 2)), np.full((5, 2), np.nan), np.ones((1, 2)), np.ones(5)]
    )
    def test_refuses_points_that_decide_nothing(self, points):
        with pytest.raises(ValueError):
            similarity_transform(points, np.zeros_like(points))


class TestAlignFace:
    def test_an_aligned_face_comes_out_as_it_is(self):
        image = np.random.default_rng(0).integers(0, 256, (112, 112, 3)).astype(np.uint8)
        crop = align_face(image, FIVE_POINTS_112, Preprocessing())
        np.testing.assert_array_equal(crop.pixels, image)
        assert crop.rmse < 1e-9

    @pytest.mark.parametrize("alignment", ["five_points", "eyes", "dlib"])
    @pytest.mark.parametrize("size", [64, 112, 160])
    def test_pixels_come_from_where_the_matrix_says(self, alignment, size):
        landmarks = FIVE_POINTS_112 * 1.3 + [40, 30]
        crop = align_face(gradient(250, 250), landmarks, Preprocessing(alignment, size))
        y, x = np.mgrid[:size, :size]
        source = np.stack([x, y, np.ones_like(x)], -1) @ inverse(crop.matrix).T
        seen = (source > 1).all(-1) & (source < 248).all(-1)
        assert seen.mean() > 0.5
        # Half a grey level for averaging before the warp, half for the warp, and OpenCV 4 takes
        # positions on a grid of 1/32 pixel of a picture that may be reduced to half.
        np.testing.assert_allclose(crop.pixels[..., :2][seen], source[seen], atol=1 + 2 / 32)

    @pytest.mark.parametrize("magnification", [2.2, 3.0, 5.0, 7.3])
    @pytest.mark.parametrize("shift", [(0, 0), (37, 11), (300, 250)])
    def test_reducing_keeps_the_geometry(self, magnification, shift):
        slope = 1.6 / magnification
        y, x = np.mgrid[:900, :1000]
        ramps = 30 + slope * np.dstack([x - shift[0], y - shift[1], x * 0])
        # Noise keeps the rounding to grey levels from adding up.
        ramps += np.random.default_rng(0).uniform(-9, 9, ramps.shape)
        image = np.clip(np.rint(ramps), 0, 255).astype(np.uint8)
        landmarks = FIVE_POINTS_112 * magnification + shift
        crop = align_face(image, landmarks, Preprocessing())
        inner = crop.pixels[2:80, 2:80, :2].astype(float)
        rows, columns = np.mgrid[2:80, 2:80]
        expected = 30 + 1.6 * np.dstack([columns, rows])
        pixels_off = (inner - expected).mean((0, 1)) / slope
        assert np.abs(pixels_off).max() < 0.35

    def test_dlib_template_is_in_the_chip_of_150_pixels(self):
        template = Preprocessing("dlib", 150).template()
        # dlib's five points are four corners of the eyes and the base of the nose: the eyes are
        # between their corners, here by its mean face with a quarter of padding.
        corners = np.array([[0.8596, 0.2135], [0.6461, 0.2290], [0.1206, 0.2137], [0.3341, 0.2291]])
        chip = (corners + 0.25) / 1.5 * 150
        np.testing.assert_allclose(template[0], chip[2:].mean(0), atol=3)
        np.testing.assert_allclose(template[1], chip[:2].mean(0), atol=3)
        np.testing.assert_allclose(Preprocessing("dlib", 75).template(), template / 2)

    def test_reducing_does_not_alias(self):
        stripes = np.zeros((800, 800, 3), np.uint8)
        stripes[:, ::2] = 255
        crop = align_face(stripes, FIVE_POINTS_112 * 6, Preprocessing())
        assert np.ptp(crop.pixels[8:-8, 8:-8]) <= 45

    def test_reducing_resembles_area_averaging(self):
        rng = np.random.default_rng(1)
        image = cv2.resize(rng.integers(0, 256, (56, 56, 3)).astype(np.uint8), (448, 448))
        landmarks = (FIVE_POINTS_112 + 0.5) * 4 - 0.5
        crop = align_face(image, landmarks, Preprocessing())
        expected = image.reshape(112, 4, 112, 4, 3).mean((1, 3))
        assert np.abs(crop.pixels - expected)[2:-2, 2:-2].max() <= 1

    def test_the_error_is_that_of_five_points_at_112_whatever_the_crop(self):
        landmarks = FIVE_POINTS_112 + np.random.default_rng(5).normal(size=(5, 2)) * 3
        expected = landmark_rmse(landmarks)
        image = gradient(112, 112)
        for preprocessing in [Preprocessing(), Preprocessing("eyes", 64), Preprocessing(size=224)]:
            assert align_face(image, landmarks, preprocessing).rmse == pytest.approx(expected)

    def test_eyes_come_to_lie_at_35_percent(self):
        landmarks = np.array([[100, 120], [160, 110], [130, 150], [110, 180], [155, 175]], float)
        crop = align_face(gradient(250, 250), landmarks, Preprocessing("eyes", 100))
        eyes = landmarks[:2] @ crop.matrix[:, :2].T + crop.matrix[:, 2]
        np.testing.assert_allclose(eyes, [[35, 35], [65, 35]], atol=1e-9)

    def test_grey_is_one_channel_of_luma(self):
        image = np.full((112, 112, 3), [200, 100, 50], np.uint8)
        crop = align_face(image, FIVE_POINTS_112, Preprocessing(color="grey"))
        assert crop.pixels.shape == (112, 112, 1)
        assert abs(int(crop.pixels[50, 50, 0]) - (0.299 * 200 + 0.587 * 100 + 0.114 * 50)) <= 1

    def test_outside_is_the_edge_or_black(self):
        image = np.full((112, 112, 3), 80, np.uint8)
        away = FIVE_POINTS_112 + 60
        assert align_face(image, away, Preprocessing(border="replicate")).pixels.min() == 80
        assert align_face(image, away, Preprocessing(border="constant")).pixels[
            -1, -1
        ].tolist() == [0, 0, 0]

    @pytest.mark.parametrize("scale", [1, 6])
    def test_a_face_wholly_outside_is_the_nearest_edge(self, scale):
        image = np.full((50, 60, 3), 80, np.uint8)
        crop = align_face(image, FIVE_POINTS_112 * scale + 5000, Preprocessing())
        assert (crop.pixels == 80).all()

    @pytest.mark.parametrize("alignment", ["five_points", "eyes"])
    @pytest.mark.parametrize("magnification", [1.3, 4.4])
    def test_a_narrow_crop_is_the_middle_of_the_square_one(self, alignment, magnification):
        noise = np.random.default_rng(2).integers(0, 256, (500, 520, 3)).astype(np.uint8)
        image = cv2.GaussianBlur(noise, (0, 0), 3)
        landmarks = FIVE_POINTS_112 * magnification + 10
        square = align_face(image, landmarks, Preprocessing(alignment))
        narrow = align_face(image, landmarks, Preprocessing(alignment, width=96))
        assert narrow.pixels.shape == (112, 96, 3)
        moved = narrow.matrix - square.matrix
        np.testing.assert_allclose(moved, [[0, 0, -8], [0, 0, 0]], atol=1e-9)
        if magnification < 2:  # else what is averaged begins elsewhere
            off = narrow.pixels.astype(int) - square.pixels[:, 8:104]
            # OpenCV 4 takes positions on a grid of 1/32 pixel, and may take the next one.
            assert np.abs(off).max() <= 2 and (off != 0).mean() < 0.01

    def test_a_wide_crop_has_the_square_one_in_its_middle(self):
        image = np.random.default_rng(2).integers(0, 256, (300, 300, 3)).astype(np.uint8)
        wide = align_face(image, FIVE_POINTS_112 + 90, Preprocessing(width=128))
        np.testing.assert_array_equal(wide.pixels[:, 8:120], image[90:202, 90:202])

    @pytest.mark.parametrize("shape", [(50, 50), (50, 50, 4), (0, 50, 3)])
    def test_refuses_what_is_no_rgb_picture(self, shape):
        with pytest.raises(ValueError, match="uint8"):
            align_face(np.zeros(shape, np.uint8), FIVE_POINTS_112, Preprocessing())


class TestCentreCrop:
    def test_a_square_of_the_right_size_is_untouched(self):
        image = np.random.default_rng(0).integers(0, 256, (96, 96, 3)).astype(np.uint8)
        crop = centre_crop(image, Preprocessing(size=96))
        np.testing.assert_array_equal(crop.pixels, image)
        assert math.isnan(crop.rmse)

    @pytest.mark.parametrize("shape", [(250, 180), (180, 250)])
    def test_takes_the_central_square(self, shape):
        crop = centre_crop(gradient(*shape), Preprocessing(size=60))
        red, green = crop.pixels[..., 0].mean(), crop.pixels[..., 1].mean()
        assert red == pytest.approx((shape[1] - 1) / 2, abs=0.6)
        assert green == pytest.approx((shape[0] - 1) / 2, abs=0.6)
        assert np.ptp(crop.pixels[..., 0]) == pytest.approx(180 * 59 / 60, abs=2)

    @pytest.mark.parametrize("shape", [(250, 180), (180, 250), (60, 300)])
    def test_takes_the_middle_in_the_proportions_of_the_crop(self, shape):
        preprocessing = Preprocessing(size=112, width=96)
        crop = centre_crop(gradient(*shape), preprocessing)
        left, top, width, height = central_window(gradient(*shape), preprocessing)
        assert width / height == pytest.approx(96 / 112)
        assert width == shape[1] or height == shape[0]
        assert left + width / 2 == shape[1] / 2 and top + height / 2 == shape[0] / 2
        assert crop.pixels.shape == (112, 96, 3)
        assert crop.pixels[..., 0].mean() == pytest.approx((shape[1] - 1) / 2, abs=0.6)
        assert crop.pixels[..., 1].mean() == pytest.approx((shape[0] - 1) / 2, abs=0.6)

    def test_one_pixel_is_enough(self):
        assert (centre_crop(np.full((1, 1, 3), 9, np.uint8), Preprocessing()).pixels == 9).all()


class TestFingerprint:
    OTHER = {
        "alignment": "eyes",
        "size": 160,
        "color": "grey",
        "resampling": "cubic",
        "border": "constant",
        "normalization": "per_image",
        "width": 96,
    }

    def test_every_field_changes_it(self):
        assert set(self.OTHER) == {field.name for field in dataclasses.fields(Preprocessing)}
        prints = [
            dataclasses.replace(Preprocessing(), **{k: v}).fingerprint()
            for k, v in self.OTHER.items()
        ]
        assert len({Preprocessing().fingerprint(), *prints}) == len(prints) + 1

    def test_is_sixteen_hex_digits_and_stays(self):
        text = Preprocessing().fingerprint()
        assert len(text) == 16 and int(text, 16) >= 0
        assert text == "403b63430a9fe5ed"  # of version 1: what is stored must be known again

    def test_of_crops_made_before_stay(self):
        """What earlier releases wrote into datasets and models."""
        eyes = Preprocessing("eyes", 96, normalization="per_image")
        assert eyes.fingerprint() == "be02143f37443679"

    def test_grey_has_no_mean_of_three_colours(self):
        with pytest.raises(InputError, match="'dlib' has a mean for each of three colours"):
            Preprocessing(color="grey", normalization="dlib")
        Preprocessing(color="grey", normalization="fixed")

    def test_square_crops_are_described_as_before_there_were_others(self):
        fields = ["alignment", "size", "color", "resampling", "border", "normalization"]
        assert list(Preprocessing().to_dict()) == [*fields, "version"]
        assert Preprocessing(size=96, width=96) == Preprocessing(size=96)

    def test_survives_json(self):
        value = Preprocessing("eyes", 96, "grey", "cubic", "constant", "per_image", 80)
        assert Preprocessing.from_dict(json.loads(json.dumps(value.to_dict()))) == value

    @pytest.mark.parametrize("change", [{"extra": 1}, {"size": None}])
    def test_a_dictionary_of_another_version_is_refused(self, change):
        values = {**Preprocessing().to_dict(), **change}
        values = {name: value for name, value in values.items() if value is not None}
        with pytest.raises(InputError, match=next(iter(change))):
            Preprocessing.from_dict(values)

    def test_crops_of_another_version_are_refused(self):
        written = Preprocessing().to_dict()
        with pytest.raises(InputError, match="version 2 of the crop, this is 1"):
            Preprocessing.from_dict({**written, "version": 2})
        del written["version"]  # the first version did not say so
        assert Preprocessing.from_dict(written) == Preprocessing()

    def test_equal_ones_pass(self):
        check_same_preprocessing(Preprocessing(), Preprocessing(), "model and dataset")

    def test_every_difference_is_named(self):
        other = Preprocessing("eyes", 160)
        with pytest.raises(InputError) as caught:
            check_same_preprocessing(Preprocessing(), other, "model m.keras and dataset d")
        text = str(caught.value)
        for part in [
            "model m.keras and dataset d",
            Preprocessing().fingerprint(),
            other.fingerprint(),
            "alignment: five_points and eyes",
            "size: 112 and 160",
        ]:
            assert part in text
        assert "border" not in text

    @pytest.mark.parametrize(
        "values",
        [
            {"size": 5},
            {"size": 5000},
            {"size": 112.0},
            {"color": "cmyk"},
            {"alignment": "nose"},
            {"width": 8},
            {"width": 96.0},
        ],
    )
    def test_unknown_values_are_refused(self, values):
        with pytest.raises(InputError, match=next(iter(values))):
            Preprocessing(**values)
