"""What the tests of the transforms share: one strength at a time on many equal crops."""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf

from facenet_tf.input_pipeline.augment import Augmentation
from facenet_tf.input_pipeline.transforms import Variation
from facenet_tf.preprocessing import Preprocessing

STRENGTHS = [field.name for field in dataclasses.fields(Augmentation) if field.name != "enabled"]
NOTHING = dict.fromkeys(STRENGTHS, 0.0)
SIDE = 40
COUNT = 200
CROP = Preprocessing(size=SIDE)


def run(images: np.ndarray, seed: int = 1, step: int = 2, **strengths: float) -> np.ndarray:
    options = Augmentation(**(NOTHING | strengths))
    color = "rgb" if images.shape[-1] == 3 else "grey"
    crop = dataclasses.replace(CROP, width=images.shape[2], color=color)
    return Variation(options, crop).vary(tf.constant(images), seed, step).numpy()


def even(value: int) -> np.ndarray:
    """COUNT crops of one grey."""
    return np.full((COUNT, SIDE, SIDE, 3), value, np.uint8)


def chosen(images: np.ndarray, varied: np.ndarray) -> np.ndarray:
    """Which crops have changed, bool [COUNT]."""
    return (images != varied).any((1, 2, 3))


def luma(images: np.ndarray) -> np.ndarray:
    return images @ np.array([0.299, 0.587, 0.114])


def spread_over(values: np.ndarray, limit: float) -> bool:
    """Whether values lie in ±limit, on both sides and up to near the limits."""
    inside = np.abs(values).max() <= limit * 1.03
    return bool(inside and values.min() < -0.9 * limit and values.max() > 0.9 * limit)
