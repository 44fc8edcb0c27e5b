"""Losses on embeddings as pure functions of tensors, per example; reduction is the caller's."""

from facenet_tf.losses.batch_hard import TripletResult, batch_hard_triplet
from facenet_tf.losses.circle import circle
from facenet_tf.losses.contrastive import contrastive_all, contrastive_batch_hard
from facenet_tf.losses.distances import Distance, paired_distances, pairwise_distances
from facenet_tf.losses.health import embedding_health
from facenet_tf.losses.margin_softmax import arcface, cosface
from facenet_tf.losses.memory import empty_memory, remembered
from facenet_tf.losses.multi_similarity import multi_similarity
from facenet_tf.losses.n_pairs import n_pairs
from facenet_tf.losses.pairs import Memory
from facenet_tf.losses.reduction import WeightedLoss, mean_loss
from facenet_tf.losses.registry import Loss, find_loss, losses
from facenet_tf.losses.supervised_contrastive import supervised_contrastive
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
    "circle",
    "collapsed_loss",
    "contrastive_all",
    "contrastive_batch_hard",
    "cosface",
    "embedding_health",
    "empty_memory",
    "find_loss",
    "losses",
    "mean_loss",
    "multi_similarity",
    "n_pairs",
    "paired_distances",
    "pairwise_distances",
    "remembered",
    "supervised_contrastive",
    "triplet_loss",
]
