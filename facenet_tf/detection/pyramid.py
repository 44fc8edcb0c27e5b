"""P-Net over pictures in many sizes, at a bounded memory whatever the size of the picture."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Iterator

import cv2
import numpy as np
import scipy.sparse
import scipy.special

from facenet_tf.detection.engines import Engine
from facenet_tf.detection.networks import normalized

Array = np.ndarray

CELL = 12
"""Pixels of P-Net's cell: the smallest face that it can see. Cells are two pixels apart."""
# Pixels that P-Net takes at once: what it makes of them stays in the cache.
_RUN_PIXELS = 64_000
# Rows of cells that it takes at once at least: strips have the pixels of five of them in common.
_RUN_ROWS = 16
# Pixels that are held as numbers of 32 bits at once.
_BAND_PIXELS = 2_000_000
# Pixels of pictures that go through the pyramid together: more of them push one another out of the
# cache between two scales.
_STACK_PIXELS = 640_000


@dataclasses.dataclass(frozen=True, eq=False)
class Candidates:
    """Cells of one picture in one size that may show a face."""

    cells: Array
    """int64 [N, 2]: row and column."""
    offsets: Array
    """float32 [N, 4]: of x1, y1, x2, y2 in widths of a cell."""
    scores: Array
    """float32 [N]."""


def scales(height: int, width: int, min_face_size: float, factor: float) -> list[float]:
    """How much a picture is reduced, the least first; empty if it is smaller than a face."""
    found = []
    scale = CELL / min_face_size
    while int(min(height, width) * scale) >= CELL:
        found.append(scale)
        scale *= factor
    return found


def few_at_once(pictures: Array) -> Iterator[Array]:
    """Split a stack [B, H, W, 3], uint8, into parts that are held at once.

    They come normalized; a picture that is too large for that comes alone and as it is.
    """
    size = pictures.shape[1] * pictures.shape[2]
    parts = math.ceil(len(pictures) / max(1, _STACK_PIXELS // size))
    for part in np.array_split(pictures, parts):
        yield part if part[..., 0].size > _BAND_PIXELS else normalized(part)


def candidates(engine: Engine, pictures: Array, scale: float, threshold: float) -> list[Candidates]:
    """P-Net over pictures of one size (uint8 or normalized [B, H, W, 3]), reduced by `scale`.

    Returns for each picture the cells whose score is above `threshold`, row by row.
    """
    height, width = pictures.shape[1:3]
    size = int(height * scale), int(width * scale)
    rows = max(1, _BAND_PIXELS // (2 * size[1]))
    parts: list[list[Candidates]] = [[] for _ in pictures]
    for first, start, stop in _strips(size[0], rows):
        pixels = np.stack([_reduced(picture, size, start, stop) for picture in pictures])
        for part, outputs in zip(parts, _run(engine, pixels), strict=True):
            odds = outputs[..., 1] - outputs[..., 0]
            row, column = np.nonzero(odds > scipy.special.logit(threshold))
            scores = scipy.special.expit(odds[row, column])
            part.append(
                Candidates(np.stack([row + first, column], 1), outputs[row, column, 2:], scores)
            )
    return [_joined(part) for part in parts]


def _joined(parts: list[Candidates]) -> Candidates:
    if len(parts) == 1:
        return parts[0]
    return Candidates(
        np.concatenate([part.cells for part in parts]),
        np.concatenate([part.offsets for part in parts]),
        np.concatenate([part.scores for part in parts]),
    )


def _strips(height: int, rows: int) -> Iterator[tuple[int, int, int]]:
    """Split a picture of `height` pixels into strips of about as many rows of cells, at most
    `rows`: the first row of cells, the first row of pixels, the one after the last.

    Strips share the pixels that cells on both sides see, so that together they have the cells of
    the whole.
    """
    cells = math.ceil((height - 2) / 2) - 4
    edges = np.linspace(0, cells, math.ceil(cells / rows) + 1).astype(int).tolist()
    for first, last in itertools.pairwise(edges):
        yield first, 2 * first, height if last == cells else 2 * last + CELL - 2


def _run(engine: Engine, pixels: Array) -> Array:
    """P-Net's outputs [B, h, w, 6] for pixels [B, H, W, 3], a few pictures or a strip at a time."""
    count, height, width = pixels.shape[:3]
    lots = math.ceil(count / max(1, _RUN_PIXELS // (height * width)))
    edges = np.linspace(0, count, lots + 1).astype(int)
    rows = max(_RUN_ROWS, (_RUN_PIXELS // width - CELL + 2) // 2) if lots == count else height
    strips = list(_strips(height, rows))
    return np.concatenate(
        [
            np.concatenate(
                [engine.run("pnet", pixels[a:b, start:stop]) for _, start, stop in strips], 1
            )
            for a, b in itertools.pairwise(edges)
        ]
    )


def _reduced(picture: Array, size: tuple[int, int], start: int, stop: int) -> Array:
    """Rows `start` to `stop` of a picture that is reduced to `size`, normalized: each pixel the
    mean of the area that it covers.

    Sparse products give any part of the result, which TensorFlow's and OpenCV's own operations do
    not.
    """
    height, width = picture.shape[:2]
    rows = max(1, _BAND_PIXELS * size[0] // (height * width))
    parts = [
        _reduced_rows(picture, size, first, min(first + rows, stop))
        for first in range(start, stop, rows)
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _reduced_rows(picture: Array, size: tuple[int, int], start: int, stop: int) -> Array:
    height, width = picture.shape[:2]
    step = height / size[0]
    first, last = int(start * step), min(height, math.ceil(stop * step))
    source = picture[first:last].reshape(last - first, -1)
    if source.dtype == np.uint8:
        source = normalized(source)
    rows = _area_weights(height, size[0], start, stop) @ source
    turned = cv2.transpose(rows.reshape(stop - start, width, 3)).reshape(width, -1)
    columns = _area_weights(width, size[1], 0, size[1]) @ turned
    return cv2.transpose(columns.reshape(size[1], stop - start, 3))


@functools.lru_cache(maxsize=512)
def _area_weights(size: int, count: int, start: int, stop: int) -> scipy.sparse.csr_array:
    """Weights of `size` values in the means `start` to `stop` of `count`; the columns begin with
    the first value that has a weight.

    In float32, as TensorFlow's `ResizeArea` computes them: the rounded edges of the areas move a
    pixel by more than all other rounding together.
    """
    step = np.float32(size) / np.float32(count)
    edges = np.arange(start, stop + 1).astype(np.float32) * step
    begin, end = edges[:-1, None], edges[1:, None]
    places = np.floor(begin) + np.arange(math.ceil(step) + 1, dtype=np.float32)
    weights = np.clip(np.minimum(places + 1, end) - np.maximum(places, begin), 0, None) / step
    first, last = int(start * (size / count)), min(size, math.ceil(stop * (size / count)))
    columns = np.clip(places.astype(int), first, last - 1) - first
    ends = np.arange(0, weights.size + 1, weights.shape[1])
    values = weights.reshape(-1), columns.reshape(-1), ends
    return scipy.sparse.csr_array(values, shape=(stop - start, last - first))
