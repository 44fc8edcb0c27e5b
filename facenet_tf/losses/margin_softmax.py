"""Softmax cross-entropy over cosines with a margin on the true class."""

from __future__ import annotations

import math

import tensorflow as tf

from facenet_tf.losses.pairs import check_batch
from facenet_tf.losses.registry import register


@register("cosface")
def cosface(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    prototypes: tf.Tensor,
    *,
    scale: float = 64.0,
    margin: float = 0.35,
) -> tf.Tensor:
    """Additive cosine margin: `cos(theta)` of the true class becomes `cos(theta) - margin`.

    Wang et al.: CosFace: Large Margin Cosine Loss for Deep Face Recognition, 2018, eq. 4.

    Args:
        embeddings: [B, D], any floating type and length.
        labels: integer [B] in [0, C).
        prototypes: [C, D], one direction per class, any length.
        scale: factor on the cosines before the softmax.
        margin: taken off the cosine of the true class.

    Returns:
        Loss of each example, float32 [B].

    Raises:
        ValueError: for labels that are not integers.
    """
    cosines, true_class = _cosines(embeddings, labels, prototypes)
    return _cross_entropy(tf.where(true_class, cosines - margin, cosines), labels, scale)


@register("arcface")
def arcface(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    prototypes: tf.Tensor,
    *,
    scale: float = 64.0,
    margin: float = 0.5,
) -> tf.Tensor:
    """Additive angular margin: `cos(theta)` of the true class becomes `cos(theta + margin)`.

    Deng et al.: ArcFace: Additive Angular Margin Loss for Deep Face Recognition, 2019, eq. 3.
    Beyond `theta + margin = pi`, where the cosine would rise again, it goes on as
    `cos(theta) - margin * sin(margin)`, as the authors' code does.

    Args:
        embeddings: [B, D], any floating type and length.
        labels: integer [B] in [0, C).
        prototypes: [C, D], one direction per class, any length.
        scale: factor on the cosines before the softmax.
        margin: radians added to the angle to the true class, in [0, pi / 2].

    Returns:
        Loss of each example, float32 [B].

    Raises:
        ValueError: for labels that are not integers.
    """
    cosines, true_class = _cosines(embeddings, labels, prototypes)
    # The sine's slope is infinite where the angle is 0 or pi; below 1e-3 it is held constant.
    sines = tf.sqrt(tf.maximum(1.0 - tf.square(cosines), 1e-6))
    widened = cosines * math.cos(margin) - sines * math.sin(margin)
    continued = cosines - margin * math.sin(margin)
    widened = tf.where(cosines > math.cos(math.pi - margin), widened, continued)
    return _cross_entropy(tf.where(true_class, widened, cosines), labels, scale)


def _cosines(
    embeddings: tf.Tensor, labels: tf.Tensor, prototypes: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Cosines float32 [B, C] and the mask bool [B, C] of each example's true class."""
    check_batch(embeddings, labels)
    directions = tf.math.l2_normalize(tf.cast(prototypes, tf.float32), axis=1)
    embeddings = tf.math.l2_normalize(tf.cast(embeddings, tf.float32), axis=1)
    cosines = tf.matmul(embeddings, directions, transpose_b=True)
    classes = tf.range(tf.shape(prototypes)[0], dtype=labels.dtype)
    return cosines, labels[:, None] == classes[None, :]


def _cross_entropy(logits: tf.Tensor, labels: tf.Tensor, scale: float) -> tf.Tensor:
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=scale * logits)
