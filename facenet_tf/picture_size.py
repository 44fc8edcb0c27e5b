"""Width and height of a picture from its header, before anything is decoded."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Literal

Size = tuple[int, int]

_PNM = re.compile(rb"P[1-6](?:\s+|#[^\n]*\n)+(\d+)(?:\s+|#[^\n]*\n)+(\d+)")
_PAM_WIDTH, _PAM_HEIGHT = re.compile(rb"\bWIDTH\s+(\d+)"), re.compile(rb"\bHEIGHT\s+(\d+)")
_TIFF_WIDTH, _TIFF_HEIGHT, _TIFF_LONG = 256, 257, 4
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def declared_size(data: bytes) -> Size | None:
    """Return the width and height in pixels that the header of a picture declares.

    Of several pictures in one AVIF or HEIC file the largest counts, as no decoder says which it
    will take. None for a header that is damaged, or of a format that is not known here.
    """
    for signature, read in _READERS:
        if re.match(signature, data, re.DOTALL):
            try:
                return read(data)
            except (struct.error, ValueError, TypeError):  # the file ends within its header
                return None
    return None


def _png(data: bytes) -> Size:
    return struct.unpack_from(">II", data, 16)


def _gif(data: bytes) -> Size:
    return struct.unpack_from("<HH", data, 6)


def _bmp(data: bytes) -> Size:
    (header,) = struct.unpack_from("<I", data, 14)
    if header == 12:  # of OS/2
        return struct.unpack_from("<HH", data, 18)
    width, height = struct.unpack_from("<ii", data, 18)
    return abs(width), abs(height)  # negative: stored from the top


def _webp(data: bytes) -> Size:
    kind = data[12:16]
    if kind == b"VP8X":
        return _uint24(data, 24) + 1, _uint24(data, 27) + 1
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _uint24(data: bytes, position: int) -> int:
    low, high = struct.unpack_from("<HB", data, position)
    return low | high << 16


def _jpeg(data: bytes) -> Size:
    position = 2
    while data[position : position + 1] == b"\xff":
        (marker,) = struct.unpack_from(">B", data, position + 1)
        if marker == 0xFF:  # a fill byte
            position += 1
            continue
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, position + 5)
            return width, height
        (length,) = struct.unpack_from(">H", data, position + 2)
        position += 2 + length
    raise ValueError("no frame header")


def _pnm(data: bytes) -> Size:
    found = _PNM.match(data)
    if not found:
        raise ValueError("no size")
    return int(found[1]), int(found[2])


def _pam(data: bytes) -> Size:
    width, height = _PAM_WIDTH.search(data), _PAM_HEIGHT.search(data)
    if not (width and height):
        raise ValueError("no size")
    return int(width[1]), int(height[1])


def _tiff(data: bytes) -> Size:
    order: Literal["<", ">"] = "<" if data.startswith(b"II") else ">"
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    (entries,) = struct.unpack_from(f"{order}H", data, start)
    sides: dict[int, int] = {}
    for entry in range(start + 2, start + 2 + 12 * entries, 12):
        tag, kind = struct.unpack_from(f"{order}HH", data, entry)
        kind_of_value = "I" if kind == _TIFF_LONG else "H"
        (sides[tag],) = struct.unpack_from(f"{order}{kind_of_value}", data, entry + 8)
    if not {_TIFF_WIDTH, _TIFF_HEIGHT} <= sides.keys():
        raise ValueError("no size")
    return sides[_TIFF_WIDTH], sides[_TIFF_HEIGHT]


def _jpeg2000(data: bytes) -> Size:
    """The size in the codestream, that of a JP2 file as well: its boxes only repeat it."""
    start = data.find(b"\xff\x4f\xff\x51")
    right, bottom, left, top = struct.unpack_from(">IIII", data[start:] if start >= 0 else b"", 8)
    return right - left, bottom - top


def _heif(data: bytes) -> Size:
    boxes = re.findall(rb"ispe\0{4}(.{8})", data, re.DOTALL)
    return max((struct.unpack(">II", box) for box in boxes), key=lambda size: size[0] * size[1])


_READERS: list[tuple[bytes, Callable[[bytes], Size]]] = [
    (rb"\xff\xd8\xff", _jpeg),
    (rb"\x89PNG\r\n\x1a\n", _png),
    (rb"GIF8[79]a", _gif),
    (rb"BM", _bmp),
    (rb"RIFF....WEBP", _webp),
    (rb"II\*\x00|MM\x00\*", _tiff),
    (rb"P[1-6]\s", _pnm),
    (rb"P7\s", _pam),
    (rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51", _jpeg2000),
    (rb"....ftyp", _heif),
]
