"""Crops as the classical methods see them: grey, and where pixels are compared, small."""

import cv2
import numpy as np
from numpy.typing import NDArray

from facenet_tf.evaluation.systems.embedding import unit_rows

SIDE = 48
"""Eigenfaces and Fisherfaces are made of so many pixels a side."""


def grey(images: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """uint8 [B, H, W, 1 or 3] crops as B grey pictures [H, W]."""
    if images.shape[-1] == 1:
        return list(images[..., 0])
    return [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in images]


def grey_rows(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Crops as float32 [B, SIDE²]: each one's mean removed, scaled to length 1."""
    small = [
        cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for image in grey(images)
    ]
    rows = np.stack(small).reshape(len(small), -1).astype(np.float32)
    return unit_rows(rows - rows.mean(axis=1, keepdims=True))
