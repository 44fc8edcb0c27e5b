"""The train step: labels stay integers, the loss is float32, what it reports are Keras metrics.

A compiled Keras loss receives labels cast to float32, where identities above 2^24 collide; and a
step that returns bare tensors shows 0.0 in Keras 3's history. Hence a step of our own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import keras
import tensorflow as tf

from facenet_tf.models.layers import UnitLength
from facenet_tf.replicas import gathered, kept_by_each, own_part, summed
from facenet_tf.training.accumulate import embed_in_chunks
from facenet_tf.training.clipping import clipped
from facenet_tf.training.descent import ClipBy
from facenet_tf.training.distribute import let_sums_pass
from facenet_tf.training.heads import Mixed
from facenet_tf.training.loss_scaling import (
    all_finite,
    apply_unscaled,
    can_be_lowered,
    scaled_backward,
)
from facenet_tf.training.snapshot import Snapshot

Jit = Literal["on", "loss", "off"]
# From the slopes of a loss at the embeddings, float32 [B, D], to the gradients of the body.
Backward = Callable[[tf.Tensor], list[Any]]


class EmbeddingTrainer(keras.Model):
    """Trains an embedding model with a head, through Keras' ``fit``.

    Args:
        embedding_model: images ``[B, H, W, C]`` of 0…255 to unit vectors ``[B, D]``; its last
            layer is `UnitLength`.
        head: has ``objective(embeddings, norms, labels, sources, mixed) -> (scalar, health)``.
        jit: ``"on"`` compiles the whole step with XLA, ``"loss"`` the loss and its gradient.
        clip_norm: limit of the gradients; 0 for none.
        clip_by: what it limits, as in `Descent`.
        chunk: crops that go through the body at a time, where it is not the whole batch; divides B.

    Under the policy mixed_float16 the optimiser is one of `with_loss_scaling`; a step that
    overflows changes nothing but its scale, and is counted. A step with embeddings or a loss that
    are not finite changes no more, but is reported: the scale has no part in these. So is one that
    overflows though the scale is no longer above 1.

    Batches are dicts of ``image`` ``[B, H, W, C]``, ``label`` int ``[B]``, ``source`` int ``[B]``;
    of mixed pictures also ``other_label`` int ``[B]`` and ``share`` float32 ``[B]``.
    """

    def __init__(
        self,
        embedding_model: keras.Model,
        head: keras.layers.Layer,
        jit: Jit,
        clip_norm: float = 0.0,
        clip_by: ClipBy = "all",
        chunk: int | None = None,
    ) -> None:
        super().__init__(name="trainer")
        self.embedding_model = embedding_model
        self.head = head
        self.clip_norm, self.clip_by, self.chunk = clip_norm, clip_by, chunk
        self.scales_loss = self.compute_dtype == "float16"
        self._network = _with_norms(embedding_model)
        self._objective = (
            tf.function(self.objective, jit_compile=True) if jit == "loss" else self.objective
        )
        self._report = {
            name: MeanOfSteps(name)
            for name in (
                "loss",
                "active_triplets",
                "hardest_positive",
                "hardest_negative",
                "mean_distance",
                "effective_rank",
                "embedding_norm",
                "gradient_norm",
            )
        }
        self._skipped = SumOfSteps("skipped_steps")
        self.built = True

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """What `fit` resets at every epoch."""
        return [*self._report.values(), *([self._skipped] if self.scales_loss else [])]

    @property
    def weights_to_train(self) -> list[Any]:
        """Variables of the body and of the head."""
        return self.embedding_model.trainable_variables + self.head.trainable_variables

    @property
    def loss_is_jitted(self) -> bool:
        """Whether the loss is a function that XLA compiles, and functions are compiled at all."""
        asked = bool(getattr(self._objective, "_jit_compile", False))
        return asked and not tf.config.functions_run_eagerly()

    def call(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Embeddings of a batch."""
        return self.embedding_model(images, training=training)

    def train_step(self, data: dict[str, tf.Tensor]) -> dict[str, Any]:
        """One step of gradient descent on a P×K batch.

        Of replicas that train together each embeds its part of the batch, and all have the loss of
        the whole of it: the slopes lead back by the own part only, and the sum is the gradient.
        """
        before = Snapshot(self._moving_without_gradient) if self.scales_loss else None
        embeddings, norms, backward = self.embed(data["image"])
        told = [data[name] for name in ("label", "source", "other_label", "share") if name in data]
        embeddings, norms, labels, sources, *mixed = gathered([embeddings, norms, *told])
        loss, health, slopes, of_the_head = self._objective(
            embeddings, norms, labels, sources, Mixed(*mixed) if mixed else None
        )
        gradients = summed(backward(own_part(slopes))) + of_the_head
        without_scale = [embeddings, norms, loss, slopes, *of_the_head]
        overflowed = self._overflowed(gradients, without_scale) if self.scales_loss else None
        gradient_norm = self.descend(gradients)
        figures = {
            "loss": loss,
            **health,
            "embedding_norm": tf.reduce_mean(norms),
            "gradient_norm": gradient_norm,
        }
        if before is not None:
            before.restore(unless=all_finite(gradients))
        self._report_on(figures, overflowed)
        return self.figures()

    def embed(self, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, Backward]:
        """Embeddings float32 [B, D], their lengths before float32 [B], and the way back."""
        if self.chunk:
            body = self.embedding_model.trainable_variables
            embeddings, norms, backward = embed_in_chunks(self._network, images, self.chunk, body)
        else:
            embeddings, norms, backward = self._embed_whole(images)
        if self.scales_loss:
            backward = scaled_backward(self.optimizer, backward)
        return embeddings, norms, backward

    def objective(
        self,
        embeddings: tf.Tensor,
        norms: tf.Tensor,
        labels: tf.Tensor,
        sources: tf.Tensor,
        mixed: Mixed | None = None,
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor], tf.Tensor, list[Any]]:
        """Loss and health of a whole batch, the loss's slopes at its embeddings, float32 [B, D],
        and the gradients of the head's weights; all that jit "loss" compiles."""
        with tf.GradientTape() as tape:
            tape.watch(embeddings)
            loss, health = self.head.objective(embeddings, norms, labels, sources, mixed)
        weights = self.head.trainable_variables
        slopes, *of_the_head = tape.gradient(loss, [embeddings, *weights])
        return loss, health, tf.convert_to_tensor(slopes), of_the_head

    def descend(self, gradients: list[Any]) -> tf.Tensor:
        """Move `weights_to_train` by the gradients; their norm before it is clipped."""
        norm = tf.linalg.global_norm(gradients)
        gradients = clipped(gradients, norm, self.clip_norm, self.clip_by)
        apply_unscaled(self.optimizer, gradients, self.weights_to_train)
        return norm

    def figures(self) -> dict[str, Any]:
        """Means of what was reported, over the steps since the metrics were reset."""
        return {metric.name: metric.result() for metric in self.metrics}

    def _embed_whole(self, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, Backward]:
        with tf.GradientTape() as tape:
            embeddings, norms = self._network(images, training=True)

        def backward(slopes: tf.Tensor) -> list[Any]:
            body = self.embedding_model.trainable_variables
            return list(tape.gradient(embeddings, body, output_gradients=slopes))

        return embeddings, norms, backward

    @property
    def _moving_without_gradient(self) -> list[Any]:
        """What a step changes besides the weights: statistics of norms, states of the losses."""
        return [*self._network.non_trainable_variables, *self.head.kept]

    def _overflowed(self, gradients: list[Any], without_scale: list[Any]) -> tf.Tensor:
        """Whether it is the scale that spoiled the gradients: bool scalar; before it comes down."""
        spoiled = ~all_finite(gradients) & all_finite(without_scale)
        return spoiled & can_be_lowered(self.optimizer)

    def _report_on(
        self, figures: dict[str, tf.Tensor], overflowed: tf.Tensor | None = None
    ) -> None:
        """Add a step to the means; one that overflowed counts as skipped, and in no mean."""
        counts = None
        if overflowed is not None:
            self._skipped.update_state(tf.cast(overflowed, tf.float32))
            counts = ~overflowed
        for name, figure in figures.items():
            self._report[name].update_state(figure, counts)


