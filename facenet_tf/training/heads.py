"""What turns embeddings into a loss: the trainer owns it, the embedding model knows nothing of it.

A head is a layer so that its prototypes are saved with the trainer's checkpoint and moved by the
optimiser; it leaves with its stage.
"""

from __future__ import annotations

from typing import Literal

import keras
import tensorflow as tf

from facenet_tf.losses.batch_hard import batch_hard_triplet
from facenet_tf.losses.distances import Distance
from facenet_tf.losses.health import embedding_health
from facenet_tf.losses.margin_softmax import arcface, cosface
from facenet_tf.losses.reduction import mean_loss
from facenet_tf.training.config import Stage

_MARGIN_SOFTMAX = {"cosface": cosface, "arcface": arcface}


class MarginSoftmaxHead(keras.layers.Layer):
    """Margin softmax over one trainable prototype per training identity.

    Args:
        objective: ``"cosface"`` (Wang et al. 2018) or ``"arcface"`` (Deng et al. 2019).
        classes: number of training identities.
        embedding_size: length of the embeddings.
        scale: multiplies the cosines.
        margin: on the cosine, or in radians.
        seed: of the prototypes' first values.
    """

    def __init__(
        self,
        objective: str,
        classes: int,
        embedding_size: int,
        scale: float,
        margin: float,
        seed: int,
    ) -> None:
        super().__init__(name="margin_softmax_head", dtype="float32")
        self.loss = _MARGIN_SOFTMAX[objective]
        self.scale, self.margin = scale, margin
        self.prototypes = self.add_weight(
            name="prototypes",
            shape=(classes, embedding_size),
            initializer=keras.initializers.RandomNormal(stddev=0.05, seed=seed),
        )
        self.built = True

    def objective(
        self, embeddings: tf.Tensor, labels: tf.Tensor, sources: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Mean loss over the batch, float32 scalar, and the batch's health.

        The triplets are looked at, not learned from: so both stages show the same curves.
        """
        losses = self.loss(
            embeddings,
            labels,
            tf.convert_to_tensor(self.prototypes),
            scale=self.scale,
            margin=self.margin,
        )
        triplets = batch_hard_triplet(embeddings, labels, margin="soft", sources=sources)
        return tf.reduce_mean(losses), embedding_health(embeddings, triplets)


class BatchHardHead(keras.layers.Layer):
    """Batch-hard triplets (Hermans et al. 2017); it has no weights.

    Args:
        margin: of the hinge, or ``"soft"``.
        distance: plain, squared or cosine.
    """

    def __init__(self, margin: float | Literal["soft"], distance: Distance) -> None:
        super().__init__(name="batch_hard_head", dtype="float32")
        self.margin, self.distance = margin, distance
        self.built = True

    def objective(
        self, embeddings: tf.Tensor, labels: tf.Tensor, sources: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Mean loss over the anchors with a positive and a negative, and the batch's health."""
        triplets = batch_hard_triplet(
            embeddings, labels, margin=self.margin, distance=self.distance, sources=sources
        )
        return mean_loss(triplets), embedding_health(embeddings, triplets)


def build_head(stage: Stage, classes: int, embedding_size: int, seed: int) -> keras.layers.Layer:
    """The head of a stage, with fresh prototypes where it has any."""
    if stage.objective == "batch_hard":
        margin: Literal["soft"] | float = "soft" if stage.soft_margin else stage.margin
        return BatchHardHead(margin, "squared" if stage.squared_distance else "plain")
    return MarginSoftmaxHead(
        stage.objective, classes, embedding_size, stage.scale, stage.margin, seed
    )
