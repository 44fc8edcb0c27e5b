"""Arithmetic on boxes: float64 [N, 4] of x1, y1, x2, y2 in pixels. Scores are [N]."""

import numpy as np

Array = np.ndarray

# Rows of the overlap matrix that are held at once: a large, busy picture has tens of thousands of
# proposals.
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
    """Order by falling score; of equals the later comes first, as in the `mtcnn` package."""
    return np.argsort(scores, kind="stable")[::-1]


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
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    keep = np.ones(len(boxes), bool)
    for start in range(0, len(boxes), _BLOCK):
        stop = min(start + _BLOCK, len(boxes))
        x1, y1, x2, y2 = boxes[start:stop, :, None].transpose(1, 0, 2)
        others = boxes[:stop]
        width = np.minimum(x2, others[:, 2]) - np.maximum(x1, others[:, 0])
        height = np.minimum(y2, others[:, 3]) - np.maximum(y1, others[:, 1])
        common = np.maximum(width, 0) * np.maximum(height, 0)
        own = areas[start:stop, None]
        base = np.minimum(own, areas[:stop]) if of_smaller else own + areas[:stop] - common
        overlapping = common > threshold * base
        keep[start:stop] = ~np.tril(overlapping, start - 1).any(1)
    return np.flatnonzero(keep)
