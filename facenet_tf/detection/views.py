"""Other views of a picture, for a detector that found nothing in it, and the way back from them."""

import dataclasses
import math

import cv2
import numpy as np

CLIP = 4.0
"""Of the equalisation: how high a peak of the histogram counts, in its means."""
TILES = 4
"""Of the equalisation: parts of the picture, a side, that have a histogram each."""


@dataclasses.dataclass(frozen=True)
class ViewKind:
    """One way to show a picture: equalised, enlarged, turned, in a border, in this order."""

    enlargement: float
    """Factor, limited so that the longer side stays within `longest_side`: larger pictures are
    reduced to it."""
    border: float
    """Width of the border on every side, at most 0.5, as a fraction of the longer side of the
    picture (of a strip, of twice its shorter side)."""
    fill: int
    """Of the border: cv2.BORDER_REPLICATE, BORDER_REFLECT_101, or BORDER_CONSTANT for the picture's
    mean colour."""
    longest_side: int = 640
    """In pixels, without the border and before turning."""
    angle: float = 0
    """Degrees by which the picture is turned, clockwise as seen."""
    equalised: bool = False
    """Whether the contrast of the luminance is equalised locally."""


@dataclasses.dataclass(frozen=True, eq=False)
class View:
    """A picture shown in another way."""

    pixels: np.ndarray
    """uint8 [h, w, 3]."""
    back: np.ndarray
    """float64 [2, 3]: from coordinates of the view to those of the picture."""


def make_view(image: np.ndarray, kind: ViewKind) -> View:
    """Show a picture (uint8 [H, W, 3], RGB) in another way."""
    height, width = image.shape[:2]
    factor = min(kind.enlargement, kind.longest_side / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    source = _equalised(image) if kind.equalised else image
    resampling = cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA
    resized = cv2.resize(source, size, interpolation=resampling) if factor != 1 else source
    border = round(kind.border * min(max(size), 2 * min(size)))
    turn, frame = _turn(size, kind.angle, border)
    mean = [float(value) for value in image.mean((0, 1))]
    pixels = cv2.warpAffine(resized, turn, frame, borderMode=kind.fill, borderValue=mean)
    there = turn @ np.vstack([_resize((width, height), size), [0, 0, 1]])
    return View(pixels, cv2.invertAffineTransform(there))


def _equalised(image: np.ndarray) -> np.ndarray:
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(CLIP, (TILES, TILES)).apply(lab[..., 0])
    return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)


def _resize(old: tuple[int, int], new: tuple[int, int]) -> np.ndarray:
    """Coordinates after resizing: outer edges meet outer edges, half a pixel outside of centres."""
    x, y = np.divide(new, old)
    return np.array([[x, 0, 0.5 * x - 0.5], [0, y, 0.5 * y - 0.5]])


def _turn(size: tuple[int, int], angle: float, border: int) -> tuple[np.ndarray, tuple[int, int]]:
    """Coordinates after turning about the centre, and the width and height that hold all of the
    picture and a border."""
    # Rounded, so that quarter turns move pixels onto pixels.
    cosine = round(math.cos(math.radians(angle)), 12)
    sine = round(math.sin(math.radians(angle)), 12)
    turn = np.array([[cosine, -sine], [sine, cosine]])
    width, height = (round(side) + 2 * border for side in (np.abs(turn) @ size).tolist())
    old, new = (np.array(size) - 1) / 2, np.array([width - 1, height - 1]) / 2
    return np.hstack([turn, (new - turn @ old)[:, None]]), (width, height)
