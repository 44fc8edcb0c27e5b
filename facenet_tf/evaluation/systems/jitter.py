"""Several looks at each crop, slightly turned, resized and shifted, whose embeddings are averaged.

As dlib measured its own network: its `jitter_image` moves the finished chip, mirrored or not. The
motions are the same for all pictures, so that an embedding does not depend on the others. They are
made of the stored crop: what a motion brings in from outside mirrors the edge, and the pixels are
interpolated twice, by amounts too small to matter beside a turn of degrees.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from facenet_tf.input_pipeline import geometry
from facenet_tf.input_pipeline.augment import Augmentation
from facenet_tf.input_pipeline.draws import Draws, draw, names_of

STRENGTH = Augmentation(flip=0.5, rotation=3.0, scale=0.03, translation=0.02)
"""Degrees and fractions, either way; dlib's are ±3, 0.97 to 1 and ±0.02."""


def looks(images: NDArray[np.uint8], count: int, seed: int) -> Iterator[NDArray[np.uint8]]:
    """`count` versions of uint8 [B, H, W, C] crops, every second one mirrored."""
    height, width, channels = images.shape[1:]
    move = geometry.move(STRENGTH, _draws(count, seed), (height, width))
    assert move is not None  # some of the strengths are above 0
    flat = images if channels == 3 else images[..., 0]  # as OpenCV has grey pictures
    for number in range(count):
        yield np.stack([move(number, image) for image in flat]).reshape(images.shape)


def _draws(count: int, seed: int) -> Draws:
    numbers = draw((), count, seed, 0).numpy()
    columns = dict(zip(names_of(()), numbers.T, strict=True))
    return {**columns, "flip": np.where(np.arange(count) % 2, 0.0, 1.0)}
