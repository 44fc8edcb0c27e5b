"""Detection with the recovery, picture by picture, as the builder does it."""

import itertools

from tqdm import tqdm

from facenet_tf.detection.recovery import search

BATCH = 25


def looks(detector, pictures, total=None):
    """What is found in each of the pictures (any iterable), a batch at a time."""
    pictures = iter(tqdm(pictures, total=total, unit="picture", mininterval=5))
    while batch := list(itertools.islice(pictures, BATCH)):
        yield from search(detector, batch)
