"""insightface's `.bin`: pairs of ready crops, 112 by 112, aligned by the five points of ArcFace.

The files `lfw.bin`, `cfp_fp.bin`, `agedb_30.bin`, `calfw.bin`, `cplfw.bin` … of
https://github.com/deepinsight/insightface (recognition/_datasets_) are a pickled pair: the encoded
pictures, two for each pair, and whether each pair is genuine. Names of people are not in them.
"""

from __future__ import annotations

import dataclasses
import stat
from pathlib import Path

import numpy as np

from facenet_tf.datasets.pickled_list import loads_lists
from facenet_tf.errors import InputError

MAX_BYTES = 4 << 30
"""Larger files are not read: the crops are held in memory, and lfw.bin has 0.06 GiB."""


@dataclasses.dataclass(frozen=True)
class PairBin:
    """N pairs of encoded crops.

    Attributes:
        crops: 2 N of them, JPEG or PNG; number 2 i and 2 i + 1 are pair i.
        genuine: bool [N].
    """

    crops: list[bytes]
    genuine: np.ndarray

    def __len__(self) -> int:
        return len(self.genuine)


def read_bin(path: Path) -> PairBin:
    """Read a `.bin` of insightface, written by Python 2 or 3, without running what is in it.

    Raises:
        InputError: the file is missing, damaged or anything but such a pair of lists.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
            raise InputError(f"{path} is no file of at most {MAX_BYTES >> 30} GiB: give a .bin")
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): give a .bin file") from error
    try:
        crops, genuine = _checked(loads_lists(content))
    except ValueError as error:
        raise InputError(f"{path} is no .bin of insightface: {error}") from error
    return PairBin(crops, np.array(genuine, bool))


def _checked(value: object) -> tuple[list[bytes], list[bool]]:
    match value:
        case (list() as crops, list() as genuine):
            pass
        case _:
            raise ValueError("it does not hold two lists")
    if not all(isinstance(crop, bytes) and crop for crop in crops):
        raise ValueError("its first list holds what is no encoded picture")
    if not all(flag in (False, True) and isinstance(flag, int) for flag in genuine):
        raise ValueError("its second list holds what is neither true nor false")
    if not genuine or len(crops) != 2 * len(genuine):
        raise ValueError(f"it has {len(crops)} pictures for {len(genuine)} pairs")
    return crops, genuine
