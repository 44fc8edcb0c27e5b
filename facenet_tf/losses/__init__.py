"""Losses on embeddings as pure functions of tensors, per example; reduction is the caller's."""

from facenet_tf.losses.adaface import ADAFACE_START, adaface
from facenet_tf.losses.addons import tfa_hard, tfa_semihard
from facenet_tf.losses.batch_all import batch_all_triplet
from facenet_tf.losses.batch_hard import TripletResult, batch_hard_triplet
from facenet_tf.losses.centre import centre
from facenet_tf.losses.circle import circle
from facenet_tf.losses.contrastive import contrastive_all, contrastive_batch_hard
from facenet_tf.losses.distance_weighted import distance_weighted_triplet
from facenet_tf.losses.distances import Distance, paired_distances, pairwise_distances
from facenet_tf.losses.health import embedding_health
from facenet_tf.losses.margin_softmax import (
    arcface,
    combined_margin,
    cosface,
    normface,
    softmax,
    sphereface,
)
from facenet_tf.losses.memory import empty_memory, remembered
from facenet_tf.losses.multi_similarity import multi_similarity
from facenet_tf.losses.n_pairs import n_pairs
from facenet_tf.losses.pairs import Memory
from facenet_tf.losses.reduction import WeightedLoss, mean_loss
from facenet_tf.losses.registry import Loss, find_loss, losses
from facenet_tf.losses.sampled_classes import sample_classes
from facenet_tf.losses.semi_hard import (
    hard_positive_semi_hard_negative_triplet,
    semi_hard_triplet,
)
from facenet_tf.losses.subcentre_arcface import subcentre_arcface
from facenet_tf.losses.supervised_contrastive import supervised_contrastive
from facenet_tf.losses.triplet import Margin, collapsed_loss, triplet_loss
from facenet_tf.losses.wrappers import EmbeddingLoss, PrototypeLoss

__all__ = [
    "ADAFACE_START",
    "Distance",
    "EmbeddingLoss",
    "Loss",
    "Margin",
    "Memory",
    "PrototypeLoss",
    "TripletResult",
    "WeightedLoss",
    "adaface",
    "arcface",
    "batch_all_triplet",
    "batch_hard_triplet",
    "centre",
    "circle",
    "collapsed_loss",
    "combined_margin",
    "contrastive_all",
    "contrastive_batch_hard",
    "cosface",
    "distance_weighted_triplet",
    "embedding_health",
    "empty_memory",
    "find_loss",
    "hard_positive_semi_hard_negative_triplet",
    "losses",
    "mean_loss",
    "multi_similarity",
    "n_pairs",
    "normface",
    "paired_distances",
    "pairwise_distances",
    "remembered",
    "sample_classes",
    "semi_hard_triplet",
    "softmax",
    "sphereface",
    "subcentre_arcface",
    "supervised_contrastive",
    "tfa_hard",
    "tfa_semihard",
    "triplet_loss",
]
