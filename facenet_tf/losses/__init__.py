"""Losses on embeddings as pure functions of tensors, per example; reduction is the caller's."""

from facenet_tf.losses.distances import paired_distances, pairwise_distances
from facenet_tf.losses.health import embedding_health
from facenet_tf.losses.margin_softmax import arcface, cosface
from facenet_tf.losses.triplet import (
    TripletResult,
    batch_hard_triplet,
    collapsed_loss,
    mean_over_valid,
)

__all__ = [
    "TripletResult",
    "arcface",
    "batch_hard_triplet",
    "collapsed_loss",
    "cosface",
    "embedding_health",
    "mean_over_valid",
    "paired_distances",
    "pairwise_distances",
]
