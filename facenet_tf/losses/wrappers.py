"""Losses for a plain `model.compile(loss=…)`."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from facenet_tf.losses.reduction import mean_loss
from facenet_tf.losses.registry import find_loss

_NOT_HERE = {
    "prototypes": "a trainable direction for each class",
    "norms": "running statistics of the lengths of embeddings",
    "state": "values that it keeps from batch to batch",
}


@keras.saving.register_keras_serializable("facenet_tf")
class EmbeddingLoss(keras.losses.Loss):
    """Any loss that needs embeddings and labels alone, by its name, in a compiled model.

        model.compile("adam", loss=EmbeddingLoss("triplet", "batch_hard", margin="soft"))
        model.fit(images, labels)

    The loss is that of the batch, `mean_loss`: sample weights are refused. Labels are integers [B]
    or [B, 1], whatever their size: Keras would cast them to float32, where identities above 2^24
    collide, and is not let to. Labels that come as floats are refused.

    A loss that draws at random draws anew at each call, by `seed` and the number of calls so far.
    Both are saved with the model, so that training goes on with the draws that come next.

    Args:
        loss: name of the loss; see `losses()`.
        mining: its mining rule, where it has several.
        seed: of random mining; other losses take none.
        calls: how often it was called before.
        name: what Keras calls it; None: the loss with its mining rule.
        **options: of the loss.

    Raises:
        ValueError: an unknown loss, mining rule or option, a seed for a loss that draws nothing,
            or a loss that needs more than embeddings and labels.
    """

    def __init__(
        self,
        loss: str,
        mining: str | None = None,
        *,
        seed: int | None = None,
        calls: int = 0,
        name: str | None = None,
        **options: Any,
    ) -> None:
        found = find_loss(loss, mining)
        for tensor, what in _NOT_HERE.items():
            if tensor in found.tensors:
                raise ValueError(f"{found.title} needs {what} and a trainer that holds them")
        for option in options:
            if option not in found.options:
                known = ", ".join(sorted(found.options)) or "none"
                raise ValueError(f"{found.title} has no option {option!r}: it has {known}")
        random = "seed" in found.tensors
        if seed is not None and not random:
            raise ValueError(f"{found.title} draws nothing: give no seed")
        super().__init__(name=name or found.title.replace("/", "_"))
        self.loss, self.options, self.seed = found, options, seed or 0
        self.calls = tf.Variable(calls, trainable=False, dtype=tf.int64) if random else None

    def __call__(
        self, y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor | None = None
    ) -> tf.Tensor:
        """As `call`. That of Keras would cast the labels to float32 first."""
        if sample_weight is not None:
            raise ValueError(f"{self.loss.title} takes no sample weights")
        return self.call(y_true, y_pred)

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Loss of the batch, float32 [], of integer labels [B] or [B, 1] and embeddings [B, D]."""
        labels = tf.convert_to_tensor(y_true)
        if labels.shape.rank == 2:
            labels = tf.squeeze(labels, axis=1)
        tensors = {}
        if self.calls is not None:
            count = tf.cast(self.calls.assign_add(1), tf.int32)
            tensors["seed"] = tf.stack([self.seed, count])
        return mean_loss(self.loss.function(y_pred, labels, **tensors, **self.options))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, with the calls so far."""
        config = {"loss": self.loss.name, "mining": self.loss.mining, "name": self.name}
        if self.calls is not None:
            config |= {"seed": self.seed, "calls": int(self.calls)}
        return config | self.options
