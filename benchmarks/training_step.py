"""What benchmarks of the train step share: a trainer that is ready to go, and a batch for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import keras
import numpy as np
import tensorflow as tf

from facenet_tf import models
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.training.config import Stage
from facenet_tf.training.heads import build_head
from facenet_tf.training.trainer import EmbeddingTrainer, Jit, compile_checked, step_is_jitted

STAGE = Stage("triplet", epochs=1, mining="batch_hard")
EMBEDDING = 128


@dataclasses.dataclass(frozen=True)
class Take:
    """Takes one step on a batch when it is called, and gives its figures."""

    trainer: EmbeddingTrainer
    step: Callable[[Mapping[str, tf.Tensor]], Mapping[str, tf.Tensor]]
    batch: Mapping[str, tf.Tensor]

    def __call__(self) -> Mapping[str, tf.Tensor]:
        self.trainer.reset_metrics()
        return self.step(self.batch)


def ready_step(
    model: str,
    size: int,
    people: int,
    precision: str,
    jit: Jit,
    *,
    rate: float = 1e-4,
    each: int = STAGE.images_per_identity,
    chunk: int | None = None,
    embedding: int = EMBEDDING,
    change: Callable[[keras.Model], keras.Model] = lambda network: network,
) -> Take:
    """A function that takes one train step of batch-hard with a soft margin on a fixed batch.

    Args:
        model: architecture, with fresh weights and without dropout.
        size: side of the crops in pixels.
        people: P of the batch.
        precision: policy of the network's body.
        jit: where XLA is; a difference after compile raises RuntimeError.
        rate: learning rate of AdamW.
        each: K of the batch.
        chunk: crops that go through the body at a time; None for all.
        embedding: dimensions of the embedding.
        change: makes of the network the one to train.
    """
    keras.utils.set_random_seed(0)
    keras.mixed_precision.set_global_policy(precision)
    crops = Preprocessing(size=size)
    network = change(
        models.build(model, preprocessing=crops, embedding_size=embedding, dropout=0.0)
    )
    head = build_head(STAGE, people, embedding, seed=0)
    trainer = EmbeddingTrainer(network, head, jit, chunk=chunk)
    compile_checked(trainer, keras.optimizers.AdamW(rate), jit)
    keras.mixed_precision.set_global_policy("float32")
    step = tf.function(trainer.train_step, jit_compile=step_is_jitted(trainer))
    return Take(trainer, step, coloured_noise(people, each, size))


def coloured_noise(people: int, each: int, size: int) -> dict[str, tf.Tensor]:
    """A P×K batch of noise, one colour per identity: something that can be learned."""
    random = np.random.default_rng(0)
    colours = np.repeat(random.integers(40, 216, (people, 1, 1, 3)), each, axis=0)
    noise = random.integers(-40, 40, (people * each, size, size, 3))
    return {
        "image": tf.constant((colours + noise).astype(np.uint8)),
        "label": tf.repeat(tf.range(people), each),
        "source": tf.range(people * each),
    }
