"""Crops degraded in a defined way, the same for all: for experiments on poor pictures.

The degradations have names that commands take: ``grey``, or KIND:STRENGTH as ``low_resolution:32``.
What is random depends on the crop alone, so that it is the same in any order and any batch.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from facenet_tf.errors import InputError
from facenet_tf.preprocessing import Preprocessing

Crop = NDArray[np.uint8]
"""uint8 [H, W], or [H, W, C] with C 1 or 3, RGB."""

_MID_GREY = 128
_FRAME = 112
"""Deviations of the blur are in pixels of a crop of this height, whatever crops are used."""


def grey(crop: Crop) -> Crop:
    """The crop without colour: its luma (ITU-R BT.601) in all three channels."""
    return np.repeat(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=-1)


def low_resolution(crop: Crop, side: float) -> Crop:
    """The crop with the detail of `side` rows, and of columns in proportion."""
    height, width = crop.shape[:2]
    return fewer_pixels(crop, max(1, round(width * side / height)), int(side))


def fewer_pixels(crop: Crop, width: int, height: int) -> Crop:
    """The crop reduced to width x height by area averages and brought back linearly."""
    reduced = cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA)
    restored = cv2.resize(reduced, crop.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return _like(crop, restored)


def gaussian_blur(crop: Crop, deviation: float) -> Crop:
    """The crop under a Gaussian of this deviation in its pixels; its edge is mirrored."""
    return _like(crop, cv2.GaussianBlur(crop, (0, 0), deviation, borderType=cv2.BORDER_REFLECT))


def jpeg(crop: Crop, quality: float) -> Crop:
    """The crop after a JPEG of this quality, 1...100."""
    in_colour = crop.shape[-1] == 3 and crop.ndim == 3
    # The other way round, red would be as coarse as blue.
    pixels = cv2.cvtColor(crop, cv2.COLOR_RGB2BGR) if in_colour else crop
    encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])[1]
    decoded = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED))
    return _like(crop, cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB) if in_colour else decoded)


def noise(crop: Crop, deviation: float) -> Crop:
    """The crop with Gaussian noise of this deviation in grey levels on every value."""
    random = np.random.Generator(np.random.Philox(key=zlib.crc32(crop.tobytes())))
    noisy = crop + deviation * random.standard_normal(crop.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def rotation(crop: Crop, degrees: float) -> Crop:
    """The crop turned clockwise about its centre; what comes in from outside mirrors its edge."""
    height, width = crop.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1.0)
    return _like(crop, cv2.warpAffine(crop, matrix, (width, height), borderMode=cv2.BORDER_REFLECT))


def occlusion(crop: Crop, percent: float) -> Crop:
    """The crop with so much of its height mid-grey, from below: mouth, nose, then the eyes."""
    covered = crop.copy()
    covered[len(crop) - round(len(crop) * percent / 100) :] = _MID_GREY
    return covered


def _like(crop: Crop, changed: np.ndarray) -> Crop:
    return np.asarray(changed, np.uint8).reshape(crop.shape)  # OpenCV drops a lone channel


def _blur(crop: Crop, deviation: float) -> Crop:
    return gaussian_blur(crop, deviation * len(crop) / _FRAME)


@dataclasses.dataclass(frozen=True)
class Kind:
    """A degradation that comes in strengths."""

    change: Callable[[Crop, float], Crop]
    placeholder: str
    """What stands for the strength in messages."""
    unit: str
    """Of the strength, in words."""
    least: float
    most: float
    whole: bool = False
    """Whether the strength is a whole number."""

    def fits(self, strength: float) -> bool:
        """Whether there is such a strength, and it changes anything."""
        return (
            strength != 0
            and self.least <= strength <= self.most
            and not (self.whole and strength % 1)
        )


KINDS = {
    "low_resolution": Kind(low_resolution, "SIDE", "rows of pixels", 1, 1024, whole=True),
    "blur": Kind(_blur, "DEVIATION", "deviation in pixels of a crop 112 high", 0.1, 50),
    "jpeg": Kind(jpeg, "QUALITY", "quality of the JPEG", 1, 100, whole=True),
    "noise": Kind(noise, "DEVIATION", "deviation in grey levels", 0.1, 255),
    "rotation": Kind(rotation, "DEGREES", "degrees, clockwise", -180, 180),
    "occlusion": Kind(occlusion, "PERCENT", "percent of the height, from below", 1, 99),
}
"""By name; ``grey`` has no strength."""


def degradation_of(name: str, option: str = "--degrade") -> Callable[[Crop], Crop]:
    """The degradation of this name; `option` is what gave it.

    Raises:
        InputError: there is none.
    """
    if name == "grey":
        return grey
    kind, strength = _parts(name)
    if kind is None:
        known = ", ".join(f"{name}:{kind.placeholder}" for name, kind in KINDS.items())
        raise InputError(f"{option} {name}: give grey, or {known}")
    if strength is None or not kind.fits(strength):
        number = "a whole number" if kind.whole else "a number"
        raise InputError(
            f"{option} {name}: after the colon give {number} from {kind.least:g} to "
            f"{kind.most:g}: {kind.unit}"
        )
    change = kind.change
    return lambda crop: change(crop, strength)


def _parts(name: str) -> tuple[Kind | None, float | None]:
    """Kind and strength of a name, as far as it has them."""
    kind, _, strength = name.partition(":")
    try:
        return KINDS.get(kind), float(strength)
    except ValueError:
        return KINDS.get(kind), None


def degraded(crops: Iterable[Crop], names: Sequence[str]) -> Iterator[Crop]:
    """The crops after the named degradations, one after the other; without a name as they are."""
    changes = [degradation_of(name) for name in names]
    for crop in crops:
        for change in changes:
            crop = change(crop)
        yield crop


def check_degradations(
    names: Sequence[str], preprocessing: Preprocessing, option: str = "--degrade"
) -> None:
    """Make sure that each of the named degradations changes crops of this preprocessing.

    Raises:
        InputError: there is no such degradation, the crops are grey, or have no more pixels.
    """
    for name in names:
        degradation_of(name, option)
        kind, strength = _parts(name)
        if name == "grey" and preprocessing.channels == 1:
            raise InputError(f"{option} grey: the crops of this dataset are grey already")
        if kind is KINDS["low_resolution"] and (strength or 0) >= preprocessing.size:
            raise InputError(
                f"{option} {name}: the crops of this dataset have {preprocessing.size} pixels a "
                "side; give fewer"
            )
