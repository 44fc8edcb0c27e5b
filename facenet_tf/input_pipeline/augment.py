"""How strongly training crops are varied; the transforms themselves are in `transforms`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from facenet_tf.errors import InputError


@dataclass(frozen=True)
class Augmentation:
    """Strengths of the random changes to a training crop; 0 leaves a change out."""

    enabled: bool = True
    """False leaves every crop as it is"""
    flip: float = 0.5
    """probability of a left-right flip"""
    rotation: float = 5.0
    """largest turn about the centre, in degrees, either way"""
    scale: float = 0.05
    """largest change of size, as a fraction, larger or smaller"""
    translation: float = 0.04
    """largest shift along x and along y, as a fraction of width and height, either way"""
    brightness: float = 0.1
    """largest amount added or taken away, as a fraction of the full range"""
    contrast: float = 0.2
    """largest change of the distance to the crop's mean grey, as a fraction, up or down"""
    saturation: float = 0.2
    """largest change of the distance to grey, as a fraction, up or down; nothing on grey crops"""
    grey: float = 0.05
    """probability of losing all colour; nothing on grey crops"""
    hue: float = 0.0
    """largest turn of all hues, in degrees, either way; nothing on grey crops"""
    gamma: float = 0.0
    """largest change of gamma: its exponent is from 1 / (1 + this) to 1 + this"""
    blur: float = 0.0
    """probability of a Gaussian blur, of a deviation up to 2 of 112 pixels"""
    motion_blur: float = 0.0
    """probability of a blur along a line, in any direction, of 3 to 14 of 112 pixels"""
    low_resolution: float = 0.0
    """probability of a reduction to 0.2 to 1 of height and width and back"""
    jpeg: float = 0.0
    """probability of a JPEG compression, of a quality from 10 to 95"""
    mask: float = 0.0
    """probability of a mask of any one colour from the nose to below the chin"""
    sunglasses: float = 0.0
    """probability of a dark band over the eyes"""
    rectangle: float = 0.0
    """probability of a rectangle of any one colour, of 0.02 to 0.4 of the crop's area"""
    erasing: float = 0.0
    """probability of such a rectangle of noise (random erasing)"""
    cutout: float = 0.0
    """largest side of a square set to mid-grey, as a fraction of the crop's height"""

    def at(self, share: float) -> Augmentation:
        """The same changes at a share of their strengths, 0 to 1; flips are as likely as ever."""
        kept = ("enabled", "flip")
        strengths = [field.name for field in dataclasses.fields(self) if field.name not in kept]
        return dataclasses.replace(
            self, **{name: share * getattr(self, name) for name in strengths}
        )

    def check(self) -> None:
        """Raise `InputError` for a strength out of range, naming the option."""
        limits = {"rotation": 180.0, "scale": 0.9, "hue": 180.0}
        for name in (field.name for field in dataclasses.fields(self) if field.name != "enabled"):
            value, limit = getattr(self, name), limits.get(name, 1.0)
            if not 0 <= value <= limit:
                option = f"--augmentation.{name.replace('_', '-')}"
                raise InputError(f"{option} {value}: give a number from 0 to {limit:g}")
