"""Centre loss: each embedding is drawn to the mean of its class.

Wen, Zhang, Li, Qiao: A Discriminative Feature Learning Approach for Deep Face Recognition, 2016.
"""

from __future__ import annotations

import tensorflow as tf

from facenet_tf.losses.options import check_fraction
from facenet_tf.losses.pairs import check_batch
from facenet_tf.losses.registry import register


def _start(classes: int, embedding_size: int) -> tf.Tensor:
    return tf.zeros([classes, embedding_size])


@register("centre", initial_state=_start)
def centre(
    embeddings: tf.Tensor, labels: tf.Tensor, *, state: tf.Tensor, rate: float = 0.5
) -> tuple[tf.Tensor, tf.Tensor]:
    """Half the squared distance of each embedding to its class's centre; no class repels another.

    Eq. 2 of the paper, here for each example, and for the centres eq. 4: those of the classes of
    the batch move by `rate * sum of (x - c) / (1 + n)` over their n examples. Alone it is smallest
    where everything is one point: the paper adds it, with a weight of 0.003, to a softmax.

    Args:
        embeddings: [B, D], any floating type, as they are: the paper's have any length.
        labels: integer [B] in [0, C).
        state: centres, float32 [C, D].
        rate: alpha of the paper, in [0, 1]; 0 holds the centres still.

    Returns:
        Loss of each example, float32 [B], to the centres as they came in, with a gradient by the
        embeddings only; and the moved centres, float32 [C, D].

    Raises:
        ValueError: for labels that are not integers, or not one for each row, or a rate that is
            not from 0 to 1.
    """
    check_batch(embeddings, labels)
    check_fraction(rate=rate)
    rows, centres = tf.cast(embeddings, tf.float32), tf.stop_gradient(state)
    away = rows - tf.gather(centres, labels)
    loss = 0.5 * tf.reduce_sum(tf.square(away), axis=1)

    classes = tf.shape(centres)[0]
    moves = tf.math.unsorted_segment_sum(tf.stop_gradient(away), labels, classes)
    counts = tf.math.unsorted_segment_sum(tf.ones_like(loss), labels, classes)
    return loss, centres + rate * moves / (1.0 + counts)[:, None]
