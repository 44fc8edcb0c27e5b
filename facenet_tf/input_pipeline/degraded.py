"""Crops degraded in a defined way, the same for all: for experiments on poor pictures.

The degradations have names that commands take: ``grey`` and ``low_resolution:SIDE``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from facenet_tf.errors import InputError
from facenet_tf.preprocessing import Preprocessing

Crop = NDArray[np.uint8]
"""uint8 [H, W], or [H, W, C] with C 1 or 3, RGB."""


def grey(crop: Crop) -> Crop:
    """The crop without colour: its luma (ITU-R BT.601) in all three channels."""
    return np.repeat(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=-1)


def low_resolution(crop: Crop, side: int) -> Crop:
    """The crop with the detail of `side` rows, and of columns in proportion."""
    height, width = crop.shape[:2]
    return fewer_pixels(crop, max(1, round(width * side / height)), side)


def fewer_pixels(crop: Crop, width: int, height: int) -> Crop:
    """The crop reduced to width x height by area averages and brought back linearly."""
    reduced = cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA)
    restored = cv2.resize(reduced, crop.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(restored, np.uint8).reshape(crop.shape)  # OpenCV drops a lone channel


def degradation_of(name: str) -> Callable[[Crop], Crop]:
    """The degradation of this name.

    Raises:
        InputError: there is none.
    """
    kind, _, side = name.partition(":")
    if name == "grey":
        return grey
    if kind == "low_resolution" and side.isascii() and side.isdigit() and int(side) > 0:
        return partial(low_resolution, side=int(side))
    raise InputError(f"--degrade {name}: give grey, or low_resolution:SIDE in whole pixels")


def degraded(crops: Iterable[Crop], names: Sequence[str]) -> Iterator[Crop]:
    """The crops after the named degradations, one after the other; without a name as they are."""
    changes = [degradation_of(name) for name in names]
    for crop in crops:
        for change in changes:
            crop = change(crop)
        yield crop


def check_degradations(names: Sequence[str], preprocessing: Preprocessing) -> None:
    """Make sure that each of the named degradations changes crops of this preprocessing.

    Raises:
        InputError: there is no such degradation, the crops are grey, or have no more pixels.
    """
    for name in names:
        degradation_of(name)
        side = name.partition(":")[2]
        if name == "grey" and preprocessing.channels == 1:
            raise InputError("--degrade grey: the crops of this dataset are grey already")
        if side and int(side) >= preprocessing.size:
            raise InputError(
                f"--degrade {name}: the crops of this dataset have {preprocessing.size} pixels a "
                "side; give fewer"
            )
