"""Losses for a plain Keras model: for `model.compile(loss=…)`, or as a layer that holds classes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import keras
import tensorflow as tf

from facenet_tf.losses.reduction import mean_loss
from facenet_tf.losses.registry import Loss, find_loss

_NOT_HERE = {
    "prototypes": "a trainable direction for each class",
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
            or a loss that needs more than embeddings and labels (`PrototypeLoss`).
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
                raise ValueError(f"{found.title} needs {what}: PrototypeLoss holds them")
        _check_options(found, options)
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
        labels = _one_a_row(y_true)
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


@keras.saving.register_keras_serializable("facenet_tf")
class PrototypeLoss(keras.layers.Layer):
    """Any loss that keeps something for each class, as a layer: margin softmax, centre loss.

        pictures, labels = keras.Input([112, 112, 3]), keras.Input([], dtype="int64")
        embeddings = PrototypeLoss("arcface", classes=1000)([network(pictures), labels])
        trainer = keras.Model([pictures, labels], embeddings)
        trainer.compile("adam")
        trainer.fit([images, identities])

    It takes embeddings [B, D] and integer labels [B] or [B, 1] in [0, classes), adds the mean loss
    of the batch to those of the model, and returns the embeddings as float32. What is kept moves
    in training only. `network` alone is the embedding model; the layer is no part of it.

    Embeddings may have any length, and best have not been normalised: `softmax`, `sphereface`,
    `adaface` and `centre` look at it, the others do not.

    Args:
        loss: name of the loss; see `losses()`.
        classes: number of identities.
        sub_centres: prototypes of each class, for a loss that has several; None for 3.
        seed: of the prototypes' first values.
        name: what Keras calls it; None: after the loss.
        **options: of the loss.

    Raises:
        ValueError: an unknown loss or option, sub-centres for a loss that has one prototype a
            class, or a loss that keeps nothing (`EmbeddingLoss`).
    """

    def __init__(
        self,
        loss: str,
        *,
        classes: int,
        sub_centres: int | None = None,
        seed: int = 0,
        name: str | None = None,
        **options: Any,
    ) -> None:
        found = find_loss(loss)
        if not found.tensors & set(_NOT_HERE):
            raise ValueError(f"{found.title} keeps nothing for a class: use EmbeddingLoss")
        if sub_centres is not None and not found.sub_centres:
            raise ValueError(f"{found.title} has one prototype a class: give no sub_centres")
        _check_options(found, options)
        super().__init__(name=name or f"{found.title}_loss", dtype="float32")
        self.loss, self.options = found, options
        self.classes, self.sub_centres, self.seed = classes, sub_centres, seed
        self.prototypes = self.state = None

    def build(self, input_shape: Any) -> None:
        """Prototypes near 0 in random directions, and the loss's first state."""
        size = int(input_shape[0][-1])
        shape = self.loss.prototype_shape(self.classes, size, self.sub_centres)
        if shape:
            random = keras.initializers.RandomNormal(stddev=0.05, seed=self.seed)
            self.prototypes = self.add_weight(name="prototypes", shape=shape, initializer=random)
        if self.loss.initial_state:
            first = self.loss.initial_state(self.classes, size)
            self.state = self.add_weight(
                name="state",
                shape=first.shape,
                initializer=lambda shape, dtype=None: tf.cast(first, dtype or tf.float32),
                trainable=False,
            )
        self.built = True

    def call(self, inputs: Sequence[tf.Tensor], training: bool = False) -> tf.Tensor:
        """The embeddings of `(embeddings, labels)`, float32 [B, D], their loss added."""
        embeddings, labels = tf.cast(inputs[0], tf.float32), _one_a_row(inputs[1])
        held = {
            "prototypes": self.prototypes,
            "state": self.state,
            "norms": tf.norm(tf.stop_gradient(embeddings), axis=1),
        }
        tensors = {name: tf.convert_to_tensor(held[name]) for name in self.loss.tensors}
        result = self.loss.function(embeddings, labels, **tensors, **self.options)
        if self.state is not None:
            result, moved = result
            if training:
                self.state.assign(moved)
        self.add_loss(mean_loss(result))
        return embeddings

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = {"loss": self.loss.name, "classes": self.classes, "name": self.name}
        return config | {"sub_centres": self.sub_centres, "seed": self.seed} | self.options


def _check_options(loss: Loss, options: Iterable[str]) -> None:
    for option in options:
        if option not in loss.options:
            known = ", ".join(sorted(loss.options)) or "none"
            raise ValueError(f"{loss.title} has no option {option!r}: it has {known}")


def _one_a_row(labels: Any) -> tf.Tensor:
    """Labels [B] of labels [B] or [B, 1]."""
    labels = tf.convert_to_tensor(labels)
    return tf.squeeze(labels, axis=1) if labels.shape.rank == 2 else labels
