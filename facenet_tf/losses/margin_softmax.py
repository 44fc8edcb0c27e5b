"""Softmax cross-entropy over prototypes, plain or over cosines with a margin on the true class."""

from __future__ import annotations

import math
from typing import Literal

import tensorflow as tf

from facenet_tf.losses.cosine_softmax import cross_entropy, margin_cross_entropy, scaled_cosines
from facenet_tf.losses.distances import safe_sqrt
from facenet_tf.losses.pairs import check_batch
from facenet_tf.losses.registry import register


@register("softmax")
def softmax(embeddings: tf.Tensor, labels: tf.Tensor, prototypes: tf.Tensor) -> tf.Tensor:
    """Plain softmax over inner products: logit `w_j . x`, lengths and all, without a bias.

    Taigman et al.: DeepFace: Closing the Gap to Human-Level Performance in Face Verification,
    2014, section 3.1. A bias would prefer people of many pictures, which says nothing of faces;
    who wants one appends a column of ones to the embeddings and the bias to the prototypes.

    Args:
        embeddings: [B, D], any floating type. On unit vectors the logits are no larger than the
            prototypes are long: use `normface` there.
        labels: integer [B] in [0, C).
        prototypes: [C, D].

    Returns:
        Loss of each example, float32 [B].

    Raises:
        ValueError: for labels that are not integers, or not one for each row.
    """
    check_batch(embeddings, labels)
    rows, prototypes = tf.cast(embeddings, tf.float32), tf.cast(prototypes, tf.float32)
    return cross_entropy(tf.matmul(rows, prototypes, transpose_b=True), labels)


@register("normface")
def normface(
    embeddings: tf.Tensor, labels: tf.Tensor, prototypes: tf.Tensor, *, scale: float = 64.0
) -> tf.Tensor:
    """Softmax over scaled cosines, without a margin.

    Wang, Xiang, Cheng, Yuille: NormFace: L2 Hypersphere Embedding for Face Verification, 2017,
    section 3.3. Without the scale the loss could not fall below
    `log(1 + (C - 1) exp(-C / (C - 1)))` (Proposition 2). Here the scale is fixed, not learned.

    Args, Returns, Raises: as of `cosface`.
    """
    check_batch(embeddings, labels)
    return cross_entropy(scaled_cosines(embeddings, prototypes, scale), labels)


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
        scale: factor on the cosines before the softmax, above 0.
        margin: taken off the cosine of the true class.

    Returns:
        Loss of each example, float32 [B].

    Raises:
        ValueError: for labels that are not integers, or not one for each row, or a scale that is
            not above 0.
    """
    check_batch(embeddings, labels)
    logits = scaled_cosines(embeddings, prototypes, scale)
    return margin_cross_entropy(logits, labels, scale, lambda cosines: cosines - margin)


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
        margin: radians added to the angle to the true class, in [0, pi / 2].
        embeddings, labels, prototypes, scale: as of `cosface`.

    Returns, Raises: as of `cosface`.
    """
    check_batch(embeddings, labels)
    logits = scaled_cosines(embeddings, prototypes, scale)
    return margin_cross_entropy(logits, labels, scale, lambda cosines: added_angle(cosines, margin))


@register("sphereface")
def sphereface(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    prototypes: tf.Tensor,
    *,
    scale: float | Literal["norm"] = "norm",
    margin: float = 4.0,
    annealing: float = 5.0,
) -> tf.Tensor:
    """Multiplicative angular margin (A-Softmax): `cos(theta)` of the true class becomes
    `psi(theta)`, which is `cos(margin * theta)` carried on downwards beyond its first valley.

    Liu et al.: SphereFace: Deep Hypersphere Embedding for Face Recognition, 2017, eq. 7:
    `psi(theta) = (-1)^k cos(margin * theta) - 2 k` for `theta` in `[k, k + 1] * pi / margin`.

    Args:
        embeddings: [B, D], any floating type and length.
        scale: "norm" for the length of the embedding (the paper; 1 for a zero row), or a number
            above 0, for embeddings of unit length.
        margin: factor on the angle, at least 1; the paper's is 4.
        annealing: weight lambda of the plain cosine beside `psi` of weight 1, as the authors
            train: from a high value, at which the margin is off, down to 5, the default here. At 0
            it is eq. 7 itself.
        labels, prototypes: as of `cosface`.

    Returns, Raises: as of `cosface`.
    """
    check_batch(embeddings, labels)
    factor = _lengths(embeddings) if scale == "norm" else scale
    logits = scaled_cosines(embeddings, prototypes, factor)
    return margin_cross_entropy(
        logits,
        labels,
        factor,
        lambda cosines: (
            (annealing * cosines + multiplied_angle(cosines, margin)) / (annealing + 1.0)
        ),
    )


