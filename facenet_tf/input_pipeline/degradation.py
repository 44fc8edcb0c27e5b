"""What cameras and networks do to a picture: blur, motion blur, few pixels, JPEG."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

from facenet_tf.input_pipeline.augment import Augmentation
from facenet_tf.input_pipeline.degraded import fewer_pixels, gaussian_blur, jpeg
from facenet_tf.input_pipeline.draws import Change, Draws, Sides

SMALLEST_SIDE = 0.2
"""Of the crop's height and width, under low resolution: as in AdaFace (Kim et al. 2022)."""
QUALITIES = (10, 95)
"""Lowest and highest of a JPEG."""
SHARPEST, MOST_BLURRED = 0.1 / 112, 2.0 / 112
"""Deviations of the Gaussian, as fractions of the height; in pixels of 112 those of SimCLR."""
SHORTEST, LONGEST = 3 / 112, 14 / 112
"""Ways of a point under motion blur, as fractions of the height."""


def degrade(options: Augmentation, draws: Draws, sides: Sides) -> list[Change]:
    """The changes in the order of a camera: blur, motion, resolution, compression."""
    kinds: list[tuple[str, Callable[[Draws, Sides], Change]]] = [
        ("blur", _blur),
        ("motion_blur", _motion_blur),
        ("low_resolution", _low_resolution),
        ("jpeg", _jpeg),
    ]
    return [
        _sometimes(draws[name] < getattr(options, name), kind(draws, sides))
        for name, kind in kinds
        if getattr(options, name)
    ]


def _sometimes(chosen: np.ndarray, change: Change) -> Change:
    return lambda position, crop: change(position, crop) if chosen[position] else crop


def _between(low: float, high: float, numbers: np.ndarray) -> np.ndarray:
    return low + (high - low) * numbers


def _blur(draws: Draws, sides: Sides) -> Change:
    deviations = sides[0] * _between(SHARPEST, MOST_BLURRED, draws["blur_width"])
    return lambda position, crop: gaussian_blur(crop, float(deviations[position]))


def _motion_blur(draws: Draws, sides: Sides) -> Change:
    lengths = sides[0] * _between(SHORTEST, LONGEST, draws["motion_blur_length"])
    angles = math.pi * draws["motion_blur_angle"]

    def blurred(position: int, crop: np.ndarray) -> np.ndarray:
        kernel = _way(float(lengths[position]), float(angles[position]))
        return cv2.filter2D(crop, -1, kernel, borderType=cv2.BORDER_REFLECT)

    return blurred


def _way(length: float, angle: float) -> np.ndarray:
    """A line through the centre as weights that sum to 1, float32 [n, n], n odd."""
    reach = math.ceil(length / 2)
    kernel = np.zeros([2 * reach + 1] * 2, np.float32)
    x, y = math.cos(angle) * length / 2, math.sin(angle) * length / 2
    steps = np.linspace(-1.0, 1.0, 8 * reach + 1)
    columns, rows = np.rint(reach + steps * x).astype(int), np.rint(reach + steps * y).astype(int)
    np.add.at(kernel, (rows, columns), 1.0)
    return kernel / kernel.sum()


def _low_resolution(draws: Draws, sides: Sides) -> Change:
    share = _between(SMALLEST_SIDE, 1.0, draws["low_resolution_side"])
    rows, columns = (np.maximum(1, np.rint(side * share).astype(int)) for side in sides)

    return lambda position, crop: fewer_pixels(crop, int(columns[position]), int(rows[position]))


def _jpeg(draws: Draws, sides: Sides) -> Change:
    qualities = np.rint(_between(*QUALITIES, draws["jpeg_quality"])).astype(int)
    return lambda position, crop: jpeg(crop, int(qualities[position]))
