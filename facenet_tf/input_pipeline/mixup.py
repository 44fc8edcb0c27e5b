"""MixUp: crops that are a little of another one, with its label for that part.

Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np
import tensorflow as tf
from scipy import special

from facenet_tf.input_pipeline.draws import draw, names_of
from facenet_tf.input_pipeline.in_python import in_python


def mix(
    images: tf.Tensor, labels: tf.Tensor, alpha: float, seed: int, step: tf.Tensor | int
) -> dict[str, tf.Tensor]:
    """Mix each crop of a batch with another one of it.

    The share of a crop in what it becomes is drawn from Beta(alpha, alpha), each crop its own; of
    the two shares it gets the larger, so that its label stays that of most of it. The partners are
    a permutation of the batch.

    Args:
        images: uint8 [B, H, W, C].
        labels: int32 [B].
        alpha: above 0; the larger, the more of the other.
        seed, step: all that the draws depend on, besides the position.

    Returns:
        "image" uint8 [B, H, W, C]; "other_label" int32 [B]; "share" float32 [B] in [0.5, 1], of
        the crop at this position in the image.
    """
    numbers = draw(["mixup"], tf.shape(images)[0], seed, step)
    types = [tf.uint8, tf.int32, tf.float32]
    tensors = in_python(functools.partial(_mixed, alpha), [images, labels, numbers], types)
    mixed, other, share = tensors
    return {
        "image": tf.ensure_shape(mixed, images.shape),
        "other_label": tf.ensure_shape(other, labels.shape),
        "share": tf.ensure_shape(share, labels.shape),
    }


def _mixed(
    alpha: float, images: np.ndarray, labels: np.ndarray, numbers: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draws = dict(zip(names_of(["mixup"]), numbers.T, strict=True))
    partner = np.argsort(draws["mixup_partner"], kind="stable")
    # The upper half of a symmetric distribution is that of the larger share.
    share = special.betaincinv(alpha, alpha, (1.0 + draws["mixup"].astype(np.float64)) / 2.0)
    mixed = np.empty_like(images)
    for position, (own, other) in enumerate(zip(images, images[partner], strict=True)):
        part = float(share[position])
        mixed[position] = cv2.addWeighted(own, part, other, 1.0 - part, 0.0).reshape(own.shape)
    return mixed, labels[partner], share.astype(np.float32)
