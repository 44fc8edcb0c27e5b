"""A stage's trainer, compiled and ready: its head, its optimiser, its schedule."""

from __future__ import annotations

import dataclasses

import keras
import tensorflow as tf

from facenet_tf.errors import InputError
from facenet_tf.input_pipeline.share import Share
from facenet_tf.training.accumulate import check_chunks, chunk_of
from facenet_tf.training.config import Stage, TrainConfig
from facenet_tf.training.heads import build_head
from facenet_tf.training.layer_rates import Rates
from facenet_tf.training.objective import objective
from facenet_tf.training.optimizer import build_optimizer
from facenet_tf.training.plan import StagePlan
from facenet_tf.training.schedules import Plateau
from facenet_tf.training.trainer import EmbeddingTrainer, compile_checked


def check_stage(config: TrainConfig, stage: Stage, model: keras.Model) -> None:
    """Refuse a stage for which there will be no trainer.

    Raises:
        InputError: its batch does not divide into the replicas or the chunks, these cannot be
            embedded twice, or nothing is left to learn.
    """
    if chunk_of(_crops_of_a_replica(stage), config.chunk):
        check_chunks(model)
    of_the_head = any("prototypes" in term.loss.tensors for term in objective(stage, prefix=""))
    if not model.trainable_variables and not of_the_head:
        raise InputError(f"--freeze: nothing is left that {stage.title} could teach")


def build_trainer(
    config: TrainConfig,
    plan: StagePlan,
    model: keras.Model,
    rates: Rates,
    slower: float,
    plateau: Plateau | None,
) -> EmbeddingTrainer:
    """The trainer of a stage, with a fresh head.

    Args:
        config: of the run.
        plan: of the stage.
        model: the body, as the stage before has left it.
        rates: variables of the body with a multiple of the learning rate.
        slower: what the stage's learning rate is multiplied with.
        plateau: where the stage's schedule is one.
    """
    stage = plan.stage
    trainer = EmbeddingTrainer(
        model,
        build_head(stage, plan.classes, model.output_shape[-1], plan.seed),
        config.jit,
        config.clip_norm,
        config.descent.clip_by,
        chunk_of(_crops_of_a_replica(stage), config.chunk),
    )
    stage = dataclasses.replace(stage, learning_rate=stage.learning_rate * slower)
    optimizer = build_optimizer(config, stage, trainer.weights_to_train, rates, plateau)
    compile_checked(trainer, optimizer, config.jit, config.steps_per_execution)
    return trainer


def _crops_of_a_replica(stage: Stage) -> int:
    share = Share(tf.distribute.get_strategy().num_replicas_in_sync)
    return share.size(stage.identities_per_batch, stage.images_per_identity)
