"""How good the picture of a face is: size, sharpness, exposure and pose.

All but the size is measured in one frame, the 112x112 crop of five aligned landmarks, whatever crop
a dataset stores: figures of small and large faces, and of two datasets, can then be compared.
"""

import dataclasses
import math
from collections.abc import Sequence

import cv2
import numpy as np

from facenet_tf.preprocessing import (
    FIVE_POINTS_112,
    Preprocessing,
    align_face,
    similarity_transform,
)

_FRAME = Preprocessing(size=112, color="grey")
# Rows and columns of the frame that show the face from brows to chin, and none of the background.
_FACE = (slice(32, 104), slice(24, 88))

NOSE_TO_EYES = 0.4
"""How far the tip of the nose lies before the pupils, as a fraction of the distance between these:
about 25 of 63 mm in adults."""


@dataclasses.dataclass(frozen=True)
class Quality:
    """One face."""

    face_size: float
    """Shorter side of its box, pixels of the picture."""
    sharpness: float
    """`sharpness`, 0 or more."""
    exposure: float
    """`exposure`, 0...1."""
    yaw: float
    """Degrees, -90...90, see `pose`."""
    roll: float
    """Degrees, -180...180, see `pose`."""


def measure_quality(image: np.ndarray, box: Sequence[float], landmarks: np.ndarray) -> Quality:
    """Measure one face in a picture.

    Args:
        image: uint8 [H, W, 3], RGB.
        box: left, top, width, height in pixels.
        landmarks: [5, 2], x and y in pixels: left eye, right eye, nose, left and right mouth corner
            as seen.

    Raises ValueError for another kind of image or landmarks that coincide.
    """
    luma = align_face(image, landmarks, _FRAME).pixels[..., 0][_FACE]
    yaw, roll = pose(landmarks)
    return Quality(float(min(box[2:])), sharpness(luma), exposure(luma), yaw, roll)


def sharpness(luma: np.ndarray) -> float:
    """Variance of the Laplacian of grey levels, uint8 [H, W]: 0 where all is flat, some 50
    to 1000 for faces in photographs.

    It grows with the square of the contrast, and with noise. A face that is enlarged to the frame
    is blurred, however sharp its picture. Pech-Pacheco et al. 2000, "Diatom autofocusing in
    brightfield microscopy: a comparative study" (LAPV in Pertuz et al. 2013).
    """
    return float(cv2.Laplacian(luma, cv2.CV_64F).var())


def exposure(luma: np.ndarray) -> float:
    """Mean of grey levels, uint8 [H, W], as a fraction: 0 is black, 1 is white."""
    return float(luma.mean() / 255)


def pose(landmarks: np.ndarray) -> tuple[float, float]:
    """Yaw and roll of a head, in degrees, from its five landmarks [5, 2] as seen in the picture.

    Roll, -180...180, is the rotation that alignment takes away: positive where the head is turned
    clockwise. Yaw, -90...90, is positive where the face looks to the right of the picture. It
    follows from how far the nose has left the line that joins the middles of eyes and mouth, along
    the line of the eyes: seen from afar, a nose that stands out by d moves by d sin(yaw), and the
    eyes' distance e shrinks to e cos(yaw). A ratio along one direction is the same after any affine
    map, hence the tilts of the head do not change it. Heads differ in d / e, taken as
    `NOSE_TO_EYES`, by a third: so does tan(yaw).

    Raises ValueError for other shapes, or landmarks that coincide or are not finite.
    """
    matrix = similarity_transform(landmarks, FIVE_POINTS_112).matrix
    left, right, nose, *mouth = np.asarray(landmarks, np.float64)
    middle = (left + right) / 2
    down = np.mean(mouth, axis=0) - middle
    aside, apart = _cross(nose - middle, down), _cross(right - left, down)
    yaw = math.atan2(aside, NOSE_TO_EYES * abs(apart))
    roll = math.atan2(-matrix[1, 0], matrix[0, 0])
    return math.degrees(yaw), math.degrees(roll)


def _cross(a: np.ndarray, b: np.ndarray) -> float:
    return float(a[0] * b[1] - a[1] * b[0])
