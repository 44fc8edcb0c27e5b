"""Pairs that lie near each other, among many: of hashes by the bits, of vectors by the distance.

Both searches are exact, and their memory is bounded: a block of candidates at a time, and the
pairs that are found.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facenet_tf.curation.hashing import BITS, bit_differences
from facenet_tf.errors import InputError
from facenet_tf.metrics.distances import squared_distances

MOST_PAIRS = 5_000_000
_BAND_BITS = 16
_CANDIDATES = 4_000_000
_BLOCK = 2048


class NearPairs(NamedTuple):
    """Pairs sorted by left, then right; arrays of one length.

    Attributes:
        left, right: int64, row numbers.
        distance: differing bits, or squared Euclidean distance.
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    distance: NDArray[np.float64]

    def within(self) -> NearPairs:
        """Of a search of a set in itself, each pair once, with left < right."""
        once = self.left < self.right
        return NearPairs(self.left[once], self.right[once], self.distance[once])


def near_hashes(left: NDArray[np.uint64], right: NDArray[np.uint64], most_bits: int) -> NearPairs:
    """All pairs of a left and a right hash that differ in at most `most_bits` bits.

    Multi-index hashing: of two such hashes one of four bands of 16 bits differs in at most a
    quarter of the bits, and so is found by looking up each band with so many bits changed. With
    hashes that are spread evenly, the time grows far less than with the number of pairs.

    Source: Norouzi, Punjani, Fleet, "Fast Search in Hamming Space with Multi-Index Hashing", 2012.

    Raises:
        InputError: there are more than `MOST_PAIRS`.
    """
    bands = BITS // _BAND_BITS
    found = _Found()
    for band in range(bands):
        shift = np.uint64(_BAND_BITS * band)
        keys, wanted = ((hashes >> shift).astype(np.uint16) for hashes in (right, left))
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        for change in _changes(most_bits // bands):
            start = np.searchsorted(ordered, wanted ^ change, "left")
            stop = np.searchsorted(ordered, wanted ^ change, "right")
            for row, place in _expanded(start, stop):
                other = order[place]
                bits = bit_differences(left[row], right[other])
                near = bits <= most_bits
                found.add(row[near], other[near], bits[near].astype(np.float64))
    return found.pairs()


def near_vectors(
    left: NDArray[np.float32], right: NDArray[np.float32], most_squared: float
) -> NearPairs:
    """All pairs of a left and a right row whose squared Euclidean distance is at most so much.

    Args:
        left, right: [N, D] and [M, D], rows of length 1.
        most_squared: 0…4.

    Raises:
        InputError: there are more than `MOST_PAIRS`.
    """
    found = _Found()
    slack = 1e-5  # of products in float32; the distances that count are taken from differences
    for start in range(0, len(left), _BLOCK):
        for begin in range(0, len(right), _BLOCK):
            products = left[start : start + _BLOCK] @ right[begin : begin + _BLOCK].T
            rows, others = np.nonzero(2 - 2 * products <= most_squared + slack)
            for part in range(0, len(rows), _CANDIDATES):
                row = rows[part : part + _CANDIDATES] + start
                other = others[part : part + _CANDIDATES] + begin
                distance = squared_distances(left[row], right[other])
                near = distance <= most_squared
                found.add(row[near], other[near], distance[near])
    return found.pairs()


class _Found:
    """The pairs found so far."""

    def __init__(self) -> None:
        self._parts: list[NearPairs] = []
        self._count = 0

    def add(
        self, left: NDArray[np.int64], right: NDArray[np.int64], distance: NDArray[np.float64]
    ) -> None:
        self._count += len(left)
        if self._count > MOST_PAIRS:
            raise InputError(
                f"more than {MOST_PAIRS:,} pairs are that near: give a smaller distance"
            )
        if len(left):
            self._parts.append(NearPairs(left, right, distance))

    def pairs(self) -> NearPairs:
        """Each pair once: a search by bands finds some several times."""
        empty = np.empty(0, np.int64)
        parts = [*self._parts, NearPairs(empty, empty, np.empty(0))]
        left, right, distance = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.lexsort((right, left))
        left, right, distance = left[order], right[order], distance[order]
        fresh = np.ones(len(left), bool)
        fresh[1:] = (np.diff(left) != 0) | (np.diff(right) != 0)
        return NearPairs(left[fresh], right[fresh], distance[fresh])


def _changes(most_bits: int) -> list[np.uint16]:
    """Every change of at most so many bits of a band, as what to XOR it with."""
    changes = {0}
    for _ in range(most_bits):
        changes |= {change ^ (1 << bit) for change in changes for bit in range(_BAND_BITS)}
    return [np.uint16(change) for change in sorted(changes)]


def _expanded(
    start: NDArray[np.int64], stop: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Rows with each place of their ranges start…stop - 1, about `_CANDIDATES` at a time."""
    counts = stop - start
    ends = np.cumsum(counts)
    first = 0
    while first < len(counts):
        done = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, done + _CANDIDATES, "right")))
        part = counts[first:last]
        rows = np.repeat(np.arange(first, last), part)
        offsets = np.arange(part.sum()) - np.repeat(np.cumsum(part) - part, part)
        yield rows, start[rows] + offsets
        first = last
