"""What turns embeddings into a loss: the trainer owns it, the embedding model knows nothing of it.

A head is a layer so that its prototypes are saved with the trainer's checkpoint and moved by the
optimiser; it leaves with its stage.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from facenet_tf.errors import InputError
from facenet_tf.losses.batch_hard import batch_hard_triplet
from facenet_tf.losses.health import embedding_health
from facenet_tf.losses.memory import empty_memory, remembered
from facenet_tf.losses.pairs import Memory
from facenet_tf.losses.reduction import mean_loss
from facenet_tf.losses.sampled_classes import sample_classes
from facenet_tf.replicas import kept_by_each
from facenet_tf.training.config import Stage
from facenet_tf.training.confusion import with_last_turn
from facenet_tf.training.objective import Term, objective


class Mixed(NamedTuple):
    """What MixUp made of a batch: the labels of the other pictures in it, int [B], and the share of
    its own in each, float32 [B]."""

    labels: tf.Tensor
    share: tf.Tensor


class LossHead(keras.layers.Layer):
    """A weighted sum of losses with what they keep: prototypes, state, memory, random numbers.

    Args:
        terms: the losses of the sum.
        classes: number of training identities.
        embedding_size: length of the embeddings.
        seed: of the prototypes' first values and of what is drawn at random.
        sub_centres: prototypes of each identity, for a loss that has several; None for 3.
        memory: rows of earlier batches that losses on pairs compare with; 0 for none.
        sampled_classes: prototypes that a step looks at, those of its batch among them; 0 for all.
        signatures: whether to keep the mean embedding of each identity's last turn.
    """

    def __init__(
        self,
        terms: Sequence[Term],
        classes: int,
        embedding_size: int,
        seed: int,
        sub_centres: int | None = None,
        memory: int = 0,
        sampled_classes: int = 0,
        signatures: bool = False,
    ) -> None:
        super().__init__(name="loss_head", dtype="float32")
        self.terms, self.classes, self.seed = tuple(terms), classes, seed
        self.embedding_size = embedding_size
        # Where a loss spares the memory of a [B, B] matrix, what is only looked at does too.
        self.tile = max(term.options.get("tile", 0) for term in self.terms)
        self.sampled_classes = sampled_classes if sampled_classes < classes else 0
        shapes = [
            term.loss.prototype_shape(classes, embedding_size, sub_centres) for term in self.terms
        ]
        self.prototypes = [
            shape and self._prototypes(number, shape) for number, shape in enumerate(shapes)
        ]
        self.states = [
            self._kept(f"state_{number}", term.loss.initial_state(classes, embedding_size))
            if term.loss.initial_state
            else None
            for number, term in enumerate(self.terms)
        ]
        self.memory = self._kept("memory", empty_memory(memory, embedding_size)) if memory else None
        self.signatures: tf.Variable | None = None
        if signatures:
            self._variable("signatures", tf.zeros([classes, embedding_size]))
        self._variable("step", tf.zeros([], tf.int32))
        self.built = True

    def objective(
        self,
        embeddings: tf.Tensor,
        norms: tf.Tensor,
        labels: tf.Tensor,
        sources: tf.Tensor,
        mixed: Mixed | None = None,
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Loss of a batch, float32 scalar, and the batch's health; what is kept moves on.

        Args:
            embeddings: [B, D], unit length.
            norms: float32 [B], their length before.
            labels: integer [B].
            sources: integer [B].
            mixed: what else is in the pictures, where MixUp made them.
        """
        results = [
            self._result(number, embeddings, norms, labels, sources, mixed)
            for number in range(len(self.terms))
        ]
        means = [term.weight * mean_loss(one) for term, one in zip(self.terms, results)]
        if self.memory is not None:
            now = remembered(Memory(*self.memory), embeddings, labels, sources)
            _assign(self.memory, now)
        if self.signatures is not None:
            known = tf.convert_to_tensor(self.signatures)
            share = mixed.share if mixed else None
            self.signatures.assign(with_last_turn(known, embeddings, labels, share))
        self.step.assign(self.step + 1)
        # Where the hardest triplets are not learned from, they are looked at: all stages show the
        # same curves.
        learned = [term.loss.function for term in self.terms]
        if self.memory is None and batch_hard_triplet in learned:
            triplets = results[learned.index(batch_hard_triplet)]
        else:
            triplets = batch_hard_triplet(embeddings, labels, sources=sources, tile=self.tile)
        return tf.add_n(means), embedding_health(embeddings, triplets, self.tile)

    @property
    def kept(self) -> list[tf.Variable]:
        """What moves on with every step, and no optimiser moves: states, memory, signatures, the
        step."""
        parts = tf.nest.flatten([*self.states, self.memory, self.signatures, self.step])
        return [part for part in parts if part is not None]

    def collapsed_loss(self, identities: int, images: int) -> float | None:
        """What the loss is when all embeddings of a P×K batch are equal; None where it depends on
        more than the embeddings."""
        if any(term.loss.tensors & {"prototypes", "state", "norms"} for term in self.terms):
            return None
        rows = tf.ones([identities * images, self.embedding_size]) / self.embedding_size**0.5
        labels = tf.repeat(tf.range(identities), images)
        return sum(
            term.weight * float(mean_loss(self._call(number, rows, labels, {})))
            for number, term in enumerate(self.terms)
        )

    def _result(
        self,
        number: int,
        embeddings: tf.Tensor,
        norms: tf.Tensor,
        labels: tf.Tensor,
        sources: tf.Tensor,
        mixed: Mixed | None,
    ) -> Any:
        wanted = self.terms[number].loss.tensors
        tensors: dict[str, Any] = {"sources": sources, "norms": norms}
        if self.memory is not None:
            tensors["memory"] = Memory(*(tf.convert_to_tensor(part) for part in self.memory))
        of_pictures = [labels, *([mixed.labels] if mixed else [])]
        if self.prototypes[number] is not None:
            tensors["prototypes"], of_pictures = self._classes(number, of_pictures)
        state = self.states[number]
        if state is not None:
            tensors["state"] = tf.nest.map_structure(tf.convert_to_tensor, state)
        given = {name: value for name, value in tensors.items() if name in wanted}
        results = [self._call(number, embeddings, each, given) for each in of_pictures]
        if state is not None:
            _assign(state, results[0][1])
            results = [result for result, _ in results]
        if mixed is None:
            return results[0]
        own, other = results
        return mixed.share * own + (1.0 - mixed.share) * other

    def _call(
        self, number: int, embeddings: tf.Tensor, labels: tf.Tensor, tensors: dict[str, Any]
    ) -> Any:
        term = self.terms[number]
        if "seed" in term.loss.tensors:
            tensors = {**tensors, "seed": self._draw(number)}
        return term.loss.function(embeddings, labels, **tensors, **term.options)

    def _classes(self, number: int, labels: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """The prototypes of this step, and the labels as their row numbers; the first labels hold
        all that is in the others."""
        prototypes = tf.convert_to_tensor(self.prototypes[number])
        if not self.sampled_classes:
            return prototypes, labels
        chosen, _ = sample_classes(
            labels[0], self.classes, self.sampled_classes, self._draw(-1 - number)
        )
        places = [tf.searchsorted(chosen, tf.cast(each, tf.int32)) for each in labels]
        return tf.gather(prototypes, chosen), places

    def _draw(self, number: int) -> tf.Tensor:
        """A seed of this step, int32 [2]."""
        return tf.stack([tf.constant((self.seed + number) % 2**31, tf.int32), self.step])

    def _prototypes(self, number: int, shape: tuple[int, ...]) -> Any:
        name = f"prototypes_{number}"
        initializer = keras.initializers.RandomNormal(stddev=0.05, seed=self.seed + number)
        setattr(self, name, self.add_weight(name=name, shape=shape, initializer=initializer))
        return getattr(self, name)

    def _kept(self, name: str, initial: Any) -> Any:
        """Variables in the structure of `initial`, which no optimiser moves."""
        parts = [
            self._variable(f"{name}_{number}", part)
            for number, part in enumerate(tf.nest.flatten(initial))
        ]
        return tf.nest.pack_sequence_as(initial, parts)

    def _variable(self, name: str, value: tf.Tensor) -> tf.Variable:
        # A checkpoint holds what is an attribute, and looks into no lists here.
        setattr(self, name, kept_by_each(value, name))
        return getattr(self, name)


def build_head(stage: Stage, classes: int, embedding_size: int, seed: int) -> LossHead:
    """The head of a stage, with fresh prototypes where it has any."""
    terms = objective(stage, prefix="")
    return LossHead(
        terms,
        classes,
        embedding_size,
        seed,
        stage.sub_centres,
        stage.memory,
        stage.sampled_classes,
        signatures=stage.sampling.hard > 0,
    )


def check_head(stage: Stage, prefix: str) -> None:
    """Try a stage's loss on four vectors, so that a run is not begun in vain.

    Raises:
        InputError: it refuses one of its options, is not finite under them, or wants a package
            that is not installed.
    """
    terms = objective(stage, prefix)
    head = LossHead(terms, classes=2, embedding_size=4, seed=0)
    shown = ", ".join(f"{name} {value}" for term in terms for name, value in term.options.items())
    try:
        loss, _ = head.objective(tf.eye(4), tf.ones(4), tf.constant([0, 0, 1, 1]), tf.range(4))
    except (ValueError, ImportError) as error:
        raise InputError(f"--{prefix}loss {stage.loss} ({shown}): {error}") from error
    if not np.isfinite(loss):
        raise InputError(
            f"--{prefix}loss {stage.loss} ({shown}): it is {float(loss)} of four vectors at right "
            "angles; give options of a usual size"
        )


def _assign(variables: Any, values: Any) -> None:
    for variable, value in zip(tf.nest.flatten(variables), tf.nest.flatten(values), strict=True):
        variable.assign(value)
