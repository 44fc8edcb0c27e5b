"""Losses on embeddings as pure functions of tensors, per example; reduction is the caller's."""

from facenet_tf.losses.batch_hard import TripletResult, batch_hard_triplet
from facenet_tf.losses.distances import Distance, paired_distances, pairwise_distances
from facenet_tf.losses.health import embedding_health
from facenet_tf.losses.margin_softmax import arcface, cosface
from facenet_tf.losses.pairs import Memory
from facenet_tf.losses.reduction import WeightedLoss, mean_loss
from facenet_tf.losses.registry import Loss, find_loss, losses
from facenet_tf.losses.triplet import Margin, collapsed_loss, triplet_loss

__all__ = [
    "Distance",
    "Loss",
    "Margin",
    "Memory",
    "TripletResult",
    "WeightedLoss",
    "arcface",
    "batch_hard_triplet",
    "collapsed_loss",
    "cosface",
    "embedding_health",
    "find_loss",
    "losses",
    "mean_loss",
    "paired_distances",
    "pairwise_distances",
    "triplet_loss",
]
