"""The random changes to a batch of training crops, keyed by (seed, step, position).

Stateless TensorFlow ops draw how much each crop is changed; OpenCV, which lets other threads work
meanwhile, changes one crop after the other while it is in the cache, inside `tf.numpy_function`.
"""

from __future__ import annotations

import functools

import numpy as np
import tensorflow as tf

from facenet_tf.input_pipeline.augment import Augmentation
from facenet_tf.input_pipeline.colour import bend, recolour
from facenet_tf.input_pipeline.degradation import degrade
from facenet_tf.input_pipeline.draws import Change, Draws, draw, drawn_apart, names_of
from facenet_tf.input_pipeline.erasing import erase
from facenet_tf.input_pipeline.geometry import move
from facenet_tf.input_pipeline.occlusion import dress, five_points
from facenet_tf.preprocessing import Preprocessing


def augment(
    images: tf.Tensor,
    options: Augmentation,
    seed: int,
    step: tf.Tensor | int,
    preprocessing: Preprocessing,
    first: tf.Tensor | int = 0,
    whole: int | None = None,
) -> tf.Tensor:
    """Vary uint8 [B, S, S, C] crops, C 1 or 3; same shape and dtype.

    What happens to a crop depends on `options`, `seed`, `step` and its position in the batch
    alone; of a batch of `whole` crops the B may be those from position `first` on. `preprocessing`
    says where landmarks are. It runs in Python, which XLA cannot compile and a saved graph cannot
    hold: call it in tf.data, not in a compiled function.
    """
    if not options.enabled:
        return images
    apart = drawn_apart(name for name, strength in vars(options).items() if strength)
    count, first = tf.shape(images)[0], tf.cast(first, tf.int32)
    numbers = draw(apart, count if whole is None else whole, seed, step)[first : first + count]
    vary = functools.partial(_vary, options, names_of(apart), five_points(preprocessing))
    return tf.ensure_shape(tf.numpy_function(vary, [images, numbers], tf.uint8), images.shape)


def _vary(
    options: Augmentation,
    names: tuple[str, ...],
    points: np.ndarray,
    images: np.ndarray,
    numbers: np.ndarray,
) -> np.ndarray:
    draws = dict(zip(names, np.ascontiguousarray(numbers.T), strict=True))
    changes = _changes(options, draws, points, images.shape[1], images.shape[3])
    varied = np.empty_like(images)
    # OpenCV drops a channel that is alone.
    crops = images[..., 0] if images.shape[3] == 1 else images
    for position, crop in enumerate(crops):
        for change in changes:
            crop = change(position, crop)
        varied[position] = crop.reshape(images.shape[1:])
    return varied


def _changes(
    options: Augmentation, draws: Draws, points: np.ndarray, side: int, channels: int
) -> list[Change]:
    """In the order of their causes: what is worn, the pose, the light, the camera; then erasing."""
    changes = [
        *dress(options, draws, points),
        move(options, draws, side),
        recolour(options, draws, channels),
        bend(options, draws),
        *degrade(options, draws, side),
        *erase(options, draws, side),
    ]
    return [change for change in changes if change]
