"""The definition of a face crop: template, size, colour, resampling, border and normalisation.

Whatever makes or uses crops (builder, trainer, evaluator, recogniser, export) takes them from here.
A crop ends as uint8 pixels; the normalisation is carried along for the first layer of the model.

Coordinates are pixels, x to the right and y down, and (0, 0) is the centre of the first pixel.
"""

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, get_args

import cv2
import numpy as np

from facenet_tf.errors import InputError

Alignment = Literal["five_points", "eyes", "dlib"]
Color = Literal["rgb", "grey"]
Resampling = Literal["linear", "cubic"]
Border = Literal["replicate", "constant"]
Normalization = Literal["fixed", "per_image", "dlib", "insightface", "vgg_face", "openface"]

# Raised whenever the same fields would give other pixels than before.
VERSION = 1

# Left eye, right eye, nose, left and right mouth corner as seen in the picture, in the 112x112 crop
# of ArcFace (Deng et al. 2019), which extends the 112x96 template of SphereFace (Liu et al. 2017)
# by 8 pixels on either side.
FIVE_POINTS_112 = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)
EYES = np.array([[0.35, 0.35], [0.65, 0.35]])

# The same five points in the 150x150 chip that dlib cuts by its own landmarks, as found in 1,024
# faces by: python data_prep/fit_template.py LFW --people peopleDevTrain.txt
DLIB_150 = np.array(
    [[46.80, 44.75], [100.62, 44.78], [73.38, 77.21], [50.10, 104.59], [97.19, 104.56]]
)

# Points of each alignment, and the side of the square that they are given in.
_TEMPLATES = {"five_points": (FIVE_POINTS_112, 112), "eyes": (EYES, 1), "dlib": (DLIB_150, 150)}


class PixelScale(NamedTuple):
    """(pixel - mean) / scale, with a mean for each channel; equal means hold for grey crops too."""

    mean: tuple[float, float, float]
    scale: float


# Each normalisation with constants; the others are computed from the crop.
PIXEL_SCALES: dict[Normalization, PixelScale] = {
    "fixed": PixelScale((127.5, 127.5, 127.5), 128.0),
    "dlib": PixelScale((122.782, 117.001, 104.298), 256.0),  # dlib's input_rgb_image_sized
    "insightface": PixelScale((127.5, 127.5, 127.5), 127.5),  # models in PyTorch; to -1...1
    "vgg_face": PixelScale((129.1863, 104.7624, 93.594), 1.0),  # averageImage of VGG-Face
    "openface": PixelScale((0.0, 0.0, 0.0), 255.0),  # to 0...1
}

