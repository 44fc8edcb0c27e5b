"""Encoded crops to pixels, by TensorFlow, outside of Python.

OpenCV decodes about as fast, but it is called crop by crop, and after each the thread has to wait
for its turn in Python, which the threads that make other batches want too.
"""

from __future__ import annotations

import tensorflow as tf


def decode(encoded: tf.Tensor, shape: tuple[int, int, int]) -> tf.Tensor:
    """Crops uint8 [n, H, W, C] of their bytes, JPEG or PNG, string [n]; the pixels of OpenCV.

    Args:
        encoded: what `facenet_tf.pictures.encode_crop` gave.
        shape: H, W, C.

    Raises:
        tf.errors.InvalidArgumentError: bytes that are no such crop.
    """

    def decoded(one: tf.Tensor) -> tf.Tensor:
        pixels = tf.io.decode_jpeg(one, channels=shape[2], dct_method="INTEGER_ACCURATE")
        return tf.ensure_shape(pixels, shape)

    return tf.map_fn(decoded, encoded, fn_output_signature=tf.TensorSpec(shape, tf.uint8))
