"""MTCNN: joint face detection and alignment in three stages (Zhang et al. 2016), batched over
pictures.

The faces are those of the package `mtcnn` 1.0.0, whose weights are used. The difference is in the
driving: pictures of one size run through P-Net together, the windows of all pictures of a call
through R-Net and O-Net together, and any smallest face size and any size of picture work.
"""

import copy
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import scipy.special
import tensorflow as tf

from facenet_tf.detection import boxes as bx
from facenet_tf.detection import pyramid
from facenet_tf.detection.engines import EngineName, make_engine
from facenet_tf.detection.face import Face, as_rgb, lowered
from facenet_tf.detection.networks import NetworkName, weights_digest
from facenet_tf.detection.windows import cut_windows
from facenet_tf.errors import InputError

Array = np.ndarray

# Overlaps above which the worse box goes: within a scale, between scales, after R-Net, after O-Net
# (of the smaller).
_OVERLAPS = (0.5, 0.7, 0.7, 0.7)
# Sides of the windows that R-Net and O-Net take, and how many of them at once: larger batches gain
# nothing and leave the cache.
_SIDES: dict[NetworkName, int] = {"rnet": 24, "onet": 48}
_WINDOWS = 16


class MtcnnDetector:
    """Detect faces with five landmarks, on one thread.

    Args:
        min_face_size: side of the smallest face in pixels, at least 12; twice the size leaves a
            quarter of the cells to look at.
        thresholds: scores above which a box stays after P-Net, R-Net and O-Net, each in 0...1.
        scale_factor: step of the image pyramid, from 0.1 to 0.95.
        engine: what computes the networks, see `make_engine`.

    Raises InputError if an argument is out of range or a package is not installed.
    """

    name = "mtcnn"

    def __init__(
        self,
        min_face_size: float = 20,
        thresholds: tuple[float, float, float] = (0.6, 0.7, 0.8),
        scale_factor: float = 0.709,
        engine: EngineName = "litert",
    ) -> None:
        if not pyramid.CELL <= min_face_size < float("inf"):
            raise InputError(
                f"min_face_size={min_face_size}: give at least {pyramid.CELL} pixels, which is what"
                " the first network sees"
            )
        if len(thresholds) != 3 or not all(0 <= threshold <= 1 for threshold in thresholds):
            raise InputError(f"thresholds={thresholds}: give three numbers from 0 to 1")
        if not 0.1 <= scale_factor <= 0.95:
            raise InputError(f"scale_factor={scale_factor}: give a number from 0.1 to 0.95")
        self.min_face_size = min_face_size
        self.thresholds = thresholds
        self.scale_factor = scale_factor
        self._weights = weights_digest()
        self._engine = make_engine(engine)

    def describe(self) -> dict[str, Any]:
        """All that decides what is found."""
        return {
            "name": self.name,
            "engine": self._engine.describe(),
            "min_face_size": self.min_face_size,
            "thresholds": list(self.thresholds),
            "scale_factor": self.scale_factor,
            "weights": self._weights,
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
        stacks, order = _stack_same_sizes([as_rgb(image) for image in images])
        boxes = [found for stack in stacks for found in self._proposals(stack)]
        boxes = self._refined(stacks, boxes)
        faces: list[list[Face]] = [[] for _ in order]
        for picture, found in zip(order, self._faces(stacks, boxes), strict=True):
            faces[picture] = found
        return faces

    def relaxed(self) -> "MtcnnDetector":
        """The same with all three thresholds lowered, on the same engine."""
        first, second, third = self.thresholds
        other = copy.copy(self)
        other.thresholds = (lowered(first), lowered(second), lowered(third))
        return other

    def _proposals(self, stack: Array) -> Iterator[Array]:
        """P-Net over the pyramid of pictures of one size: square boxes per picture."""
        height, width = stack.shape[1:3]
        scales = pyramid.scales(height, width, self.min_face_size, self.scale_factor)
        for few in pyramid.few_at_once(stack):
            parts: list[list[tuple[Array, Array]]] = [[] for _ in few]
            for scale in scales:
                found = pyramid.candidates(self._engine, few, scale, self.thresholds[0])
                for part, candidates in zip(parts, found, strict=True):
                    part.append(_best_of_scale(candidates, scale))
            yield from map(_best_of_scales, parts)

    def _refined(self, stacks: list[Array], boxes: list[Array]) -> list[Array]:
        """R-Net: better and fewer square boxes per picture."""
        outputs = self._outputs("rnet", stacks, boxes)
        return [self._refined_in_one(*values) for values in zip(boxes, outputs, strict=True)]

    def _refined_in_one(self, boxes: Array, outputs: Array) -> Array:
        scores = _scores(outputs)
        good = np.flatnonzero(scores > self.thresholds[1])
        best = good[bx.descending(scores[good])]
        moved = bx.shift(boxes[best], outputs[best, 2:6])
        return bx.to_squares(moved[bx.survivors(moved, _OVERLAPS[2])])

    def _faces(self, stacks: list[Array], boxes: list[Array]) -> list[list[Face]]:
        """O-Net: the faces per picture."""
        sizes = [stack.shape[1:3] for stack in stacks for _ in range(len(stack))]
        outputs = self._outputs("onet", stacks, boxes)
        return [self._faces_in_one(*values) for values in zip(sizes, boxes, outputs, strict=True)]

    def _faces_in_one(self, size: tuple[int, int], boxes: Array, outputs: Array) -> list[Face]:
        scores = _scores(outputs)
        good = np.flatnonzero(scores > self.thresholds[2])
        best = good[bx.descending(scores[good])]
        points = bx.place_landmarks(boxes[best], outputs[best, 6:])
        moved = bx.shift(boxes[best], outputs[best, 2:6])
        stay = bx.survivors(moved, _OVERLAPS[3], of_smaller=True)
        edges = bx.clip(moved[stay], *size)
        corners = np.hstack([edges[:, :2], edges[:, 2:] - edges[:, :2]]).tolist()
        scores, points = scores[best][stay], points[stay]
        return [
            Face((x, y, width, height), float(score), point)
            for (x, y, width, height), score, point in zip(corners, scores, points, strict=True)
        ]

    def _outputs(
        self, network: NetworkName, stacks: list[Array], boxes: list[Array]
    ) -> list[Array]:
        """The network's outputs for the boxes of each picture."""
        windows = _windows(stacks, boxes, _SIDES[network])
        parts = [self._engine.run(network, few) for few in _in_lots(windows)]
        stops = np.cumsum([len(found) for found in boxes])
        outputs = np.concatenate(parts) if parts else np.empty((0, 16), np.float32)
        return np.split(outputs, stops[:-1])


def _stack_same_sizes(pictures: list[Array]) -> tuple[list[Array], list[int]]:
    """Stacks [B, H, W, 3] of pictures of one size each, and the picture numbers in the order of the
    stacks."""
    members: dict[tuple[int, ...], list[int]] = {}
    for number, picture in enumerate(pictures):
        members.setdefault(picture.shape, []).append(number)
    stacks = [
        np.stack([pictures[number] for number in numbers])
        if len(numbers) > 1
        else pictures[numbers[0]][None]  # it may be large
        for numbers in members.values()
    ]
    return stacks, [number for numbers in members.values() for number in numbers]


def _best_of_scale(found: pyramid.Candidates, scale: float) -> tuple[Array, Array]:
    """Boxes and scores of the best of the cells that overlap, in one picture and scale."""
    best = bx.descending(found.scores)
    boxes = bx.boxes_of_cells(found.cells[best], found.offsets[best], scale)
    stay = bx.survivors(boxes, _OVERLAPS[0])
    return boxes[stay], found.scores[best][stay]


def _best_of_scales(parts: list[tuple[Array, Array]]) -> Array:
    """The proposals of all scales in one picture: the best of those that overlap, as squares."""
    if not parts:
        return np.empty((0, 4))
    boxes, scores = (np.concatenate(values) for values in zip(*parts, strict=True))
    best = bx.descending(scores)
    return bx.to_squares(boxes[best[bx.survivors(boxes[best], _OVERLAPS[1])]])


def _scores(outputs: Array) -> Array:
    return scipy.special.expit(outputs[:, 1] - outputs[:, 0])


def _windows(stacks: list[Array], boxes: list[Array], side: int) -> Iterator[Array]:
    """Windows of the boxes of all pictures, in their order, a bounded number at a time."""
    pictures = iter(boxes)
    for stack in stacks:
        own = list(itertools.islice(pictures, len(stack)))
        owners = np.repeat(np.arange(len(own), dtype=np.int32), [len(found) for found in own])
        places = np.concatenate(own)
        images = tf.constant(stack) if len(places) else None
        for start in range(0, len(places), 64 * _WINDOWS):
            chosen = slice(start, start + 64 * _WINDOWS)
            yield cut_windows(images, places[chosen], owners[chosen], side)


def _in_lots(windows: Iterator[Array]) -> Iterator[Array]:
    """The same windows in lots of a few sizes: an engine prepares itself for each."""
    left = np.empty((0, 0, 0, 3), np.float32)
    for more in windows:
        left = np.concatenate([left, more]) if len(left) else more
        while len(left) >= _WINDOWS:
            yield left[:_WINDOWS]
            left = left[_WINDOWS:]
    while len(left):
        size = 1 << (len(left).bit_length() - 1)
        yield left[:size]
        left = left[size:]