_INTERPOLATIONS = {"linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}
_BORDERS = {"replicate": cv2.BORDER_REPLICATE, "constant": cv2.BORDER_CONSTANT}


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """How a face becomes a crop.

    Raises InputError if a field has an unknown value, or `size` or `width` is not in 16...1024.
    """

    alignment: Alignment = "five_points"
    """What is fitted: five landmarks to the template of ArcFace or to the chip of dlib, or the two
    eyes alone (at 0.35 and 0.65 of the width, 0.35 of the height of the square crop)."""
    size: int = 112
    """Height of the crop in pixels, and its width unless `width` says otherwise."""
    color: Color = "rgb"
    """Three channels, or one channel of luma."""
    resampling: Resampling = "linear"
    """Interpolation; a face to be reduced to less than half is first averaged over whole pixels."""
    border: Border = "replicate"
    """What lies outside the picture: its edge pixels, or black."""
    normalization: Normalization = "fixed"
    """Done inside the model: (x - 127.5) / 128, zero mean and unit deviation for each crop, or as
    the weights of that name want it (constants in `PIXEL_SCALES`)."""
    width: int | None = None
    """Width of the crop in pixels; None: square. The face is as large as in the square crop: a
    narrower one lacks as much on the left as on the right, as that of SphereFace, 112x96."""

    def __post_init__(self) -> None:
        for name, kind in _CHOICES.items():
            if getattr(self, name) not in get_args(kind):
                choices = ", ".join(get_args(kind))
                raise InputError(
                    f"preprocessing {name}={getattr(self, name)!r}: choose one of {choices}"
                )
        if self.width == self.size:
            object.__setattr__(self, "width", None)  # one description of one crop
        sides = {"size": self.size, "width": self.size if self.width is None else self.width}
        for name, pixels in sides.items():
            if not isinstance(pixels, int) or not 16 <= pixels <= 1024:
                raise InputError(
                    f"preprocessing {name}={pixels!r}: give whole pixels from 16 to 1024"
                )
        scale = PIXEL_SCALES.get(self.normalization)
        if self.color == "grey" and scale is not None and len(set(scale.mean)) > 1:
            raise InputError(
                f"preprocessing normalization={self.normalization!r} has a mean for each of three "
                "colours: choose color rgb"
            )

    @property
    def channels(self) -> int:
        """Channels of a crop: 3, or 1 for grey."""
        return 3 if self.color == "rgb" else 1

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of a crop."""
        return self.size, self.size if self.width is None else self.width, self.channels

    def template(self) -> np.ndarray:
        """Landmarks in the crop, x and y in pixels: float64 [5, 2], or [2, 2] for the eyes."""
        points, side = _TEMPLATES[self.alignment]
        height, width, _ = self.shape
        return points * (height / side) - [(height - width) / 2, 0.0]

    def fields(self) -> dict[str, Any]:
        """All fields as plain values; the width only of crops that are not square, so that square
        ones are described as they were before there were others."""
        values = dataclasses.asdict(self)
        if self.width is None:
            del values["width"]
        return values

    def to_dict(self) -> dict[str, Any]:
        """`fields` and the version, for JSON and layer configs."""
        return {**self.fields(), "version": VERSION}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Preprocessing":
        """The inverse of `to_dict`.

        Raises InputError on missing or unknown fields, and on another version: its crops had other
        pixels by the same fields.
        """
        fields = dict(values)
        version = fields.pop("version", 1)  # the first version did not say so
        if version != VERSION:
            raise InputError(
                f"preprocessing was written by version {version} of the crop, this is {VERSION}: "
                "rebuild the dataset and train anew, or use the release that wrote it"
            )
        names = {field.name for field in dataclasses.fields(cls)}
        odd = names ^ set(fields | {"width": fields.get("width")})
        if odd:
            raise InputError(
                "preprocessing was written by another version: "
                f"{', '.join(sorted(odd))} missing or unknown: rebuild"
            )
        return cls(**fields)

    def fingerprint(self) -> str:
        """16 hex digits that differ as soon as another definition of a crop or its normalisation
        may give other pixels.

        The version of OpenCV is no part of it: 4 and 5 interpolate with different rounding, and
        their crops differ by up to 2 grey levels under one fingerprint.
        """
        text = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


_CHOICES: dict[str, Any] = {
    "alignment": Alignment,
    "color": Color,
    "resampling": Resampling,
    "border": Border,
    "normalization": Normalization,
}


def check_same_preprocessing(expected: Preprocessing, actual: Preprocessing, what: str) -> None:
    """Refuse crops made in another way than expected.

    Args:
        expected: the preprocessing that `what` needs, for instance that of the model.
        actual: the preprocessing that is there, for instance that of the dataset.
        what: names the two sides in the message, for instance "model a.keras and dataset b".

    Raises InputError with both fingerprints and every field that differs.
    """
    if expected.fingerprint() == actual.fingerprint():
        return
    ours, theirs = dataclasses.asdict(expected), dataclasses.asdict(actual)
    fields = "; ".join(
        f"{name}: {ours[name]} and {theirs[name]}" for name in ours if ours[name] != theirs[name]
    )
    raise InputError(
        f"{what}: the face crops differ "
        f"({expected.fingerprint()} and {actual.fingerprint()}): {fields}; "
        "use crops of the same preprocessing on both sides"
    )


class Similarity(NamedTuple):
    """x' = matrix @ (x, y, 1)."""

    matrix: np.ndarray
    """float64 [2, 3]: rotation, uniform scale and translation."""
    scale: float
    """Target pixels for one source pixel."""
    rmse: float
    """Root mean square distance of a point from its target, in target pixels."""


def similarity_transform(source: np.ndarray, target: np.ndarray) -> Similarity:
    """Least-squares similarity (no mirroring) that takes `source` to `target`, both [N, 2] with N
    >= 2.

    Umeyama 1991, "Least-squares estimation of transformation parameters between two point
    patterns", eq. 40-43.
    Raises ValueError for other shapes, values that are not finite, or source points that all
    coincide.
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    if source.shape != target.shape or source.ndim != 2 or source.shape[1] != 2 or len(source) < 2:
        raise ValueError(
            f"need two arrays [N, 2] with N >= 2, got {source.shape} and {target.shape}"
        )
    if not (np.isfinite(source).all() and np.isfinite(target).all()):
        raise ValueError("points must be finite")
    source_mean, target_mean = source.mean(0), target.mean(0)
    source_centred, target_centred = source - source_mean, target - target_mean
    variance = (source_centred**2).sum(1).mean()
    if variance < 1e-12:
        raise ValueError("the source points coincide")
    u, singular, vt = np.linalg.svd(target_centred.T @ source_centred / len(source))
    signs = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    scale = float(singular @ signs / variance)
    linear = scale * (u * signs) @ vt
    matrix = np.hstack([linear, (target_mean - linear @ source_mean)[:, None]])
    errors = source @ linear.T + matrix[:, 2] - target
    return Similarity(matrix, scale, float(np.sqrt((errors**2).sum(1).mean())))


def landmark_rmse(landmarks: np.ndarray) -> float:
    """How far five landmarks [5, 2] are from those of an upright, frontal face, in pixels of a
    112x112 crop.

    Good detections give about 1 to 6 (turned heads more), swapped or mirrored points about 20.
    Raises ValueError as `similarity_transform` does.
    """
    return similarity_transform(landmarks, FIVE_POINTS_112).rmse


@dataclasses.dataclass(frozen=True)
class Crop:
    """An aligned face."""

    pixels: np.ndarray
    """uint8 [height, width, channels]."""
    matrix: np.ndarray
    """float64 [2, 3] from picture to crop coordinates."""
    rmse: float
    """`landmark_rmse` of the landmarks, whatever the size and the alignment; NaN for a crop without
    landmarks."""


def align_face(image: np.ndarray, landmarks: np.ndarray, preprocessing: Preprocessing) -> Crop:
    """Cut one face out of a picture.

    Args:
        image: uint8 [H, W, 3], RGB.
        landmarks: [5, 2], x and y in pixels: left eye, right eye, nose, left and right mouth corner
            as seen.
        preprocessing: the crop to make.

    Raises ValueError for another kind of image or landmarks that coincide.
    """
    points = np.asarray(landmarks, np.float64)
    template = preprocessing.template()
    fit = similarity_transform(points[: len(template)], template)
    return Crop(_warp(image, fit.matrix, preprocessing), fit.matrix, landmark_rmse(points))


def centre_crop(image: np.ndarray, preprocessing: Preprocessing) -> Crop:
    """The middle of a picture (uint8 [H, W, 3], RGB): the fallback where no face is found.

    Raises ValueError for another kind of image.
    """
    left, top, width, _ = central_window(image, preprocessing)
    scale = preprocessing.shape[1] / width
    # Edges meet edges: the centre of the first pixel lies half a pixel inside.
    matrix = np.array(
        [[scale, 0, scale * (0.5 - left) - 0.5], [0, scale, scale * (0.5 - top) - 0.5]]
    )
    return Crop(_warp(image, matrix, preprocessing), matrix, math.nan)


def central_window(
    image: np.ndarray, preprocessing: Preprocessing
) -> tuple[float, float, float, float]:
    """Left, top, width and height, in pixels of the picture [H, W, ...], of what `centre_crop`
    shows: as much of its middle as a crop can, for a square crop the central square."""
    (height, width), (rows, columns, _) = image.shape[:2], preprocessing.shape
    shown_width = min(width, height * columns / rows)
    shown_height = min(height, width * rows / columns)
    return (width - shown_width) / 2, (height - shown_height) / 2, shown_width, shown_height


def _warp(image: np.ndarray, matrix: np.ndarray, preprocessing: Preprocessing) -> np.ndarray:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f"need a picture uint8 [H, W, 3], got {image.dtype} {list(image.shape)}")
    image, matrix = _reduce(image, matrix, preprocessing.shape)
    rows, columns, _ = preprocessing.shape
    interpolation, border = (
        _INTERPOLATIONS[preprocessing.resampling],
        _BORDERS[preprocessing.border],
    )
    pixels = cv2.warpAffine(image, matrix, (columns, rows), flags=interpolation, borderMode=border)
    if preprocessing.color == "grey":
        return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None]
    return pixels


def _reduce(
    image: np.ndarray, matrix: np.ndarray, shape: tuple[int, int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Average whole pixels where the crop needs less than half the resolution, else interpolation
    would alias."""
    factor = int(1 / math.hypot(matrix[0, 0], matrix[1, 0]) + 1e-9)
    if factor < 2:
        return image, matrix
    left, top, right, bottom = _region(image, matrix, shape, factor)
    region = image[top:bottom, left:right]
    width, height = max(1, round((right - left) / factor)), max(1, round((bottom - top) / factor))
    reduced = cv2.resize(region, (width, height), interpolation=cv2.INTER_AREA)
    step_x, step_y = (right - left) / width, (bottom - top) / height
    to_picture = np.array(
        [[step_x, 0, step_x / 2 - 0.5 + left], [0, step_y, step_y / 2 - 0.5 + top], [0, 0, 1]]
    )
    return reduced, matrix @ to_picture


def _region(
    image: np.ndarray, matrix: np.ndarray, shape: tuple[int, int, int], factor: int
) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the pixels that the crop needs, on a grid of `factor` pixels."""
    rows, columns, _ = shape
    corners = np.array([[x, y, 1.0] for x in (-0.5, columns - 0.5) for y in (-0.5, rows - 0.5)])
    inverse = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
    source = corners @ inverse.T
    limits = np.array(image.shape[1::-1])
    margin = 4 * factor
    low = np.clip((source.min(0) - margin) // factor * factor, 0, (limits - 1) // factor * factor)
    high = np.clip(np.ceil((source.max(0) + margin) / factor) * factor, low + 1, limits)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