def compile_checked(
    trainer: EmbeddingTrainer,
    optimizer: keras.optimizers.Optimizer,
    jit: Jit,
    steps_per_execution: int = 1,
) -> None:
    """Compile, build the optimiser's slots, and make sure that XLA is where it was asked for.

    Args:
        trainer: to be compiled.
        optimizer: not yet built.
        jit: as the trainer's.
        steps_per_execution: steps that TensorFlow does before it comes back to Python.

    Raises:
        RuntimeError: it is not: Keras turns XLA off under op determinism and for some devices,
            and nothing is compiled when functions are run eagerly.
    """
    trainer.compile(
        optimizer=optimizer, jit_compile=jit == "on", steps_per_execution=steps_per_execution
    )
    trainer.optimizer.build(trainer.weights_to_train)
    if tf.distribute.get_strategy().num_replicas_in_sync > 1:
        let_sums_pass(optimizer)
    found = jit_state(trainer)
    if found != {"train_step": jit == "on", "loss": jit != "off"}:
        raise RuntimeError(f"jit {jit!r} was asked for, but after compile XLA is {found}")


def jit_state(trainer: EmbeddingTrainer) -> dict[str, bool]:
    """Whether XLA compiles the train step and the loss, read back from the compiled trainer."""
    step = step_is_jitted(trainer)
    return {"train_step": step, "loss": step or trainer.loss_is_jitted}


