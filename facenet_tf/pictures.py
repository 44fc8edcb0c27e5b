"""Bytes of a file to RGB pixels, and crops to bytes."""

import re
from typing import Literal

import cv2
import numpy as np

Problem = Literal["unreadable", "not_an_image"]
Encoding = Literal["jpeg", "png"]

_JPEG = b"\xff\xd8\xff"
_PNG = b"\x89PNG\r\n\x1a\n"
# First bytes of the formats that people keep photographs in: a file that has them and cannot be
# decoded is damaged (or needs a codec that this OpenCV lacks), any other is no picture at all.
_SIGNATURE = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|BM|RIFF....WEBP|II\*\x00|MM\x00\*|P[1-7]\s|"
    rb"\x00\x00\x00\x0cjP  |....ftyp(avif|avis|heic|heix|mif1)|\xff\x4f\xff\x51",
    re.DOTALL,
)


class UnreadablePicture(Exception):
    """The bytes give no picture. `code` is "unreadable" (a damaged picture) or "not_an_image"."""

    def __init__(self, code: Problem, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code: Problem = code
        self.detail = detail


def decode_picture(data: bytes) -> np.ndarray:
    """Decode the bytes of a picture file to uint8 [H, W, 3], RGB.

    The EXIF orientation is applied; 16 bits are cut to the upper eight; palettes, grey and CMYK
    become RGB; what is transparent is shown over white; of an animation the first frame counts.

    Raises UnreadablePicture: "not_an_image" for bytes that are no picture, "unreadable" for a
    damaged or truncated one, or one in a format that the installed OpenCV cannot decode.
    """
    if not data:
        raise UnreadablePicture("not_an_image", "the file is empty")
    if not _SIGNATURE.match(data):
        raise UnreadablePicture("not_an_image", f"it begins with {data[:8]!r}")
    if data.startswith(_JPEG) and not _jpeg_is_complete(data):
        raise UnreadablePicture("unreadable", "the JPEG is truncated")
    if data.startswith(_PNG) and b"IEND" not in data[-64:]:
        raise UnreadablePicture("unreadable", "the PNG is truncated")
    pixels = _decode(data, cv2.IMREAD_COLOR)
    if not data.startswith(_JPEG):
        pixels = _over_white(pixels, _decode(data, cv2.IMREAD_UNCHANGED))
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def encode_crop(pixels: np.ndarray, encoding: Encoding, quality: int) -> bytes:
    """Encode a crop, uint8 [S, S, 3] RGB or [S, S, 1] grey.

    Args:
        pixels: the crop.
        encoding: "jpeg", or "png" which loses nothing.
        quality: 1...100 for JPEG; PNG ignores it. Colour keeps its full resolution.

    Raises ValueError if the pixels, the encoding or the quality are not of that kind.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (1, 3):
        raise ValueError(
            f"need a crop uint8 [S, S, 3 or 1], got {pixels.dtype} {list(pixels.shape)}"
        )
    if encoding not in ("jpeg", "png"):
        raise ValueError(f"encoding {encoding!r}: jpeg or png")
    if not 1 <= quality <= 100:
        raise ValueError(f"quality {quality}: 1 to 100")
    full_colour = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, *full_colour] if encoding == "jpeg" else []
    image = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.shape[2] == 3 else pixels
    done, data = cv2.imencode(f".{encoding}", image, options)
    if not done:
        raise ValueError(f"OpenCV could not encode a crop {list(pixels.shape)} as {encoding}")
    return data.tobytes()


def _decode(data: bytes, flags: int) -> np.ndarray:
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise UnreadablePicture("unreadable", f"OpenCV: {error.err}") from error
    if pixels is None:
        raise UnreadablePicture("unreadable", "damaged, or a format that this OpenCV cannot decode")
    return pixels


def _over_white(pixels: np.ndarray, unchanged: np.ndarray) -> np.ndarray:
    """Colours hidden under full transparency are arbitrary, often black; white is what a viewer
    shows."""
    if unchanged.ndim != 3 or unchanged.shape[2] != 4 or unchanged.shape[:2] != pixels.shape[:2]:
        return pixels
    full = np.iinfo(unchanged.dtype).max
    alpha = unchanged[..., 3:].astype(np.float32) / full
    return np.rint(pixels * alpha + 255 * (1 - alpha)).astype(np.uint8)


def _jpeg_is_complete(data: bytes) -> bool:
    """Whether an end-of-image marker follows the first scan; decoders fill what is missing with
    grey, silently."""
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xDA:
            return data.find(b"\xff\xd9", position) >= 0
        if marker == 0xFF:
            position += 1
            continue
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return False
