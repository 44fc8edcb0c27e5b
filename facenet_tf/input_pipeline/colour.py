"""Brightness, contrast, saturation, grey and hue as one matrix for each crop; gamma as a table."""

from __future__ import annotations

import math

import cv2
import numpy as np

from facenet_tf.input_pipeline.augment import Augmentation
from facenet_tf.input_pipeline.draws import Change, Draws, either_way

_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
# To luma and two axes of colour across which grey is the middle (YIQ), so that hue is an angle.
_TO_YIQ = np.array([_LUMA, [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
_FROM_YIQ = np.linalg.inv(_TO_YIQ)


def recolour(options: Augmentation, draws: Draws, channels: int) -> Change | None:
    """The linear change of each crop's colours, None where nothing is to change.

    output = contrast · colours(pixel) + (1 - contrast) · mean luma + brightness
    """
    of_light = bool(options.brightness or options.contrast)
    of_colour = bool(options.saturation or options.grey or options.hue) and channels == 3
    if not (of_light or of_colour):
        return None
    brightness = either_way(draws["brightness"], options.brightness) * 255.0
    contrast = 1.0 + either_way(draws["contrast"], options.contrast)
    colours = _colours(options, draws) if channels == 3 else np.ones([len(contrast), 1, 1])
    matrices = np.zeros([len(contrast), channels, channels + 1])  # the last column is added
    matrices[..., :-1] = contrast[:, None, None] * colours
    luma = _LUMA if channels == 3 else np.ones(1)

    def recoloured(position: int, crop: np.ndarray) -> np.ndarray:
        mean = float(luma @ cv2.mean(crop)[:channels])
        matrix = matrices[position]
        matrix[:, -1] = mean * (1.0 - contrast[position]) + brightness[position]
        return cv2.transform(crop, matrix)

    return recoloured


def bend(options: Augmentation, draws: Draws) -> Change | None:
    """The change of each crop's gamma, None where nothing is to change.

    output = 255 · (pixel / 255)^exponent, the exponent from 1 / (1 + strength) to 1 + strength
    """
    if not options.gamma:
        return None
    exponents = (1.0 + options.gamma) ** (2.0 * draws["gamma"] - 1.0)
    levels = np.arange(256) / 255.0

    def bent(position: int, crop: np.ndarray) -> np.ndarray:
        table = np.rint(255.0 * levels ** exponents[position]).astype(np.uint8)
        return cv2.LUT(crop, table)

    return bent


def _colours(options: Augmentation, draws: Draws) -> np.ndarray:
    """float64 [B, 3, 3]: hue after saturation; both leave the luma of a pixel as it is."""
    saturation = 1.0 + either_way(draws["saturation"], options.saturation)
    saturation = np.where(draws["grey"] < options.grey, 0.0, saturation)[:, None, None]
    matrices = saturation * np.eye(3) + (1.0 - saturation) * _LUMA
    if not options.hue:
        return matrices
    angle = either_way(draws["hue"], math.radians(options.hue)).astype(np.float64)
    turn = np.zeros([len(angle), 3, 3])
    turn[:, 0, 0] = 1.0
    turn[:, 1, 1] = turn[:, 2, 2] = np.cos(angle)
    turn[:, 2, 1] = np.sin(angle)
    turn[:, 1, 2] = -turn[:, 2, 1]
    return _FROM_YIQ @ turn @ _TO_YIQ @ matrices
