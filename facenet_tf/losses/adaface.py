"""A margin that follows the quality of the picture, told by the length of its embedding.

Kim, Jain, Liu: AdaFace: Quality Adaptive Margin for Face Recognition, 2022, section 3.
"""

from __future__ import annotations

import tensorflow as tf

from facenet_tf.losses.cosine_softmax import margin_cross_entropy, scaled_cosines
from facenet_tf.losses.margin_softmax import check_angle, sines
from facenet_tf.losses.options import check_fraction, check_positive
from facenet_tf.losses.pairs import check_batch
from facenet_tf.losses.registry import register

ADAFACE_START = (20.0, 100.0)
"""Running mean and standard deviation of the norms before the first batch."""


def _start(classes: int, embedding_size: int) -> tf.Tensor:
    return tf.constant(ADAFACE_START)


@register("adaface", initial_state=_start)
def adaface(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    prototypes: tf.Tensor,
    *,
    norms: tf.Tensor,
    state: tf.Tensor,
    scale: float = 64.0,
    margin: float = 0.4,
    concentration: float = 0.333,
    momentum: float = 0.99,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Angular margin for short embeddings, additive margin for long ones, between them a mix.

    With the quality `z = clip(concentration * (norm - mean) / (std + 0.001), -1, 1)`, `cos(theta)`
    of the true class becomes `cos(theta - margin * z) - margin * (1 + z)`: at z = -1 ArcFace, at 0
    CosFace. The changed angle is held in [0, pi], as the authors' code does: beyond, the loss is
    flat in the angle.

    Args:
        embeddings: [B, D], any floating type and length.
        labels: integer [B] in [0, C).
        prototypes: [C, D], one direction per class, any length.
        norms: [B], length of each embedding before it was normalised, of any floating type; taken
            within [0.001, 100], and without gradient.
        state: float32 [2], running mean and standard deviation of the norms; the authors start at
            `ADAFACE_START`.
        scale: factor on the cosines before the softmax, above 0.
        margin: m of the paper, in [0, pi / 2].
        concentration: h of the paper, above 0: the higher, the more pictures have |z| = 1.
        momentum: how much of the running figures is kept at each step, in [0, 1]. The authors'
            code has the weight of the new batch as `t_alpha`, 0.01 in its training options.

    Returns:
        Loss of each example, float32 [B], under the state that this batch has moved already; and
        that state, float32 [2].

    Raises:
        ValueError: for labels that are not integers, or labels or norms not one for each row; or a
            margin that is no angle from 0 to pi / 2, or another option out of its range.
    """
    check_batch(embeddings, labels)
    check_angle(margin)
    check_positive(concentration=concentration)
    check_fraction(momentum=momentum)
    embeddings.shape[:1].assert_is_compatible_with(norms.shape)
    norms = tf.stop_gradient(tf.clip_by_value(tf.cast(norms, tf.float32), 1e-3, 100.0))
    state = momentum * tf.stop_gradient(state) + (1.0 - momentum) * _mean_and_deviation(norms)
    quality = tf.clip_by_value(concentration * (norms - state[0]) / (state[1] + 1e-3), -1.0, 1.0)

    logits = scaled_cosines(embeddings, prototypes, scale)
    loss = margin_cross_entropy(
        logits,
        labels,
        scale,
        lambda cosines: _turned(cosines, -margin * quality) - margin * (1.0 + quality),
    )
    return loss, state


def _mean_and_deviation(norms: tf.Tensor) -> tf.Tensor:
    """float32 [2]; the deviation is that of a sample, 0 for one norm alone."""
    mean = tf.reduce_mean(norms)
    others = tf.maximum(tf.cast(tf.size(norms) - 1, tf.float32), 1.0)
    return tf.stack([mean, tf.sqrt(tf.reduce_sum(tf.square(norms - mean)) / others)])


def _turned(cosines: tf.Tensor, angles: tf.Tensor) -> tf.Tensor:
    """`cos(theta + angle)` of `cos(theta)`, the sum held in [0, pi]."""
    turned = cosines * tf.cos(angles) - sines(cosines) * tf.sin(angles)
    wider = angles > 0.0
    inside = tf.where(wider, cosines >= -tf.cos(angles), cosines <= tf.cos(angles))
    return tf.where(inside, turned, tf.where(wider, -1.0, 1.0))
