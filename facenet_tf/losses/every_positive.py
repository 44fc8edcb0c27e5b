"""Triplets of every anchor–positive pair, one positive of each anchor at a time.

All triplets of a batch at once would be a tensor of [B, R, R]. Here the first positive of every
anchor is taken, then the second, and so on: nothing is larger than [B, R], and the time grows with
the number of positives of the anchor that has the most.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from facenet_tf.losses.distances import Distance, pairwise_distances
from facenet_tf.losses.pairs import Pairs
from facenet_tf.losses.reduction import WeightedLoss
from facenet_tf.losses.triplet import Margin, triplet_loss, triplet_slope, violates


class Positive(NamedTuple):
    """One positive of each anchor that has one left: its column int32 [B], its distance [B]."""

    index: tf.Tensor
    distance: tf.Tensor


Rule = Callable[[Positive], tf.Tensor]
"""Which of its negatives an anchor meets together with the positive: bool [B, R]."""


class _Sums(NamedTuple):
    last: tf.Tensor
    loss: tf.Tensor
    count: tf.Tensor
    slopes: tf.Tensor


def every_positive(
    pairs: Pairs,
    margin: Margin,
    distance: Distance,
    rule: Callable[[tf.Tensor], Rule],
    active_only: bool = False,
) -> WeightedLoss:
    """Mean loss of each anchor over the triplets that a mining rule makes of its positives.

    Value and slopes come from one pass over the positives, so that its gradient keeps a [B, R]
    matrix and nothing per positive. There is no second derivative.

    Args:
        pairs: who is compared with whom.
        margin: see `triplet_loss`.
        distance: see `Distance`.
        rule: is given the distances float32 [B, R] and returns the mining rule.
        active_only: only the triplets that violate the margin count.

    Returns:
        WeightedLoss; the weight of an anchor is the number of its triplets that count.
    """
    distances = pairwise_distances(pairs.rows, distance, pairs.others)
    anchors = tf.reduce_any(pairs.negative, axis=1)
    positive = pairs.positive & anchors[:, None]
    mine = rule(tf.stop_gradient(distances))

    @tf.custom_gradient
    def totals(distances: tf.Tensor) -> tuple:
        sums = _walk(distances, positive, mine, margin, active_only)

        def gradient(of_loss: tf.Tensor, of_count: tf.Tensor) -> tf.Tensor:
            del of_count  # counting has no slope
            return of_loss[:, None] * sums.slopes

        return (sums.loss, sums.count), gradient

    loss, count = totals(distances)
    return WeightedLoss(tf.math.divide_no_nan(loss, count), count)


def _walk(
    distances: tf.Tensor, positive: tf.Tensor, mine: Rule, margin: Margin, active_only: bool
) -> _Sums:
    """Sums over all triplets, and the slope of each anchor's sum by its distances, [B, R]."""
    size = tf.shape(distances)[0]
    columns = tf.range(tf.shape(distances)[1])[None, :]

    def meet(sums: _Sums) -> tuple[_Sums]:
        index = first(positive & (columns > sums.last[:, None]))
        here = columns == index[:, None]
        length = tf.reduce_sum(tf.where(here, distances, 0.0), axis=1)
        exists = index < tf.shape(distances)[1]
        met = mine(Positive(index, length)) & exists[:, None]
        violation = length[:, None] - distances
        slopes = tf.where(met, triplet_slope(violation, margin), 0.0)
        counted = met & violates(violation, margin) if active_only else met
        return (
            _Sums(
                index,
                sums.loss + _sum(tf.where(met, triplet_loss(violation, margin), 0.0)),
                sums.count + _sum(tf.cast(counted, tf.float32)),
                sums.slopes - slopes + tf.where(here, _sum(slopes)[:, None], 0.0),
            ),
        )

    start = _Sums(tf.fill([size], -1), tf.zeros([size]), tf.zeros([size]), tf.zeros_like(distances))
    most = tf.reduce_max(tf.reduce_sum(tf.cast(positive, tf.int32), axis=1))
    (sums,) = tf.while_loop(lambda _: True, meet, (start,), maximum_iterations=most)
    return sums


def only(index: tf.Tensor, distances: tf.Tensor) -> tf.Tensor:
    """bool of the shape of `distances` [B, R]: True in the given column [B] of each row."""
    return tf.range(tf.shape(distances, index.dtype)[1])[None, :] == index[:, None]


def first(mask: tf.Tensor) -> tf.Tensor:
    """Column of the first True of each row of bool [B, R], int32 [B]; R where there is none."""
    width = tf.shape(mask)[1]
    return tf.reduce_min(tf.where(mask, tf.range(width)[None, :], width), axis=1)


def _sum(values: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(values, axis=1)
