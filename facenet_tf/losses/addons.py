"""The triplet losses of TensorFlow Addons 0.23, to train with and to compare with.

TensorFlow Addons reached its end of life and imports up to TensorFlow 2.15: the extra `addons`.
"""

from __future__ import annotations

from types import ModuleType

import tensorflow as tf

from facenet_tf.losses.distances import Distance, check_distance
from facenet_tf.losses.pairs import check_batch
from facenet_tf.losses.reduction import WeightedLoss
from facenet_tf.losses.registry import register
from facenet_tf.losses.triplet import Margin, check_margin

_METRICS = {"plain": "L2", "squared": "squared-L2", "cosine": "angular"}


@register("tfa_semihard")
def tfa_semihard(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    *,
    margin: float = 1.0,
    distance: Distance = "plain",
) -> WeightedLoss:
    """`tensorflow_addons.losses.TripletSemiHardLoss`; ours is `semi_hard_triplet`.

    It needs three tensors of [B * B, B]. Pairs count in a batch of one class too, against a
    negative at distance 0; where there is no pair at all it is NaN.

    Args:
        embeddings: [B, D], any floating type; computed in float32.
        labels: integer [B].
        margin: of the hinge.
        distance: plain ("L2" there), squared ("squared-L2") or cosine ("angular").

    Returns:
        WeightedLoss; theirs is one number, which every example is given.

    Raises:
        ImportError: TensorFlow Addons is not installed.
        ValueError: for labels that are not integers, shapes that do not fit, or an unknown
            distance.
    """
    check_batch(embeddings, labels)
    check_distance(distance)
    loss = _addons().losses.triplet_semihard_loss(
        labels, tf.cast(embeddings, tf.float32), margin, _METRICS[distance]
    )
    return _for_everyone(loss, labels)


@register("tfa_hard")
def tfa_hard(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    *,
    margin: Margin = 1.0,
    distance: Distance = "plain",
) -> WeightedLoss:
    """`tensorflow_addons.losses.TripletHardLoss`; ours is `batch_hard_triplet(anchors="all")`.

    Args:
        embeddings: [B, D], any floating type; computed in float32.
        labels: integer [B].
        margin: of the hinge, or "soft".
        distance: plain ("L2" there), squared ("squared-L2") or cosine ("angular").

    Returns:
        WeightedLoss; theirs is one number, which every example is given.

    Raises:
        ImportError: TensorFlow Addons is not installed.
        ValueError: for labels that are not integers, shapes that do not fit, or an unknown margin
            or distance.
    """
    check_batch(embeddings, labels)
    check_margin(margin)
    check_distance(distance)
    soft = margin == "soft"
    loss = _addons().losses.triplet_hard_loss(
        labels, tf.cast(embeddings, tf.float32), 0.0 if soft else margin, soft, _METRICS[distance]
    )
    return _for_everyone(loss, labels)


def _addons() -> ModuleType:
    try:
        import tensorflow_addons
    except ImportError as error:
        raise ImportError(
            "tfa_semihard and tfa_hard need TensorFlow Addons: "
            "pip install 'facenet-tf[addons]' on Python 3.10 or 3.11 (TensorFlow 2.15)"
        ) from error
    return tensorflow_addons


def _for_everyone(loss: tf.Tensor, labels: tf.Tensor) -> WeightedLoss:
    ones = tf.ones(tf.shape(labels))
    return WeightedLoss(loss * ones, ones)