@register("combined_margin")
def combined_margin(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    prototypes: tf.Tensor,
    *,
    scale: float = 64.0,
    factor: float = 1.0,
    angle: float = 0.3,
    margin: float = 0.2,
) -> tf.Tensor:
    """All three margins: `cos(theta)` becomes `cos(factor * theta + angle) - margin`.

    Deng et al.: ArcFace, 2019, eq. 4 (m1, m2, m3); the defaults are the paper's CM1 (1, 0.3, 0.2).
    It falls all the way: beyond pi the cosine goes on as in `arcface` where the factor is 1, else
    as in `sphereface`. So `(1, m, 0)` is ArcFace, `(1, 0, m)` CosFace and `(m, 0, 0)` SphereFace
    of a fixed scale without annealing.

    Args:
        factor: m1, above 0.
        angle: m2, radians, in [0, pi / 2].
        margin: m3, on the cosine.
        embeddings, labels, prototypes, scale: as of `cosface`.

    Returns, Raises: as of `cosface`.
    """
    check_batch(embeddings, labels)
    widen = added_angle if factor == 1.0 else lambda c, m2: multiplied_angle(c, factor, m2)
    logits = scaled_cosines(embeddings, prototypes, scale)
    return margin_cross_entropy(
        logits, labels, scale, lambda cosines: widen(cosines, angle) - margin
    )


def check_angle(margin: float) -> None:
    """Raise ValueError for a margin on the angle that is not from 0 to pi / 2."""
    if not 0.0 <= margin <= math.pi / 2:
        raise ValueError(f"an angle of {margin} is added: give 0 to pi / 2 radians")


def added_angle(cosines: tf.Tensor, margin: float) -> tf.Tensor:
    """`cos(theta + margin)` of `cos(theta)`, falling with the angle to the end; see `arcface`.

    Raises: as of `check_angle`.
    """
    check_angle(margin)
    widened = cosines * math.cos(margin) - sines(cosines) * math.sin(margin)
    continued = cosines - margin * math.sin(margin)
    return tf.where(cosines > math.cos(math.pi - margin), widened, continued)


def multiplied_angle(cosines: tf.Tensor, factor: float, plus: float = 0.0) -> tf.Tensor:
    """`cos(factor * theta + plus)` of `cos(theta)`, carried on downwards; see `sphereface`."""
    angles = factor * tf.atan2(sines(cosines), cosines) + plus
    turns = tf.floor(angles / math.pi)
    sign = 1.0 - 2.0 * tf.math.floormod(turns, 2.0)
    return sign * tf.cos(angles) - 2.0 * turns


def sines(cosines: tf.Tensor) -> tf.Tensor:
    """Sine of the angle, at least 1e-3: its slope is infinite where the angle is 0 or pi."""
    return tf.sqrt(tf.maximum(1.0 - tf.square(cosines), 1e-6))


def _lengths(embeddings: tf.Tensor) -> tf.Tensor:
    """Length of each row, float32 [B]; 1 for a row of zeros."""
    squared = tf.reduce_sum(tf.square(tf.cast(embeddings, tf.float32)), axis=1)
    return safe_sqrt(tf.where(squared > 0.0, squared, tf.ones_like(squared)))
