"""Some of very many classes for one step of a softmax: all true ones, and others by chance.

An et al.: Partial FC: Training 10 Million Identities on a Single Machine, 2021, section 3.
"""

from __future__ import annotations

import tensorflow as tf


def sample_classes(
    labels: tf.Tensor, classes: int, sample: int, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Classes for one step: those of the batch, and uniformly drawn ones up to the number asked.

    Any prototype loss then runs on a part of the prototypes, its gradient on this part alone:

        ids, local = sample_classes(labels, classes, sample, seed)
        loss = cosface(embeddings, local, tf.gather(prototypes, ids))

    Args:
        labels: integer [B] in [0, classes), B known.
        classes: number of all classes, C; one float32 is drawn for each.
        sample: number of classes drawn, S, at least what a batch can hold and at most C.
        seed: int32 [2]; another one for each step.

    Returns:
        The classes drawn, int32 [S], rising, none twice; and the labels' places among them, int32
        [B].

    Raises:
        ValueError: labels that are not integers, or a sample too small for the batch or larger
            than the number of classes.
    """
    if not labels.dtype.is_integer:
        raise ValueError(f"labels must be integers, not {labels.dtype.name}")
    batch = labels.shape[0]
    if batch is None:
        raise ValueError("labels need a known length: a sample must have room for all of them")
    if not min(batch, classes) <= sample <= classes:
        raise ValueError(
            f"a sample of {sample} classes: take at least {min(batch, classes)}, what a batch of "
            f"{batch} can hold, and at most all {classes}"
        )
    # Random bits are the same with and without XLA, random floats are not.
    bits = tf.random.stateless_uniform([classes], seed, None, None, tf.int32, alg="philox")
    lifted = tf.tensor_scatter_nd_update(
        tf.cast(bits, tf.float32), labels[:, None], tf.fill([batch], 2.0**32)
    )
    ids = tf.sort(tf.math.top_k(lifted, sample, sorted=False).indices)
    return ids, tf.searchsorted(ids, tf.cast(labels, tf.int32))
