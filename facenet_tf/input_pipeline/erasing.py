"""Parts of a crop that are taken out: a grey square, a coloured rectangle, one of noise."""

from __future__ import annotations

import math

import numpy as np

from facenet_tf.input_pipeline.augment import Augmentation
from facenet_tf.input_pipeline.draws import Change, Draws, Sides

_MID_GREY = 128  # zero after fixed normalisation
AREAS = (0.02, 0.4)
"""Of a rectangle, as fractions of the crop's: random erasing's (Zhong et al. 2020)."""
ASPECTS = (0.3, 1 / 0.3)
"""Height over width of a rectangle, as there."""


def erase(options: Augmentation, draws: Draws, sides: Sides) -> list[Change]:
    """The changes by what is taken out."""
    erased = []
    if options.cutout:
        erased.append(_cutout(options.cutout, draws, sides))
    if options.rectangle:
        chosen = draws["rectangle"] < options.rectangle
        erased.append(_rectangle(chosen, _boxes("rectangle", draws, sides), draws))
    if options.erasing:
        chosen = draws["erasing"] < options.erasing
        erased.append(_noise(chosen, _boxes("erasing", draws, sides), draws))
    return erased


def _cutout(strength: float, draws: Draws, sides: Sides) -> Change:
    """A square about a random pixel becomes mid-grey (DeVries & Taylor 2017)."""
    height, width = sides
    half = draws["cutout"] * np.float32(strength) / 2
    across = half * (height / width)
    x, y = draws["cutout_x"], draws["cutout_y"]
    limits = np.array([height, height, width, width], np.float32)
    edges = np.stack([y - half, y + half, x - across, x + across], axis=1) * limits
    edges = np.clip(np.rint(edges), 0, limits).astype(int)

    def cut(position: int, crop: np.ndarray) -> np.ndarray:
        return _filled(crop, edges[position], _MID_GREY)

    return cut


def _rectangle(chosen: np.ndarray, edges: np.ndarray, draws: Draws) -> Change:
    names = ("rectangle_red", "rectangle_green", "rectangle_blue")
    colours = np.floor(256 * np.stack([draws[name] for name in names], axis=1))

    def covered(position: int, crop: np.ndarray) -> np.ndarray:
        colour = colours[position] if crop.ndim == 3 else colours[position, 0]
        return _filled(crop, edges[position], colour) if chosen[position] else crop

    return covered


def _noise(chosen: np.ndarray, edges: np.ndarray, draws: Draws) -> Change:
    """Every pixel another one, as random erasing does it."""
    keys = (draws["erasing_noise"] * 2**23).astype(np.uint64)

    def erased(position: int, crop: np.ndarray) -> np.ndarray:
        if not chosen[position]:
            return crop
        top, bottom, left, right = edges[position]
        shape = crop[top:bottom, left:right].shape
        size = int(np.prod(shape))
        words = np.random.Philox(key=keys[position]).random_raw(-(-size // 8))
        noise = words.astype("<u8").view(np.uint8)[:size].reshape(shape)
        return _filled(crop, edges[position], noise)

    return erased


def _filled(crop: np.ndarray, edges: np.ndarray, value: int | np.ndarray) -> np.ndarray:
    top, bottom, left, right = edges
    filled = crop.copy()
    filled[top:bottom, left:right] = value
    return filled


def _boxes(name: str, draws: Draws, sides: Sides) -> np.ndarray:
    """Top, bottom, left, right, integers [B, 4], of rectangles within the crop."""
    area = AREAS[0] + (AREAS[1] - AREAS[0]) * draws[f"{name}_area"]
    aspect = ASPECTS[0] * (ASPECTS[1] / ASPECTS[0]) ** draws[f"{name}_aspect"]
    side = math.sqrt(sides[0] * sides[1])
    height = np.clip(np.rint(side * np.sqrt(area * aspect)), 1, sides[0])
    width = np.clip(np.rint(side * np.sqrt(area / aspect)), 1, sides[1])
    top = np.floor((sides[0] - height + 1) * draws[f"{name}_y"])
    left = np.floor((sides[1] - width + 1) * draws[f"{name}_x"])
    return np.stack([top, top + height, left, left + width], axis=1).astype(int)
