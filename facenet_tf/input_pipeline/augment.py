"""How strongly training crops are varied; the transforms themselves are in `transforms`."""

from __future__ import annotations

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
    """largest shift along x and along y, as a fraction of the side, either way"""
    brightness: float = 0.1
    """largest amount added or taken away, as a fraction of the full range"""
    contrast: float = 0.2
    """largest change of the distance to the crop's mean grey, as a fraction, up or down"""
    saturation: float = 0.2
    """largest change of the distance to grey, as a fraction, up or down; nothing on grey crops"""
    grey: float = 0.05
    """probability of losing all colour; nothing on grey crops"""
    cutout: float = 0.0
    """largest side of a square set to mid-grey, as a fraction of the crop's side"""

    def check(self) -> None:
        """Raise `InputError` for a strength out of range, naming the option."""
        limits = {"rotation": 180.0, "scale": 0.9}
        for name in _STRENGTHS:
            value, limit = getattr(self, name), limits.get(name, 1.0)
            if not 0 <= value <= limit:
                raise InputError(f"augmentation.{name} {value}: give a number from 0 to {limit:g}")


_STRENGTHS = (
    "flip",
    "rotation",
    "scale",
    "translation",
    "brightness",
    "contrast",
    "saturation",
    "grey",
    "cutout",
)
