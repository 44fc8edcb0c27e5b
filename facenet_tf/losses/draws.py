"""Random numbers that are the same with and without XLA."""

from __future__ import annotations

import tensorflow as tf


def uniform(shape: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Uniform in [0, 1), float32 of a shape, all of it said by `seed`, int32 [2].

    `tf.random.stateless_uniform` makes floats of other bits of the same integers when XLA compiles
    it. The integers agree, and the upper 23 bits of each are taken here.
    """
    bits = tf.random.stateless_uniform(
        shape, seed, minval=None, maxval=None, dtype=tf.uint32, alg="philox"
    )
    return tf.cast(tf.cast(tf.bitwise.right_shift(bits, 9), tf.int32), tf.float32) * 2.0**-23
