"""Losses on embeddings as pure functions of tensors, per example; reduction is the caller's."""

from facenet_tf.losses.addons import tfa_hard, tfa_semihard
from facenet_tf.losses.batch_all import batch_all_triplet
from facenet_tf.losses.batch_hard import TripletResult, batch_hard_triplet
from facenet_tf.losses.distance_weighted import distance_weighted_triplet
from facenet_tf.losses.distances import Distance, paired_distances, pairwise_distances
from facenet_tf.losses.health import embedding_health
from facenet_tf.losses.margin_softmax import arcface, cosface
from facenet_tf.losses.pairs import Memory
from facenet_tf.losses.reduction import WeightedLoss, mean_loss
from facenet_tf.losses.registry import Loss, find_loss, losses
from facenet_tf.losses.semi_hard import (
    hard_positive_semi_hard_negative_triplet,
    semi_hard_triplet,
)
from facenet_tf.losses.triplet import Margin, collapsed_loss, triplet_loss
from facenet_tf.losses.wrappers import EmbeddingLoss

__all__ = [
    "Distance",
    "EmbeddingLoss",
    "Loss",
    "Margin",
    "Memory",
    "TripletResult",
    "WeightedLoss",
    "arcface",
    "batch_all_triplet",
    "batch_hard_triplet",
    "collapsed_loss",
    "cosface",
    "distance_weighted_triplet",
    "embedding_health",
    "find_loss",
    "hard_positive_semi_hard_negative_triplet",
    "losses",
    "mean_loss",
    "paired_distances",
    "pairwise_distances",
    "semi_hard_triplet",
    "tfa_hard",
    "tfa_semihard",
    "triplet_loss",
]
