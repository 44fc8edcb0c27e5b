"""What every softmax over cosines shares: the logits, the margin on the true class, the loss.

A margin is a function of the cosine to the true class alone. It is computed on [B] values and put
back into the [B, C] logits, which are the only thing of this size that grows with the classes.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from facenet_tf.losses.distances import unit_rows
from facenet_tf.losses.options import check_positive


def scaled_cosines(
    embeddings: tf.Tensor, prototypes: tf.Tensor, scale: float | tf.Tensor
) -> tf.Tensor:
    """`scale` times the cosine of each row to each prototype.

    Args:
        embeddings: [B, D], any floating type and length; the cosines of a zero row are 0.
        prototypes: [C, D], any floating type and length.
        scale: a number above 0, or float32 [B].

    Returns:
        float32 [B, C].

    Raises:
        ValueError: a number as scale that is not above 0.
    """
    check_positive(scale=scale)
    rows = tf.reshape(scale, [-1, 1]) * unit_rows(embeddings)
    return tf.matmul(rows, unit_rows(prototypes), transpose_b=True)


def margin_cross_entropy(
    logits: tf.Tensor,
    labels: tf.Tensor,
    scale: float | tf.Tensor,
    margin: Callable[[tf.Tensor], tf.Tensor],
) -> tf.Tensor:
    """Cross-entropy after a margin on the true class.

    Args:
        logits: float32 [B, C], `scale` times a cosine.
        labels: integer [B] in [0, C).
        scale: as in `scaled_cosines`, above 0.
        margin: from the cosines to the true class, float32 [B], to what stands in their place.

    Returns:
        float32 [B].
    """
    true_class = tf.stack([tf.range(tf.shape(labels)[0], dtype=labels.dtype), labels], axis=1)
    widened = scale * margin(tf.gather_nd(logits, true_class) / scale)
    return cross_entropy(tf.tensor_scatter_nd_update(logits, true_class, widened), labels)


def cross_entropy(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Minus the logarithm of the softmax at the true class, float32 [B], of logits [B, C]."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
