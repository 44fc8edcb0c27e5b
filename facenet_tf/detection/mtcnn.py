"""MTCNN: joint face detection and alignment in three stages (Zhang et al. 2016), batched over
pictures.

The faces are those of the package `mtcnn` 1.0.0, whose weights are used. The difference is in the
driving: pictures of one size run through P-Net together, the windows of all pictures of a call
through R-Net and O-Net together, and any smallest face size works.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from facenet_tf.detection import boxes as bx
from facenet_tf.detection.face import Face
from facenet_tf.detection.networks import (
    OutputNetwork,
    ProposalNetwork,
    RefinementNetwork,
    cut_windows,
    weights_digest,
)
from facenet_tf.errors import InputError

Array = np.ndarray

# P-Net's cell: the smallest face it can see.
_CELL = 12
# Overlaps above which the worse box goes: within a scale, between scales, after R-Net, after O-Net
# (of the smaller).
_OVERLAPS = (0.5, 0.7, 0.7, 0.7)
# Pixels of the pyramid's base that P-Net takes at once, and windows that R-Net and O-Net take:
# larger batches gain nothing and leave the cache.
_BASE_PIXELS = 400_000
_WINDOWS = 256
_STEP = 8


class MtcnnDetector:
    """Detect faces with five landmarks.

    Args:
        min_face_size: side of the smallest face in pixels, at least 8; twice the size leaves a
            quarter of the cells to look at.
        thresholds: scores above which a box stays after P-Net, R-Net and O-Net, each in 0...1.
        scale_factor: step of the image pyramid, between 0 and 1.

    Raises InputError if an argument is out of range or the package `mtcnn` is not installed.
    """

    name = "mtcnn"

    def __init__(
        self,
        min_face_size: float = 20,
        thresholds: tuple[float, float, float] = (0.6, 0.7, 0.8),
        scale_factor: float = 0.709,
    ) -> None:
        if not 8 <= min_face_size < float("inf"):
            raise InputError(f"min_face_size={min_face_size}: give at least 8 pixels")
        if len(thresholds) != 3 or not all(0 <= threshold <= 1 for threshold in thresholds):
            raise InputError(f"thresholds={thresholds}: give three numbers from 0 to 1")
        if not 0.1 <= scale_factor <= 0.95:
            raise InputError(f"scale_factor={scale_factor}: give a number from 0.1 to 0.95")
        self.min_face_size = min_face_size
        self.thresholds = thresholds
        self.scale_factor = scale_factor
        self._propose = ProposalNetwork(thresholds[0])
        self._refine = RefinementNetwork()
        self._output = OutputNetwork()

    def describe(self) -> dict[str, Any]:
        """All that decides what is found."""
        return {
            "name": self.name,
            "min_face_size": self.min_face_size,
            "thresholds": list(self.thresholds),
            "scale_factor": self.scale_factor,
            "weights": weights_digest(),
        }

    def detect(self, images: Sequence[np.ndarray]) -> list[list[Face]]:
        """Find the faces of every picture.

        Args:
            images: uint8 [H, W, 3] RGB, or [H, W] grey, of any sizes.

        Returns for every picture its faces, the most confident first. Boxes are cut at the
        picture's edge, landmarks may lie outside. Raises ValueError for other arrays.
        """
        if not images:
            return []
        stacks, order = _stack_same_sizes([_as_rgb(image) for image in images])
        boxes = [found for stack in stacks for found in self._proposals(stack)]
        boxes = self._refined(stacks, boxes)
        faces: list[list[Face]] = [[] for _ in order]
        for picture, found in zip(order, self._faces(stacks, boxes), strict=True):
            faces[picture] = found
        return faces

    def _scales(self, height: int, width: int) -> list[float]:
        scales = []
        scale = _CELL / self.min_face_size
        while int(min(height, width) * scale) >= _CELL:
            scales.append(scale)
            scale *= self.scale_factor
        return scales

    def _proposals(self, stack: Array) -> list[Array]:
        """P-Net over the pyramid of pictures of one size: square boxes per picture."""
        count, height, width = stack.shape[:3]
        scales = self._scales(height, width)
        if not scales:
            return [np.empty((0, 4))] * count
        step = max(1, int(_BASE_PIXELS / (height * width * scales[0] ** 2)))
        found: list[Array] = []
        for start in range(0, count, step):
            found += self._proposals_of_few(stack[start : start + step], scales)
        return found

    def _proposals_of_few(self, stack: Array, scales: list[float]) -> list[Array]:
        count, height, width = stack.shape[:3]
        images = tf.constant(stack)
        parts: list[list[tuple[Array, Array]]] = [[] for _ in range(count)]
        for scale in scales:
            size = np.array([int(height * scale), int(width * scale)], np.int32)
            cells, offsets, scores = (value.numpy() for value in self._propose(images, size))
            found = bx.boxes_of_cells(cells[:, 1:], offsets, scale)
            limits = np.searchsorted(cells[:, 0], np.arange(count + 1))
            for owner, (start, stop) in enumerate(itertools.pairwise(limits)):
                best = start + bx.descending(scores[start:stop])
                best = best[bx.survivors(found[best], _OVERLAPS[0])]
                parts[owner].append((found[best], scores[best]))
        return [_merge_scales(scales_of_one) for scales_of_one in parts]

    def _refined(self, stacks: list[Array], boxes: list[Array]) -> list[Array]:
        """R-Net: better and fewer square boxes per picture."""
        offsets, scores = _split(_run(self._refine, stacks, boxes), boxes)
        return [
            self._refined_in_one(*values) for values in zip(boxes, offsets, scores, strict=True)
        ]

    def _refined_in_one(self, boxes: Array, offsets: Array, scores: Array) -> Array:
        good = np.flatnonzero(scores > self.thresholds[1])
        best = good[bx.descending(scores[good])]
        moved = bx.shift(boxes[best], offsets[best])
        return bx.to_squares(moved[bx.survivors(moved, _OVERLAPS[2])])

    def _faces(self, stacks: list[Array], boxes: list[Array]) -> list[list[Face]]:
        """O-Net: the faces per picture."""
        sizes = [stack.shape[1:3] for stack in stacks for _ in range(len(stack))]
        outputs = _split(_run(self._output, stacks, boxes), boxes)
        return [self._faces_in_one(*values) for values in zip(sizes, boxes, *outputs, strict=True)]

    def _faces_in_one(
        self, size: tuple[int, int], boxes: Array, offsets: Array, landmarks: Array, scores: Array
    ) -> list[Face]:
        good = np.flatnonzero(scores > self.thresholds[2])
        best = good[bx.descending(scores[good])]
        points = bx.place_landmarks(boxes[best], landmarks[best])
        moved = bx.shift(boxes[best], offsets[best])
        stay = bx.survivors(moved, _OVERLAPS[3], of_smaller=True)
        edges = bx.clip(moved[stay], *size)
        corners = np.hstack([edges[:, :2], edges[:, 2:] - edges[:, :2]]).tolist()
        scores, points = scores[best][stay], points[stay]
        return [
            Face((x, y, width, height), float(score), point)
            for (x, y, width, height), score, point in zip(corners, scores, points, strict=True)
        ]


def _as_rgb(image: Array) -> Array:
    grey = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 1)
    color = image.ndim == 3 and image.shape[2] == 3
    if image.dtype != np.uint8 or not (grey or color) or not image.size:
        raise ValueError(
            f"need a picture uint8 [H, W, 3] or [H, W], got {image.dtype} {list(image.shape)}"
        )
    return np.repeat(image.reshape(*image.shape[:2], 1), 3, 2) if grey else image


def _stack_same_sizes(pictures: list[Array]) -> tuple[list[Array], list[int]]:
    """Stacks [B, H, W, 3] of pictures of one size each, and the picture numbers in the order of the
    stacks."""
    members: dict[tuple[int, ...], list[int]] = {}
    for number, picture in enumerate(pictures):
        members.setdefault(picture.shape, []).append(number)
    stacks = [np.stack([pictures[number] for number in numbers]) for numbers in members.values()]
    return stacks, [number for numbers in members.values() for number in numbers]


def _merge_scales(parts: list[tuple[Array, Array]]) -> Array:
    """The proposals of all scales in one picture: the best of those that overlap, as squares."""
    boxes, scores = (np.concatenate(values) for values in zip(*parts, strict=True))
    best = bx.descending(scores)
    return bx.to_squares(boxes[best[bx.survivors(boxes[best], _OVERLAPS[1])]])


def _run(
    network: RefinementNetwork | OutputNetwork, stacks: list[Array], boxes: list[Array]
) -> list[Array]:
    """The network's outputs for the boxes of all pictures, in their order."""
    windows = []
    first = 0
    for stack in stacks:
        own = boxes[first : first + len(stack)]
        first += len(stack)
        owners = np.repeat(np.arange(len(own), dtype=np.int32), [len(found) for found in own])
        windows.append(
            cut_windows(stack, np.concatenate(own).astype(np.float32), owners, network.side)
        )
    return _run_windows(network, tf.concat(windows, 0))


def _run_windows(network: RefinementNetwork | OutputNetwork, windows: tf.Tensor) -> list[Array]:
    count = len(windows)
    # Few batch sizes: every new one costs the kernels their preparation, and none of them takes an
    # empty batch.
    padded = tf.pad(
        windows, [[0, max(1, -(-count // _STEP)) * _STEP - count], [0, 0], [0, 0], [0, 0]]
    )
    outputs = [
        network(padded[start : start + _WINDOWS]) for start in range(0, len(padded), _WINDOWS)
    ]
    return [tf.concat(parts, 0)[:count].numpy() for parts in zip(*outputs, strict=True)]


def _split(outputs: list[Array], boxes: list[Array]) -> list[list[Array]]:
    """Every output of a network, split into those of each picture."""
    stops = np.cumsum([len(found) for found in boxes])[:-1]
    return [np.split(output, stops) for output in outputs]
