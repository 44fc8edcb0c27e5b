"""Detection with the recovery, picture by picture, as the builder does it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
from tqdm import tqdm

from facenet_tf.detection import Detector
from facenet_tf.detection.recovery import Found, search

BATCH = 25


def looks(
    detector: Detector, pictures: Iterable[np.ndarray], total: int | None = None
) -> Iterator[Found]:
    """What is found in each of the pictures, a batch at a time; `total` of them, for the bar."""
    pictures = iter(tqdm(pictures, total=total, unit="picture", mininterval=5))
    while batch := list(itertools.islice(pictures, BATCH)):
        yield from search(detector, batch)
