"""Arithmetic on boxes: float64 [N, 4] of x1, y1, x2, y2 in pixels. Scores are [N]."""

from collections.abc import Iterator

import numpy as np

Array = np.ndarray

# Boxes that are compared at once: a large, busy picture has tens of thousands of proposals.
_BLOCK = 512


def boxes_of_cells(cells: Array, offsets: Array, scale: float) -> Array:
    """Place P-Net's cells (row, column) [N, 2] and their offsets [N, 4] in the picture.

    The picture was resized by `scale`. A cell covers 12 pixels of it, from 2i + 1 to 2i + 12.
    """
    corners = cells[:, [1, 0, 1, 0]] * 2 + np.array([1, 1, 12, 12])
    # A cell counts as 11 wide here, where `shift` would count 12: so the weights were trained.
    return (corners + offsets.astype(np.float64) * 11) / scale


def shift(boxes: Array, offsets: Array) -> Array:
    """Move each edge by a fraction of the box's size; sizes count both end pixels."""
    sizes = boxes[:, 2:] - boxes[:, :2] + 1
    return boxes + offsets * np.tile(sizes, 2)


def place_landmarks(boxes: Array, landmarks: Array) -> Array:
    """O-Net's landmarks [N, 10] (five x, five y, as fractions of the box) as pixels, [N, 5, 2]."""
    sizes = boxes[:, 2:] - boxes[:, :2] + 1
    points = landmarks.astype(np.float64).reshape(-1, 2, 5).transpose(0, 2, 1)
    return points * sizes[:, None] + boxes[:, None, :2] - 1


def to_squares(boxes: Array) -> Array:
    """Grow the shorter side to the longer one about the centre."""
    sizes = boxes[:, 2:] - boxes[:, :2]
    side = sizes.max(1, keepdims=True)
    start = boxes[:, :2] + sizes * 0.5 - side * 0.5
    return np.hstack([start, start + side])


def clip(boxes: Array, height: int, width: int) -> Array:
    """Keep the corners on pixels of the picture."""
    return np.clip(boxes, 0, np.array([width - 1, height - 1, width - 1, height - 1]))


def descending(scores: Array) -> Array:
    """Order by falling score.

    Scores often are the same float32 just below 1, and which of them comes first decides which box
    stays: NumPy's default sort of float64, unstable as it is, is what the `mtcnn` package takes.
    """
    return np.argsort(scores.astype(np.float64))[::-1]


def survivors(boxes: Array, threshold: float, of_smaller: bool = False) -> Array:
    """Suppress boxes that overlap a better one by more than `threshold`.

    Args:
        boxes: best first.
        threshold: largest overlap that a box survives.
        of_smaller: measure overlap by the smaller box instead of the union of both.

    A box counts as better even if it is suppressed itself: chains of overlapping boxes shrink to
    their head, other than in the textbook's greedy suppression. The `mtcnn` package does so, and
    its thresholds were chosen with it.
    Returns the positions of the boxes that stay, ascending.
    """
    keep = np.ones(len(boxes), bool)
    if len(boxes) < 2:
        return np.flatnonzero(keep)
    for block, near in _neighbourhoods(boxes):
        better = near < block[:, None]
        overlapping = _overlapping(boxes[block], boxes[near], threshold, of_smaller)
        keep[block] = ~(overlapping & better).any(1)
    return np.flatnonzero(keep)


def _overlapping(boxes: Array, others: Array, threshold: float, of_smaller: bool) -> Array:
    """Whether boxes [N, 4] and others [M, 4] overlap by more than `threshold`, [N, M]."""
    x1, y1, x2, y2 = boxes.T[:, :, None]
    ox1, oy1, ox2, oy2 = others.T
    width = np.minimum(x2, ox2) - np.maximum(x1, ox1)
    height = np.minimum(y2, oy2) - np.maximum(y1, oy1)
    common = np.maximum(width, 0) * np.maximum(height, 0)
    own, other = (x2 - x1) * (y2 - y1), (ox2 - ox1) * (oy2 - oy1)
    base = np.minimum(own, other) if of_smaller else own + other - common
    return common > threshold * base


def _neighbourhoods(boxes: Array) -> Iterator[tuple[Array, Array]]:
    """Blocks of boxes that lie together, and all that may overlap one of them, as positions."""
    everyone = np.arange(len(boxes))
    if len(boxes) <= _BLOCK:
        yield everyone, everyone
        return
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    lane = 8 * np.median(boxes[:, 3] - boxes[:, 1])
    together = np.lexsort((centres[:, 0], centres[:, 1] // lane))
    for block in np.array_split(together, len(boxes) // _BLOCK + 1):
        low, high = boxes[block, :2].min(0), boxes[block, 2:].max(0)
        yield block, everyone[(boxes[:, 2:] > low).all(1) & (boxes[:, :2] < high).all(1)]
