"""Bytes of a file to RGB pixels, and crops to bytes."""

import re
from typing import Literal

import cv2
import numpy as np

from facenet_tf.picture_size import declared_size

Problem = Literal["unreadable", "not_an_image", "too_large"]
Encoding = Literal["jpeg", "png"]

_JPEG = b"\xff\xd8\xff"
_PNG = b"\x89PNG\r\n\x1a\n"
_EXIF_ORIENTATION = 0x0112
MAX_PIXELS = 100_000_000
"""Larger pictures are refused by default: decoded, one takes 300 MB and more."""

# First bytes of the formats that people keep photographs in: a file that has them and cannot be
# decoded is damaged (or needs a codec that this OpenCV lacks), any other is no picture at all.
_SIGNATURE = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|BM|RIFF....WEBP|II\*\x00|MM\x00\*|P[1-7]\s|"
    rb"\x00\x00\x00\x0c(jP  |JXL )|....ftyp(avif|avis|heic|heix|mif1)|\xff\x4f\xff\x51|\xff\x0a",
    re.DOTALL,
)


class UnreadablePicture(Exception):
    """The bytes give no picture. `code` is "unreadable" (a damaged picture), "not_an_image" or
    "too_large"."""

    def __init__(self, code: Problem, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code: Problem = code
        self.detail = detail


def decode_picture(data: bytes, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Decode the bytes of a picture file to uint8 [H, W, 3], RGB.

    The orientation is applied that the EXIF data of a JPEG, PNG, WebP or TIFF give; 16 bits are cut
    to the upper eight; palettes, grey and CMYK become RGB; what is transparent is shown over white;
    of an animation the first frame counts.

    Damage in the middle of a JPEG goes unnoticed: decoders carry on behind it and report nothing,
    so such a picture comes out with blocks of wrong colours.

    Raises UnreadablePicture: "not_an_image" for bytes that are no picture, "too_large" for one
    whose header declares more than `max_pixels`, of which nothing is decoded, "unreadable" for a
    damaged or truncated one, or one in a format that the installed OpenCV cannot decode.
    """
    if not data:
        raise UnreadablePicture("not_an_image", "the file is empty")
    if not _SIGNATURE.match(data):
        raise UnreadablePicture("not_an_image", f"it begins with {data[:8]!r}")
    _check_size(declared_size(data), max_pixels)
    if data.startswith(_JPEG):
        _check_jpeg(data)
        pixels = _decode(data, cv2.IMREAD_COLOR)
    else:
        _check_png(data)
        # Opacity comes unturned from OpenCV: colours have to meet it in the same state.
        colours = _decode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        stored = _decode(data, cv2.IMREAD_UNCHANGED)
        pixels = _upright(_over_white(colours, stored, data), _orientation(data))
    _check_size(pixels.shape[1::-1], max_pixels)  # of formats whose header is not known
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def encode_crop(pixels: np.ndarray, encoding: Encoding, quality: int) -> bytes:
    """Encode a crop, uint8 [H, W, 3] RGB or [H, W, 1] grey.

    Args:
        pixels: the crop.
        encoding: "jpeg", or "png" which loses nothing.
        quality: 1...100 for JPEG; PNG ignores it. Colour keeps its full resolution.

    Raises ValueError if the pixels, the encoding or the quality are not of that kind.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (1, 3):
        raise ValueError(
            f"need a crop uint8 [H, W, 3 or 1], got {pixels.dtype} {list(pixels.shape)}"
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


def _check_jpeg(data: bytes) -> None:
    """Raise unless an end-of-image marker follows the first scan; decoders fill what is missing
    with grey, silently."""
    position = 2
    while position + 9 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xDA and data.find(b"\xff\xd9", position) >= 0:
            return
        if marker == 0xFF:
            position += 1
            continue
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    raise UnreadablePicture("unreadable", "the JPEG is truncated")


def _check_png(data: bytes) -> None:
    """Raise if it is a PNG without its head or its end."""
    if not data.startswith(_PNG):
        return
    if b"IEND" not in data[-64:]:
        raise UnreadablePicture("unreadable", "the PNG is truncated")
    if len(_chunk(data, b"IHDR")) != 13:
        raise UnreadablePicture("unreadable", "the PNG has no header")


def _check_size(size: tuple[int, ...] | None, max_pixels: int) -> None:
    if size and size[0] * size[1] > max_pixels:
        detail = f"{size[0]} x {size[1]} pixels are more than {max_pixels / 1e6:g} megapixels"
        raise UnreadablePicture("too_large", detail)


def _decode(data: bytes, flags: int) -> np.ndarray:
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise UnreadablePicture("unreadable", f"OpenCV: {error.err}") from error
    if pixels is None:
        raise UnreadablePicture("unreadable", "damaged, or a format that this OpenCV cannot decode")
    return pixels


def _opacity(stored: np.ndarray, data: bytes) -> np.ndarray | None:
    """0...1, float32 [H, W, 1], of the pixels as OpenCV reads them unchanged; None: all opaque."""
    if stored.ndim == 3 and stored.shape[2] == 4:
        return stored[..., 3:].astype(np.float32) / np.iinfo(stored.dtype).max
    if stored.ndim == 2 and data.startswith(_PNG) and (transparent := _chunk(data, b"tRNS")):
        # OpenCV leaves this one to us: the grey that stands for transparency, in the file's bits.
        bits = _chunk(data, b"IHDR")[8]
        step = np.iinfo(stored.dtype).max // (2**bits - 1)
        opaque = stored != int.from_bytes(transparent[:2], "big") * step
        return opaque[..., None].astype(np.float32)
    return None


def _over_white(colours: np.ndarray, stored: np.ndarray, data: bytes) -> np.ndarray:
    """Colours hidden under full transparency are arbitrary, often black; white is what a viewer
    shows."""
    opacity = _opacity(stored, data)
    if opacity is None:
        return colours
    # OpenCV gives the colours of an 8-bit TIFF times their opacity.
    multiplied = stored.dtype == np.uint8 and data.startswith((b"II", b"MM"))
    seen = (colours if multiplied else colours * opacity) + 255 * (1 - opacity)
    return np.rint(np.minimum(seen, 255)).astype(np.uint8)


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """The picture after the turns and flips of an EXIF orientation, 1...8; others do nothing."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _orientation(data: bytes) -> int:
    """The EXIF orientation in a PNG or WebP; 1, upright, without one and in other formats (OpenCV
    turns a TIFF in any case)."""
    exif = _chunk(data, b"eXIf" if data.startswith(_PNG) else b"EXIF").removeprefix(b"Exif\0\0")
    order: Literal["little", "big"] = "little" if exif.startswith(b"II") else "big"
    start = int.from_bytes(exif[4:8], order)
    entries = int.from_bytes(exif[start : start + 2], order)
    for entry in range(start + 2, min(start + 2 + 12 * entries, len(exif)), 12):
        if int.from_bytes(exif[entry : entry + 2], order) == _EXIF_ORIENTATION:
            return int.from_bytes(exif[entry + 8 : entry + 10], order)
    return 1


def _chunk(data: bytes, name: bytes) -> bytes:
    """Body of the first chunk of this name in a PNG or WebP; empty if there is none."""
    png = data.startswith(_PNG)
    if not png and data[8:12] != b"WEBP":
        return b""
    position = 8 if png else 12
    while position + 8 <= len(data):
        first, second = data[position : position + 4], data[position + 4 : position + 8]
        length = int.from_bytes(first, "big") if png else int.from_bytes(second, "little")
        if name == (second if png else first):
            return data[position + 8 : position + 8 + length]
        position += 8 + length + (4 if png else length % 2)  # a checksum; padding to an even length
    return b""


def fit_within(pixels: np.ndarray, side: int) -> np.ndarray:
    """A picture or crop, uint8 [H, W, 3], resized in proportion so that its longer side has `side`
    pixels."""
    scale = side / max(pixels.shape[:2])
    height, width = (max(1, round(length * scale)) for length in pixels.shape[:2])
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
