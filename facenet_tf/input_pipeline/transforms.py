"""The random changes to a batch of training crops, keyed by (seed, step, position).

Stateless TensorFlow ops draw how much each crop is changed and compute the colours; OpenCV and
NumPy move the pixels of a warp and fill a cutout, inside `tf.numpy_function`.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import tensorflow as tf

from facenet_tf.input_pipeline.augment import Augmentation

# One column of random numbers each: changing one strength leaves the draws of the others alone.
_DRAWS = (
    "flip",
    "rotation",
    "scale",
    "shift_x",
    "shift_y",
    "brightness",
    "contrast",
    "saturation",
    "grey",
    "cutout",
    "cutout_x",
    "cutout_y",
)
_LUMA = {1: [1.0], 3: [0.299, 0.587, 0.114]}  # ITU-R BT.601
_CUTOUT_VALUE = 128  # zero after fixed normalisation


def augment(
    images: tf.Tensor,
    options: Augmentation,
    seed: int,
    step: tf.Tensor | int,
    first: tf.Tensor | int = 0,
    whole: int | None = None,
) -> tf.Tensor:
    """Vary uint8 [B, S, S, C] crops, C 1 or 3; same shape and dtype.

    What happens to a crop depends on `options`, `seed`, `step` and its position in the batch
    alone; of a batch of `whole` crops the B may be those from position `first` on. Warp and cutout
    run in Python, which XLA cannot compile and a saved graph cannot hold: call it in tf.data, not
    in a compiled function.
    """
    if not options.enabled:
        return images
    count, first = tf.shape(images)[0], tf.cast(first, tf.int32)
    draws = _draw(count if whole is None else whole, seed, step)
    draws = {name: numbers[first : first + count] for name, numbers in draws.items()}
    warps = options.rotation or options.scale or options.translation
    colours = options.brightness or options.contrast or options.saturation or options.grey
    if warps:
        images = _warp(images, options, draws)
    elif options.flip:
        images = _flip(images, options, draws)
    images = _recolour(images, options, draws) if colours else images
    return _cut_out(images, options, draws) if options.cutout else images


def _draw(count: tf.Tensor, seed: int, step: tf.Tensor | int) -> dict[str, tf.Tensor]:
    """Uniform numbers float32 [count] in [0, 1) for each entry of `_DRAWS`."""
    key = tf.stack([tf.constant(seed, tf.int64), tf.cast(step, tf.int64)])
    numbers = tf.random.stateless_uniform([count, len(_DRAWS)], key, alg="philox")
    return dict(zip(_DRAWS, tf.unstack(numbers, axis=1), strict=True))


def _either_way(draw: tf.Tensor, strength: float) -> tf.Tensor:
    return (2.0 * draw - 1.0) * strength


def _flip(images: tf.Tensor, options: Augmentation, draws: dict[str, tf.Tensor]) -> tf.Tensor:
    # Unlike tf.where, Select takes whole pictures by a vector.
    flipped = draws["flip"] < options.flip
    return tf.raw_ops.Select(condition=flipped, x=tf.reverse(images, [2]), y=images)


def _warp(images: tf.Tensor, options: Augmentation, draws: dict[str, tf.Tensor]) -> tf.Tensor:
    """Flip, turn, resize and shift in one bilinear warp; what lies outside is mirrored.

    The matrices come from TensorFlow, the pixels are moved by OpenCV, one crop after the other.
    """
    matrices = _warp_matrices(images.shape[1], options, draws)
    warped = tf.numpy_function(_warp_affine, [images, matrices], tf.uint8)
    return tf.ensure_shape(warped, images.shape)


def _warp_affine(images: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    warped = np.empty_like(images)
    for target, image, matrix in zip(warped, images, matrices, strict=True):
        moved = cv2.warpAffine(
            image,
            matrix,
            image.shape[:2],
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        )
        target[:] = moved.reshape(target.shape)
    return warped


def _warp_matrices(side: int, options: Augmentation, draws: dict[str, tf.Tensor]) -> tf.Tensor:
    """Maps from output to input pixels, float32 [B, 2, 3].

    input = centre + flip · rotation · (output - centre) / scale + shift
    """
    angle = _either_way(draws["rotation"], math.radians(options.rotation))
    zoom = 1.0 / (1.0 + _either_way(draws["scale"], options.scale))
    mirror = tf.where(draws["flip"] < options.flip, -1.0, 1.0)
    cosine, sine = tf.cos(angle) * zoom, tf.sin(angle) * zoom
    shift_x = _either_way(draws["shift_x"], options.translation) * side
    shift_y = _either_way(draws["shift_y"], options.translation) * side

    centre = (side - 1.0) / 2.0
    xx, xy = mirror * cosine, -mirror * sine
    yx, yy = sine, cosine
    x_row = [xx, xy, centre - (xx + xy) * centre + shift_x]
    y_row = [yx, yy, centre - (yx + yy) * centre + shift_y]
    return tf.stack([tf.stack(x_row, axis=1), tf.stack(y_row, axis=1)], axis=1)


def _recolour(images: tf.Tensor, options: Augmentation, draws: dict[str, tf.Tensor]) -> tf.Tensor:
    """Brightness, contrast, saturation and grey: per crop one matrix and one offset for all."""
    pixels = tf.cast(images, tf.float32)
    shape = tf.shape(pixels)
    channels = pixels.shape[-1]
    luma = tf.constant(_LUMA[channels])
    brightness = _either_way(draws["brightness"], options.brightness) * 255.0
    contrast = 1.0 + _either_way(draws["contrast"], options.contrast)
    saturation = 1.0 + _either_way(draws["saturation"], options.saturation)
    saturation = tf.where(draws["grey"] < options.grey, 0.0, saturation)

    # output = contrast · (saturation · pixel + (1 - saturation) · luma(pixel)) + offset
    keep = saturation[:, None, None] * tf.eye(channels)
    blend = (1.0 - saturation)[:, None, None] * luma[:, None]
    mean = tf.linalg.matvec(tf.reduce_mean(pixels, axis=[1, 2]), luma)
    offset = mean * (1.0 - contrast) + brightness + 0.5  # the cast cuts off: round to nearest
    flat = tf.reshape(pixels, [shape[0], -1, channels])
    flat = tf.matmul(flat, contrast[:, None, None] * (keep + blend)) + offset[:, None, None]
    return tf.reshape(tf.saturate_cast(flat, tf.uint8), shape)


def _cut_out(images: tf.Tensor, options: Augmentation, draws: dict[str, tf.Tensor]) -> tf.Tensor:
    """Set a square about a random pixel to mid-grey (DeVries & Taylor 2017)."""
    side = images.shape[1]
    half = draws["cutout"] * options.cutout / 2.0
    x, y = draws["cutout_x"], draws["cutout_y"]
    edges = tf.stack([y - half, y + half, x - half, x + half], axis=1) * side
    edges = tf.cast(tf.clip_by_value(tf.round(edges), 0.0, side), tf.int32)
    cut = tf.numpy_function(_fill, [images, edges], tf.uint8)
    return tf.ensure_shape(cut, images.shape)


def _fill(images: np.ndarray, edges: np.ndarray) -> np.ndarray:
    filled = images.copy()
    for image, (top, bottom, left, right) in zip(filled, edges, strict=True):
        image[top:bottom, left:right] = _CUTOUT_VALUE
    return filled
