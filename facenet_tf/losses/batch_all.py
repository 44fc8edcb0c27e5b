"""All triplets of a batch.

Hermans, Beyer, Leibe: In Defense of the Triplet Loss for Person Re-Identification, 2017, eq. 6.
"""

from __future__ import annotations

from typing import Literal

import tensorflow as tf

from facenet_tf.losses.distances import Distance
from facenet_tf.losses.every_positive import every_positive
from facenet_tf.losses.pairs import Memory, compare
from facenet_tf.losses.reduction import WeightedLoss
from facenet_tf.losses.registry import register
from facenet_tf.losses.triplet import Margin, check_margin


@register("triplet", mining="batch_all")
def batch_all_triplet(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    *,
    margin: Margin = "soft",
    distance: Distance = "plain",
    reduction: Literal["all", "active"] = "all",
    sources: tf.Tensor | None = None,
    memory: Memory | None = None,
) -> WeightedLoss:
    """Loss of each anchor with each of its positives and each of its negatives.

    An anchor without a positive or without a negative has no triplet: loss 0, weight 0.

    Args:
        embeddings: [B, D], any floating type.
        labels: integer [B], any values.
        margin: see `triplet_loss`.
        distance: plain (Hermans et al.), squared or cosine.
        reduction: which triplets the mean is over: "all", or "active" for those whose loss is not
            zero, the BA≠0 of Hermans et al. The soft margin is never zero: with it, only "all".
        sources: see `compare`.
        memory: see `compare`.

    Returns:
        WeightedLoss; the weight of an anchor is the number of its triplets that count.

    Raises:
        ValueError: for labels or sources that are not integers, shapes that do not fit, an unknown
            margin, distance or `reduction`, or the soft margin with "active".
    """
    check_margin(margin)
    if reduction not in ("all", "active"):
        raise ValueError(f'reduction must be "all" or "active", not {reduction!r}')
    if reduction == "active" and margin == "soft":
        raise ValueError(
            'reduction "active" goes with a number as margin: under "soft" no triplet has loss 0'
        )
    pairs = compare(embeddings, labels, sources, memory)
    return every_positive(
        pairs,
        margin,
        distance,
        rule=lambda distances: lambda positive: pairs.negative,
        active_only=reduction == "active",
    )
