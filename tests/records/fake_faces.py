"""Pictures with coloured squares for faces, and a detector that finds these.

A module of its own, so that worker processes can import it.
"""

import os
import signal
import time
from pathlib import Path

import cv2
import numpy as np

from facenet_tf.detection import Face

# Landmarks of an upright face, as fractions of its box.
LANDMARKS = np.array([[0.34, 0.46], [0.66, 0.46], [0.5, 0.64], [0.37, 0.82], [0.63, 0.82]])
MIRRORED = LANDMARKS[[1, 0, 2, 4, 3]]

FACE, SHY, SWAPPED, POINT = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)
_LANDMARKS = {FACE: LANDMARKS, SHY: LANDMARKS, SWAPPED: MIRRORED, POINT: LANDMARKS * 0 + 0.5}
SHY_SIDE = 50
"""A shy face is found only where it is at least this large: after enlargement."""


class SquareDetector:
    """Finds squares of the four colours, left to right; confidence falls by 0.1 each."""

    name = "squares"

    def __init__(self, note: str = "") -> None:
        self.note = note
        self.batches: list[list[tuple[int, int]]] = []

    def describe(self):
        return {"name": self.name, "note": self.note}

    def relaxed(self):
        return self

    def detect(self, images):
        self.batches.append([image.shape[:2] for image in images])
        return [_squares(image) for image in images]


class StuckDetector(SquareDetector):
    """Like SquareDetector, for one batch; the next is never done."""

    def __init__(self, config):
        super().__init__()

    def detect(self, images):
        while self.batches:
            time.sleep(1)
        return super().detect(images)


class FragileDetector(SquareDetector):
    """Dies of a picture with a black pixel in the corner, and fails at one with a white pixel."""

    def __init__(self, config):
        super().__init__()

    def detect(self, images):
        corners = {tuple(image[0, 0].tolist()) for image in images}
        if (0, 0, 0) in corners:
            os.kill(os.getpid(), signal.SIGKILL)
        if (255, 255, 255) in corners:
            raise ValueError("a white corner")
        return super().detect(images)


class SlowDetector(SquareDetector):
    """Takes its time, so that there is a moment to interrupt it."""

    def __init__(self, config):
        super().__init__()

    def detect(self, images):
        time.sleep(0.02 * len(images))
        return super().detect(images)


def _squares(image):
    found = []
    for color, landmarks in _LANDMARKS.items():
        mask = (np.abs(image.astype(int) - color) < 60).all(-1).astype(np.uint8)
        count, _, stats, _ = cv2.connectedComponentsWithStats(mask)
        for x, y, width, height, area in stats[1:count]:
            if area < 9 or (color == SHY and width < SHY_SIDE):
                continue
            box = (float(x), float(y), float(width), float(height))
            found.append((box, landmarks * [width, height] + [x, y]))
    found.sort(key=lambda face: face[0][0])
    return [Face(box, 0.99 - 0.1 * n, points) for n, (box, points) in enumerate(found)]


def make_detector(config):
    return SquareDetector()


def make_other_detector(config):
    return SquareDetector("of another kind")


def draw(path: Path, *squares, seed=0, size=(120, 100)):
    """Write a picture (height, width) with squares (color, x, y, side) on a grey noise."""
    noise = np.random.default_rng([seed, *path.name.encode()]).integers(90, 130, (*size, 3))
    picture = noise.astype(np.uint8)
    for color, x, y, side in squares:
        picture[y : y + side, x : x + side] = color
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture[..., ::-1])
    return path


def spoil(path: Path, level: int):
    """Give a drawn picture the corner that FragileDetector cannot bear."""
    picture = cv2.imread(str(path))
    picture[0, 0] = level
    assert cv2.imwrite(str(path), picture)


def draw_people(root: Path, people=4, pictures=3):
    """Write PERSON/N.png with one face each."""
    for person in range(people):
        for number in range(pictures):
            path = root / f"person{person}" / f"{number}.png"
            draw(path, (FACE, 20 + 2 * person, 30 + number, 48), seed=person)
    return root