def step_is_jitted(trainer: keras.Model) -> bool:
    """Whether Keras will compile the train step with XLA."""
    return bool(getattr(trainer, "jit_compile", getattr(trainer, "_jit_compile", False)))


def _with_norms(embedding_model: keras.Model) -> keras.Model:
    """The same network with a second output: the length of the vectors before normalisation."""
    last = embedding_model.layers[-1]
    if not isinstance(last, UnitLength):
        raise ValueError(f"the last layer of {embedding_model.name!r} is no UnitLength")
    norms = VectorLength(name="embedding_norm", dtype="float32")(last.input)
    return keras.Model(embedding_model.input, [last.output, norms], name="network_with_norms")


class MeanOfSteps(keras.metrics.Metric):
    """Mean of a figure that is equal on all replicas.

    Keras' own mean adds up what the replicas have when it is read or saved: it takes collectives,
    and a checkpoint depends on their number.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name=name, dtype="float32")
        self.total, self.count = kept_by_each(0.0, "total"), kept_by_each(0.0, "count")

    @property
    def variables(self) -> list[tf.Variable]:
        """What a checkpoint holds."""
        return [self.total, self.count]

    def update_state(self, figure: tf.Tensor, counts: tf.Tensor | None = None) -> None:
        """Take in the figure of a step, float32 [], unless it does not count (bool [])."""
        if counts is None:
            counts = tf.constant(True)
        self.total.assign_add(tf.where(counts, figure, 0.0))
        self.count.assign_add(tf.cast(counts, tf.float32))

    def result(self) -> tf.Tensor:
        """The mean since the last reset, float32 []; 0 without steps."""
        return tf.math.divide_no_nan(self.total, self.count)

    def reset_state(self) -> None:
        """Begin anew."""
        for variable in self.variables:
            variable.assign(0.0)


class SumOfSteps(MeanOfSteps):
    """Sum of a figure that is equal on all replicas."""

    def result(self) -> tf.Tensor:
        """The sum since the last reset, float32 []."""
        return tf.convert_to_tensor(self.total)


class VectorLength(keras.layers.Layer):
    """Euclidean length of each row, ``[B, D] → [B]``, without a gradient."""

    def call(self, vectors: tf.Tensor) -> tf.Tensor:
        """Lengths in float32."""
        return tf.norm(tf.stop_gradient(tf.cast(vectors, tf.float32)), axis=-1)
