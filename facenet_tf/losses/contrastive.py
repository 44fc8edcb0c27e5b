"""Contrastive loss: a pair at a time, drawn together or pushed apart up to a margin.

Hadsell, Chopra, LeCun: Dimensionality Reduction by Learning an Invariant Mapping, 2006, eq. 4.
"""

from __future__ import annotations

import tensorflow as tf

from facenet_tf.losses.distances import pairwise_distances, safe_sqrt
from facenet_tf.losses.hardest import hardest_distances
from facenet_tf.losses.pairs import Memory, compare
from facenet_tf.losses.reduction import WeightedLoss
from facenet_tf.losses.registry import register


@register("contrastive", mining="all")
def contrastive_all(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    *,
    margin: float = 1.0,
    sources: tf.Tensor | None = None,
    memory: Memory | None = None,
) -> WeightedLoss:
    """`d² / 2` for each positive and `max(margin - d, 0)² / 2` for each negative of an anchor.

    Every pair counts, also those of an anchor without positives or without negatives. A pair
    within the batch is met twice, once from each end, which leaves the mean as it is.

    Args:
        embeddings: [B, D], any floating type.
        labels: integer [B], any values.
        margin: plain Euclidean distance from which on negatives are left alone.
        sources: see `compare`.
        memory: see `compare`.

    Returns:
        Mean over each anchor's pairs, and their number.

    Raises:
        ValueError: see `compare`.
    """
    pairs = compare(embeddings, labels, sources, memory)
    squared = pairwise_distances(pairs.rows, "squared", pairs.others)
    losses = tf.where(pairs.positive, _attraction(squared), _repulsion(safe_sqrt(squared), margin))
    counted = tf.cast(pairs.positive | pairs.negative, tf.float32)
    return _mean(tf.reduce_sum(losses * counted, axis=1), tf.reduce_sum(counted, axis=1))


@register("contrastive", mining="batch_hard")
def contrastive_batch_hard(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    *,
    margin: float = 1.0,
    tile: int = 0,
    sources: tf.Tensor | None = None,
    memory: Memory | None = None,
) -> WeightedLoss:
    """The loss of `contrastive_all` for two pairs of each anchor: with its farthest positive and
    with its nearest negative; an anchor that has one of them only counts with one pair.

    Args:
        embeddings: [B, D], any floating type.
        labels: integer [B], any values.
        margin: plain Euclidean distance from which on negatives are left alone.
        tile: see `hardest_distances`.
        sources: see `compare`.
        memory: see `compare`.

    Returns:
        Mean over each anchor's pairs, and their number.

    Raises:
        ValueError: see `hardest_distances`.
    """
    hardest = hardest_distances(
        embeddings, labels, "plain", tile=tile, sources=sources, memory=memory
    )
    has_positive, has_negative = (
        tf.cast(exists, tf.float32) for exists in (hardest.has_positive, hardest.has_negative)
    )
    attraction = has_positive * _attraction(tf.square(hardest.positive))
    repulsion = has_negative * _repulsion(hardest.negative, margin)
    return _mean(attraction + repulsion, has_positive + has_negative)


def _attraction(squared: tf.Tensor) -> tf.Tensor:
    return 0.5 * squared


def _repulsion(distances: tf.Tensor, margin: float) -> tf.Tensor:
    return 0.5 * tf.square(tf.nn.relu(margin - distances))


def _mean(sums: tf.Tensor, counts: tf.Tensor) -> WeightedLoss:
    return WeightedLoss(sums / tf.maximum(counts, 1.0), counts)
