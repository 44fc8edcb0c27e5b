"""Perceptual hashes of crops: pictures that look alike have hashes that differ in few bits."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

BITS = 64
_SIDE, _FREQUENCIES = 32, 8
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


def perceptual_hashes(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The DCT hash of each crop.

    The crop in grey is averaged to 32×32 pixels; of its two-dimensional DCT-II the coefficients
    of the frequencies 1…8 in either direction are compared with their median, row by row, the
    first one giving the highest bit. Brightness, contrast, size and mild compression leave most
    bits as they are; a mirrored or shifted picture has another hash.

    Source: Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010,
    section 3.2.1, with area averaging in the place of its 7×7 mean filter.

    Args:
        images: uint8 [N, H, W, C], C 1 or 3 (RGB).

    Returns:
        uint64 [N].
    """
    small = np.stack([_reduced(image) for image in images])
    basis = _dct_rows()
    waves = np.einsum("fy,nyx,gx->nfg", basis, small, basis, optimize=True).reshape(len(small), -1)
    bits = waves > np.median(waves, axis=1, keepdims=True)
    return np.packbits(bits, axis=1).view(">u8").astype(np.uint64).reshape(-1)


def bit_differences(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Number of bits in which hashes differ, 0…64, elementwise: int64 [N]."""
    differing = np.bitwise_xor(left, right)
    return _POPCOUNT[differing.view(np.uint16).reshape(-1, 4)].sum(axis=1, dtype=np.int64)


def _reduced(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    # Averaged before it becomes grey: both are linear, and so the sums are over fewer pixels.
    floats = image.astype(np.float32)
    small = np.asarray(cv2.resize(floats, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.float32)
    return small if small.ndim == 2 else np.dot(small, _LUMA)


def _dct_rows() -> NDArray[np.float64]:
    """The cosines of the frequencies 1…8 over 32 places: [8, 32]."""
    frequencies, places = np.arange(1, _FREQUENCIES + 1), np.arange(_SIDE)
    return np.cos(np.pi / _SIDE * frequencies[:, None] * (places + 0.5))


_POPCOUNT = np.array([number.bit_count() for number in range(1 << 16)], np.uint8)
