import os
import sys
from pathlib import Path

import numpy as np
import pytest

from facenet_tf import cli
from facenet_tf.commands import fit_template as command
from facenet_tf.detection import Face
from facenet_tf.detection.mtcnn import MtcnnDetector
from facenet_tf.errors import InputError
from facenet_tf.preprocessing import DLIB_150
from facenet_tf.pretrained import template
from facenet_tf.pretrained.dlib_package import LANDMARKS, package_file
from facenet_tf.pretrained.template import Template, TemplateConfig, chip_transform, template_of


def turned(scale, angle, shift):
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[cosine, -sine, shift[0]], [sine, cosine, shift[1]]])


def moved(points, matrix):
    return points @ matrix[:, :2].T + matrix[:, 2]


def inverse(matrix):
    return np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]


def faces(count, noise=0.0, seed=0):
    """Landmarks in pictures, and the frames in which they lie at DLIB_150, but for the noise."""
    random = np.random.default_rng(seed)
    frames = np.stack(
        [
            turned(*random.uniform([0.5, -0.5], [2, 0.5]), random.normal(size=2) * 50)
            for _ in range(count)
        ]
    )
    lying = DLIB_150 + random.normal(size=(count, 5, 2)) * noise
    return np.stack([moved(*pair) for pair in zip(lying, map(inverse, frames))]), frames


def test_finds_where_the_points_lie():
    found = template_of(*faces(20))
    np.testing.assert_allclose(found.points, DLIB_150, atol=1e-9)
    np.testing.assert_allclose(found.scatter, 0, atol=1e-9)
    assert found.residual < 1e-9
    assert found.faces == 20


def test_a_few_wrong_faces_do_not_matter():
    landmarks, frames = faces(200, noise=1.0)
    landmarks[:20] = landmarks[:20, ::-1]
    found = template_of(landmarks, frames)
    np.testing.assert_allclose(found.points, DLIB_150, atol=0.4)
    # Of a normal distribution the median distance from the mean is 0.67.
    np.testing.assert_allclose(found.scatter.mean(), 0.75, atol=0.1)


def test_residual_is_how_far_the_crop_is_off():
    """Points that all lie so many pixels lower move the crop by as much."""
    landmarks, frames = faces(5)
    frames[:, 1, 2] += [-2, -1, 0, 1, 2]
    found = template_of(landmarks, frames)
    np.testing.assert_allclose(found.points, DLIB_150, atol=1e-9)
    assert found.residual == pytest.approx(1)


@pytest.mark.parametrize(("scale", "angle"), [(1.0, 0.0), (0.6, 0.3), (2.5, -0.7)])
def test_chip_transform_follows_the_face(scale, angle):
    frame = (template.MEAN_FACE + 0.25) / 1.5 * 150
    to_picture = turned(scale, angle, (40, 60))
    found = moved(moved(frame, to_picture), chip_transform(moved(frame, to_picture)))
    # The chip's pixel 0 has its centre at 0.5 of dlib's frame.
    np.testing.assert_allclose(found, frame - 0.5, atol=0.5 / scale)
    np.testing.assert_allclose(found.mean(0), frame.mean(0) - 0.5, atol=0.2)


def test_chip_transform_is_dlibs():
    dlib = pytest.importorskip("dlib", reason="needs the extra `dlib`")
    import cv2
    from skimage import data

    image = data.astronaut()
    locate = dlib.shape_predictor(str(package_file(LANDMARKS)))
    (box,) = dlib.get_frontal_face_detector()(image)
    shape = locate(image, box)
    chip = dlib.get_face_chip(image, shape, size=150, padding=0.25).astype(float)
    corners = np.array([[part.x, part.y] for part in shape.parts()], float)
    ours = cv2.warpAffine(image, chip_transform(corners), (150, 150)).astype(float)
    assert np.abs(ours - chip).mean() < 1
    aside = cv2.warpAffine(image, chip_transform(corners + np.array([0.5, 0])), (150, 150)).astype(
        float
    )
    assert np.abs(aside - chip).mean() > 2 * np.abs(ours - chip).mean()


class Box:
    def __init__(self, *sides):
        self.sides = dict(zip(("left", "top", "right", "bottom"), sides, strict=True))

    def __getattr__(self, name):
        return lambda: self.sides[name]


def test_a_face_is_that_whose_nose_is_in_the_box():
    near, far = (Face((0, 0, 9, 9), 0.9, DLIB_150 + away) for away in (0, 500))
    box = Box(50, 50, 100, 100)
    assert template._the_face_in(box, [far, near]) is near
    assert template._the_face_in(box, [far]) is None
    assert template._the_face_in(box, [near, near]) is None


def test_command_prints_template_and_residual(monkeypatch, capsys):
    made = Template(DLIB_150, np.full((5, 2), 0.75), 1.25, 321)
    monkeypatch.setattr(template, "fit_template", lambda config, detector: made)
    command.main(["somewhere", "--pictures", "5"])
    printed = capsys.readouterr().out
    assert f"{DLIB_150[0, 0]:.2f}" in printed
    assert "321 faces" in printed
    assert "1.25 of 150 pixels" in printed


def test_missing_dlib_names_the_extra(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(SystemExit) as stop:
        cli.run(command.main, ["somewhere"])
    assert stop.value.code == cli.BAD_INPUT
    assert "facenet-tf[dlib]" in capsys.readouterr().err


@pytest.mark.slow
def test_template_of_the_package_is_what_the_command_finds():
    pytest.importorskip("dlib", reason="needs the extra `dlib`")
    if "FACENET_TF_DATA" not in os.environ:
        pytest.skip("FACENET_TF_DATA names no directory with lfw/")
    lfw = Path(os.environ["FACENET_TF_DATA"], "lfw")
    config = TemplateConfig(lfw / "images", lfw / "peopleDevTrain.txt", pictures=150, seed=1)
    found = template.fit_template(config, MtcnnDetector())
    np.testing.assert_allclose(found.points, DLIB_150, atol=1)
    assert found.residual < 6


def test_missing_folder_is_bad_input(tmp_path):
    with pytest.raises(InputError):
        template.fit_template(TemplateConfig(tmp_path / "none"), MtcnnDetector())
