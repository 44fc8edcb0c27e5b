"""The farthest positive and the nearest negative of each row, in memory of B² or of B · tile."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from facenet_tf.losses.distances import (
    Distance,
    centred,
    gram_distances,
    paired_distances,
    pairwise_distances,
)
from facenet_tf.losses.pairs import Everyone, Memory, Pairs, gather_everyone, masks
from facenet_tf.losses.tiles import in_tiles


class Hardest(NamedTuple):
    """The two hardest distances of each row, float32 [B], 0 where there is nothing, and whether
    there is something, bool [B]."""

    positive: tf.Tensor
    negative: tf.Tensor
    has_positive: tf.Tensor
    has_negative: tf.Tensor


class _Chosen(NamedTuple):
    """Positions of the hardest candidates, int64 [A], and whether there are any, bool [A]."""

    farthest: tf.Tensor
    nearest: tf.Tensor
    has_positive: tf.Tensor
    has_negative: tf.Tensor


def hardest_distances(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    distance: Distance,
    *,
    tile: int = 0,
    sources: tf.Tensor | None = None,
    memory: Memory | None = None,
) -> Hardest:
    """Distance of each row to its farthest positive and to its nearest negative.

    They are chosen on the matrix of distances, and the two distances of the row are then computed
    again from the chosen rows: they are exact for near-duplicates, and no gradient passes through
    a matrix. The choice of one row needs no other's; in tiles, only `tile` rows of the matrix are
    there at a time. Of equally hard candidates the first is taken.

    Args:
        embeddings: [B, D], any floating type.
        labels: integer [B], any values.
        distance: see `Distance`.
        tile: rows chosen for at a time; 0: all of them.
        sources: see `compare`.
        memory: see `compare`.

    Returns:
        Hardest, with gradients to both rows of each distance, except to `memory`.

    Raises:
        ValueError: a negative tile, an unknown distance, and as `compare` does.
    """
    if tile < 0:
        raise ValueError(f"tile must be a number of rows, or 0 for all of them, not {tile}")
    everyone = gather_everyone(embeddings, labels, sources, memory)
    points = centred(embeddings, everyone.embeddings, distance)
    rows, columns = (tf.stop_gradient(each) for each in points)
    size = tf.shape(rows)[0]

    def choose(anchors: tf.Tensor) -> _Chosen:
        return _choose(tf.gather(rows, anchors), columns, everyone, anchors)

    chosen = in_tiles(choose, size, tile, _Chosen(tf.int64, tf.int64, tf.bool, tf.bool))
    to_farthest, to_nearest = (
        distances_to(embeddings, everyone.embeddings, positions, exist, distance)
        for positions, exist in (
            (chosen.farthest, chosen.has_positive),
            (chosen.nearest, chosen.has_negative),
        )
    )
    return Hardest(to_farthest, to_nearest, chosen.has_positive, chosen.has_negative)


def chosen_distances(
    pairs: Pairs, positive: tf.Tensor, negative: tf.Tensor, distance: Distance
) -> Hardest:
    """The two distances of each row to columns [B] of the pairs that another rule has chosen."""
    has_positive = tf.reduce_any(pairs.positive, axis=1)
    has_negative = tf.reduce_any(pairs.negative, axis=1)
    return Hardest(
        distances_to(pairs.rows, pairs.others, positive, has_positive, distance),
        distances_to(pairs.rows, pairs.others, negative, has_negative, distance),
        has_positive,
        has_negative,
    )


def ranking_distances(pairs: Pairs, distance: Distance) -> tf.Tensor:
    """Distances float32 [B, R] to choose by: no gradient, and of the same order without a root."""
    cheap: Distance = "squared" if distance == "plain" else distance
    return tf.stop_gradient(pairwise_distances(pairs.rows, cheap, pairs.others))


def farthest_of(distances: tf.Tensor, candidates: tf.Tensor) -> tf.Tensor:
    """Column of the first of the farthest candidates (bool [B, R]) of each row, int64 [B]."""
    return tf.argmax(tf.where(candidates, distances, -1.0), axis=1)


def nearest_of(distances: tf.Tensor, candidates: tf.Tensor) -> tf.Tensor:
    """Column of the first of the nearest candidates (bool [B, R]) of each row, int64 [B]."""
    return tf.argmin(tf.where(candidates, distances, distances.dtype.max), axis=1)


def distances_to(
    rows: tf.Tensor, others: tf.Tensor, chosen: tf.Tensor, exist: tf.Tensor, distance: Distance
) -> tf.Tensor:
    """Distance of each row [B, D] to the one of [R, D] chosen for it (integer [B]), with its
    gradient, float32 [B]; 0 where none exists (bool [B])."""
    return tf.where(exist, paired_distances(rows, tf.gather(others, chosen), distance), 0.0)


def _choose(rows: tf.Tensor, columns: tf.Tensor, everyone: Everyone, anchors: tf.Tensor) -> _Chosen:
    """The choice for rows [A, D] at positions `anchors`; squares rank as distances do."""
    positive, negative = masks(everyone, anchors)
    squared = gram_distances(rows, columns)
    return _Chosen(
        farthest_of(squared, positive),
        nearest_of(squared, negative),
        tf.reduce_any(positive, axis=1),
        tf.reduce_any(negative, axis=1),
    )
