"""ArcFace with several prototypes a class, for labels that are not all right.

Deng, Guo, Liu, Gong, Zafeiriou: Sub-center ArcFace: Boosting Face Recognition by Large-scale Noisy
Web Faces, 2020, section 3.
"""

from __future__ import annotations

import tensorflow as tf

from facenet_tf.losses.cosine_softmax import margin_cross_entropy, scaled_cosines
from facenet_tf.losses.margin_softmax import added_angle
from facenet_tf.losses.pairs import check_batch
from facenet_tf.losses.registry import register


@register("subcentre_arcface", sub_centres=True)
def subcentre_arcface(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    prototypes: tf.Tensor,
    *,
    scale: float = 64.0,
    margin: float = 0.5,
) -> tf.Tensor:
    """`arcface`, a class being as near as the nearest of its K sub-centres.

    A class's clean pictures gather at one sub-centre, its wrong ones at others; the nearest alone
    gets the gradient. With K = 1 it is `arcface`.

    Args:
        embeddings: [B, D], any floating type and length.
        labels: integer [B] in [0, C).
        prototypes: [C, K, D], any length; the paper's K is 3.
        scale: factor on the cosines before the softmax, above 0.
        margin: radians added to the angle to the true class, in [0, pi / 2].

    Returns:
        Loss of each example, float32 [B]; the memory is K times that of `arcface`.

    Raises:
        ValueError: for labels that are not integers, or not one for each row, or prototypes that
            are not [C, K, D].
    """
    check_batch(embeddings, labels)
    prototypes.shape.assert_has_rank(3)
    classes, centres, size = tf.unstack(tf.shape(prototypes))
    cosines = scaled_cosines(embeddings, tf.reshape(prototypes, [-1, size]), scale)
    nearest = tf.reduce_max(tf.reshape(cosines, [-1, classes, centres]), axis=2)
    return margin_cross_entropy(
        nearest, labels, scale, lambda cosines: added_angle(cosines, margin)
    )
