"""The faces that `mtcnn` 1.0.0 finds in a fixed list of pictures, as numbers, and how to compare.

Written by detection_reference.py, read by detection_parity.py and the tests.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.optimize

from facenet_tf.detection import Face

REFERENCE = Path(__file__).parent / "references" / "mtcnn_1.0.0.npz"
TOLERANCE = 0.05
"""Largest difference of a coordinate of a box or a landmark, in pixels."""


@dataclasses.dataclass(frozen=True, eq=False)
class Expected:
    """What the package finds in one picture."""

    name: str
    checksum: int
    """CRC-32 of the pixels: another decoder's pixels are another picture."""
    faces: np.ndarray
    """float32 [N, 15]: left, top, width, height, five x and y in turn, confidence."""


def as_row(face: Face) -> np.ndarray:
    """A face as a row of `Expected.faces`."""
    return np.array([*face.box, *face.landmarks.reshape(-1), face.confidence])


def checksum(picture: np.ndarray) -> int:
    """CRC-32 of a picture's pixels."""
    return zlib.crc32(np.ascontiguousarray(picture).tobytes())


def write_reference(path: Path, pictures: Sequence[Expected]) -> None:
    """Write what was found as a compressed archive of plain arrays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path,
        names=np.array([picture.name for picture in pictures]),
        checksums=np.array([picture.checksum for picture in pictures], np.uint32),
        counts=np.array([len(picture.faces) for picture in pictures], np.int16),
        faces=np.concatenate([picture.faces for picture in pictures]).astype(np.float32),
    )


def read_reference(path: Path = REFERENCE) -> list[Expected]:
    """What the package found, picture by picture."""
    with np.load(path, allow_pickle=False) as data:
        faces = np.split(data["faces"], np.cumsum(data["counts"])[:-1])
        columns = zip(data["names"].tolist(), data["checksums"].tolist(), faces, strict=True)
        return [Expected(*values) for values in columns]


def largest_difference(expected: np.ndarray, found: Sequence[Face]) -> float:
    """The largest difference of a coordinate between faces [N, 15] and as many found ones.

    Faces are paired so that they differ least: equally confident ones may come in any order.
    """
    if not found:
        return 0.0
    rows = np.stack([as_row(face) for face in found])
    differences = np.abs(expected[:, None, :14] - rows[None, :, :14]).max(2)
    return float(differences[scipy.optimize.linear_sum_assignment(differences)].max())


def mismatch(expected: Expected, found: Sequence[Face]) -> dict[str, Any] | None:
    """What is wrong with the faces found in a picture: their number or places; None: nothing."""
    if len(found) != len(expected.faces):
        what = {"expected": len(expected.faces), "found": len(found)}
        return {"picture": expected.name, "faces": what}
    difference = largest_difference(expected.faces, found)
    if difference <= TOLERANCE:
        return None
    return {"picture": expected.name, "difference": round(difference, 4)}
