"""Flip, turn, resize and shift of a crop, in one bilinear warp."""

from __future__ import annotations

import math

import cv2
import numpy as np

from facenet_tf.input_pipeline.augment import Augmentation
from facenet_tf.input_pipeline.draws import Change, Draws, Sides, either_way


def move(options: Augmentation, draws: Draws, sides: Sides) -> Change | None:
    """The change of each crop's geometry, None where nothing is to move."""
    if options.rotation or options.scale or options.translation:
        return _warp(_matrices(options, draws, sides), sides)
    return _flip(draws["flip"] < options.flip) if options.flip else None


def _flip(flipped: np.ndarray) -> Change:
    return lambda position, crop: cv2.flip(crop, 1) if flipped[position] else crop


def _warp(matrices: np.ndarray, sides: Sides) -> Change:
    """What lies outside the crop is mirrored."""
    height, width = sides

    def warped(position: int, crop: np.ndarray) -> np.ndarray:
        # OpenCV moves four channels in half the time that it takes for three.
        pixels = cv2.cvtColor(crop, cv2.COLOR_RGB2RGBA) if crop.ndim == 3 else crop
        moved = cv2.warpAffine(
            pixels,
            matrices[position],
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        )
        return cv2.cvtColor(moved, cv2.COLOR_RGBA2RGB) if crop.ndim == 3 else moved

    return warped


def _matrices(options: Augmentation, draws: Draws, sides: Sides) -> np.ndarray:
    """Maps from output to input pixels, float32 [B, 2, 3].

    input = centre + flip · rotation · (output - centre) / scale + shift
    """
    height, width = sides
    angle = either_way(draws["rotation"], math.radians(options.rotation))
    zoom = 1.0 / (1.0 + either_way(draws["scale"], options.scale))
    mirror = np.where(draws["flip"] < options.flip, np.float32(-1.0), np.float32(1.0))
    cosine, sine = np.cos(angle) * zoom, np.sin(angle) * zoom
    shift_x = either_way(draws["shift_x"], options.translation) * width
    shift_y = either_way(draws["shift_y"], options.translation) * height

    centre_x, centre_y = (width - 1.0) / 2.0, (height - 1.0) / 2.0
    xx, xy = mirror * cosine, -mirror * sine
    yx, yy = sine, cosine
    x_row = [xx, xy, centre_x - (xx * centre_x + xy * centre_y) + shift_x]
    y_row = [yx, yy, centre_y - (yx * centre_x + yy * centre_y) + shift_y]
    return np.stack([np.stack(x_row, axis=1), np.stack(y_row, axis=1)], axis=1)
