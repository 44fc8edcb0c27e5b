"""Uniform random numbers by name for each crop of a batch, keyed by (seed, step, position)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import tensorflow as tf

Draws = Mapping[str, np.ndarray]
"""By name float32 [B] in [0, 1)."""
Sides = tuple[int, int]
"""Height and width of the crops."""
Change = Callable[[int, np.ndarray], np.ndarray]
"""What happens to one crop of a batch: (position, uint8 [H, W] or [H, W, 3]) → the same shape."""

# One column each of one matrix, whose width is part of every number in it: never add to it.
_TOGETHER = (
    "flip",
    "rotation",
    "scale",
    "shift_x",
    "shift_y",
    "brightness",
    "contrast",
    "saturation",
    "grey",
    "cutout",
    "cutout_x",
    "cutout_y",
)
# A matrix and a key of its own for each option; a number stands for its option for ever.
_APART = {
    "hue": (1, ("hue",)),
    "gamma": (2, ("gamma",)),
    "blur": (3, ("blur", "blur_width")),
    "motion_blur": (4, ("motion_blur", "motion_blur_length", "motion_blur_angle")),
    "low_resolution": (5, ("low_resolution", "low_resolution_side")),
    "jpeg": (6, ("jpeg", "jpeg_quality")),
    "mask": (7, ("mask", "mask_height", "mask_red", "mask_green", "mask_blue")),
    "sunglasses": (8, ("sunglasses", "sunglasses_height", "sunglasses_grey")),
    "rectangle": (
        9,
        (
            "rectangle",
            "rectangle_area",
            "rectangle_aspect",
            "rectangle_x",
            "rectangle_y",
            "rectangle_red",
            "rectangle_green",
            "rectangle_blue",
        ),
    ),
    "erasing": (
        10,
        ("erasing", "erasing_area", "erasing_aspect", "erasing_x", "erasing_y", "erasing_noise"),
    ),
    "mixup": (11, ("mixup", "mixup_partner")),
}


def names_of(options: Iterable[str]) -> tuple[str, ...]:
    """What `draw` gives for these options, in its order."""
    return (*_TOGETHER, *(name for option in options for name in _APART[option][1]))


def drawn_apart(options: Iterable[str]) -> tuple[str, ...]:
    """Those of the options whose numbers have a key of their own."""
    return tuple(option for option in options if option in _APART)


def draw(options: Iterable[str], count: tf.Tensor, seed: int, step: tf.Tensor | int) -> tf.Tensor:
    """Numbers float32 [count, names] for `names_of` the options.

    The same whatever other options are asked for, and in the first rows whatever `count` is.
    """
    widths = [(0, len(_TOGETHER)), *((_APART[one][0], len(_APART[one][1])) for one in options)]
    return tf.concat([_matrix(count, width, seed, step, key) for key, width in widths], axis=1)


def either_way(numbers: np.ndarray, strength: float) -> np.ndarray:
    """Numbers in [0, 1) as ones in ±strength."""
    return (np.float32(2.0) * numbers - np.float32(1.0)) * np.float32(strength)


def _matrix(
    count: tf.Tensor, width: int, seed: int, step: tf.Tensor | int, option: int
) -> tf.Tensor:
    # No run comes to step 2^48: the keys of two options never meet.
    counted = tf.cast(step, tf.int64) + (option << 48)
    key = tf.stack([tf.constant(seed, tf.int64), counted])
    return tf.random.stateless_uniform([count, width], key, alg="philox")
