"""Where MTCNN's five points lie in the chip that dlib cuts by points of its own.

dlib's network wants the chip of `get_face_chip` (150×150, padding 0.25), which is fitted to four
corners of the eyes and the base of the nose. Any other frame costs it many points of accuracy, so
that MTCNN's points need a template of their own: the median of where they come to lie.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tyro.conf import Positional

from facenet_tf.datasets import folder, lfw
from facenet_tf.detection import Detector, Face
from facenet_tf.errors import InputError
from facenet_tf.pictures import UnreadablePicture, decode_picture
from facenet_tf.preprocessing import similarity_transform
from facenet_tf.pretrained.dlib_package import LANDMARKS, package_file

logger = logging.getLogger(__name__)

SIDE = 150
PADDING = 0.25
# Outer and inner corner of the person's left eye, of the right eye, base of the nose: the mean
# face in its own square (get_face_chip_details in dlib/image_transforms/interpolation.h).
MEAN_FACE = np.array(
    [
        [0.8595674595992, 0.2134981538014],
        [0.6460604764104, 0.2289674387677],
        [0.1205750620789, 0.2137274526848],
        [0.3340850613712, 0.2290642403242],
        [0.4901123135679, 0.6277975316475],
    ]
)


@dataclass(frozen=True)
class TemplateConfig:
    """What `data_prep/fit_template.py` does."""

    directory: Positional[Path] = Path("lfw")
    """Folder of person/picture."""
    people: Path | None = None
    """Only these people: a file such as LFW's peopleDevTrain.txt."""
    pictures: int = 1000
    """How many pictures are drawn at most."""
    seed: int = 0
    """Of the draw."""


class Template(NamedTuple):
    """Left eye, right eye, nose, left and right mouth corner in the chip of 150×150 pixels."""

    points: NDArray[np.float64]
    """[5, 2], the median over the faces."""
    scatter: NDArray[np.float64]
    """[5, 2], median distance from it along x and y."""
    residual: float
    """How far a crop by this template is from dlib's: root mean square over the chip in pixels,
    median over the faces."""
    faces: int


def fit_template(config: TemplateConfig, detector: Detector) -> Template:
    """Find the faces of a folder's pictures by `detector` and by dlib, and fit.

    Raises:
        InputError: no such folder or list of people, a package is missing, or hardly a face is
            found by both.
    """
    dlib = _dlib()
    find, locate = dlib.get_frontal_face_detector(), dlib.shape_predictor(_landmark_model())
    points, frames = [], []
    for image in _pictures(config):
        for box in find(image):
            face = _the_face_in(box, detector.detect([image])[0])
            if face is not None:
                points.append(face.landmarks)
                frames.append(chip_transform(_corners(locate(image, box))))
    if len(points) < 10:
        raise InputError(f"{config.directory}: {len(points)} faces are too few: give more pictures")
    return template_of(np.array(points), np.array(frames))


def template_of(landmarks: NDArray[np.float64], frames: NDArray[np.float64]) -> Template:
    """The template from [N, 5, 2] points in pictures and [N, 2, 3] transforms to dlib's chip."""
    lying = np.einsum("nij,nkj->nki", frames[..., :2], landmarks) + frames[:, None, :, 2]
    template = np.median(lying, axis=0)
    scatter = np.median(np.abs(lying - template), axis=0)
    apart = [_distance(similarity_transform(points, template).matrix) for points in lying]
    return Template(template, scatter, float(np.median(apart)), len(lying))


def chip_transform(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """The transform [2, 3] from picture to chip that `get_face_chip` makes of dlib's five points.

    dlib fits its mean face to the points and takes position, angle and size of the chip from that;
    the centres of the first and the last pixel lie on the edges of a square that is a pixel of the
    picture smaller.
    """
    frame = (MEAN_FACE + PADDING) / (1 + 2 * PADDING) * SIDE
    fit = similarity_transform(frame, corners)
    middle = fit.matrix @ (SIDE / 2, SIDE / 2, 1)
    step = (SIDE * fit.scale - 1) / (SIDE - 1)
    linear = fit.matrix[:, :2].T / (fit.scale * step)
    return np.column_stack([linear, (SIDE - 1) / 2 - linear @ middle])


def _distance(matrix: NDArray[np.float64]) -> float:
    """How far a transform moves the pixels of the chip, root mean square."""
    grid = np.stack(np.meshgrid(*[np.linspace(0, SIDE - 1, 11)] * 2), axis=-1).reshape(-1, 2)
    moved = grid @ matrix[:, :2].T + matrix[:, 2]
    return float(np.sqrt(((moved - grid) ** 2).sum(1).mean()))


def _the_face_in(box: object, faces: Sequence[Face]) -> Face | None:
    """The face whose nose is in dlib's box, if there is just one."""
    left, top, right, bottom = (getattr(box, side)() for side in ("left", "top", "right", "bottom"))
    inside = [
        face
        for face in faces
        if left <= face.landmarks[2, 0] <= right and top <= face.landmarks[2, 1] <= bottom
    ]
    return inside[0] if len(inside) == 1 else None


def _corners(shape: object) -> NDArray[np.float64]:
    parts = shape.parts()  # type: ignore[attr-defined]
    return np.array([[part.x, part.y] for part in parts], np.float64)


def _pictures(config: TemplateConfig) -> Iterator[NDArray[np.uint8]]:
    pictures = folder.list_pictures(config.directory).pictures
    if config.people is not None:
        names = {name for people in lfw.read_people(config.people) for name in people}
        pictures = [picture for picture in pictures if picture.identity in names]
    order = np.random.default_rng(config.seed).permutation(len(pictures))[: config.pictures]
    for number in order:
        try:
            yield decode_picture(pictures[number].read())
        except (OSError, UnreadablePicture) as problem:
            logger.warning("%s: %s", pictures[number].key, problem)


def _landmark_model() -> str:
    return str(package_file(LANDMARKS))


def _dlib() -> ModuleType:
    try:
        import dlib
    except ImportError as error:
        raise InputError("dlib is not installed: pip install 'facenet-tf[dlib]'") from error
    return dlib
