"""Weights after some steps on several replicas: a program, since devices come before TensorFlow.

python -m tests.training.replica_steps FILE.npz REPLICAS...

One number of replicas above 1: the collectives of a process know no second strategy.
"""

import dataclasses
import functools
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from facenet_tf import models
from facenet_tf.input_pipeline.sampling import Sampling
from facenet_tf.input_pipeline.share import Share
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.replicas import of_first
from facenet_tf.training.averaging import averaged_weights
from facenet_tf.training.config import Stage, TrainConfig
from facenet_tf.training.descent import Descent
from facenet_tf.training.distribute import Distribution, synchronize
from facenet_tf.training.fine_tuning import freeze
from facenet_tf.training.heads import build_head
from facenet_tf.training.optimizer import build_optimizer
from facenet_tf.training.trainer import EmbeddingTrainer, Jit, compile_checked

SIDE, PEOPLE, BATCH, STEPS = 16, 12, 8, 6
PXK = {"identities_per_batch": 4, "images_per_identity": 2}
STEADY = {"epochs": 1, "schedule": "constant", "warmup_epochs": 0.0, "learning_rate": 0.2}
EVERYTHING = "triplet/batch_hard + 0.1*adaface + 0.01*centre"


def stage_of(loss: str, **options: Any) -> Stage:
    return Stage(loss, **PXK, **STEADY | options)


SGD = TrainConfig(optimizer="sgd", clip_norm=1.0, weight_decay=0.0, steps_per_epoch=STEPS)
HALF = dataclasses.replace(SGD, precision="mixed_float16")
AVERAGED = dataclasses.replace(SGD, weight_decay=0.1, descent=Descent(ema=0.7))


class Case(NamedTuple):
    """A stage, what XLA compiles, steps that are taken at once, how the weights descend, and crops
    that go through the body at a time, whose batch norms are frozen then."""

    stage: Stage
    jit: Jit = "off"
    at_once: int = 1
    config: TrainConfig = SGD
    rates: Mapping[str, float] = {}
    chunk: int | None = None


CASES = {
    "batch_hard_signatures": Case(
        stage_of("triplet/batch_hard", sampling=Sampling(hard=0.5)), jit="loss"
    ),
    "arcface_sampled": Case(stage_of("arcface", sampled_classes=9), at_once=3),
    "prototypes_state_norms_memory_averages_rates": Case(
        stage_of(EVERYTHING, memory=20), config=AVERAGED, rates={"convolution": 0.1}
    ),
    "chunks": Case(stage_of("triplet/batch_hard"), jit="loss", chunk=2),
    "float16_mixup": Case(stage_of("cosface", scale=8.0, mixup=0.2), config=HALF),
}


def make_model() -> keras.Model:
    """Batch normalisation of maps and, by Keras' own layer, of vectors."""
    pixels = keras.Input((SIDE, SIDE, 3))
    x = models.PixelNormalization(Preprocessing(size=SIDE).to_dict())(pixels)
    x = keras.layers.Conv2D(6, 3, 2, use_bias=False, name="convolution")(x)
    x = keras.layers.ReLU()(models.FusedBatchNormalization(epsilon=1e-5, momentum=0.9)(x))
    x = keras.layers.Dense(8, use_bias=False)(keras.layers.GlobalAveragePooling2D()(x))
    x = keras.layers.BatchNormalization(momentum=0.9)(x)
    return keras.Model(pixels, models.UnitLength()(x))


def read(mixed: bool, share: Share) -> tf.data.Dataset:
    """Random pictures, brighter from person to person; only the share's rows, mixed with any."""
    random = np.random.default_rng(3)
    labels = np.stack([np.repeat(random.permutation(PEOPLE)[:4], 2) for _ in range(STEPS)])
    images = (
        random.integers(0, 128, (STEPS, BATCH, SIDE, SIDE, 3)) + 20 * labels[..., None, None, None]
    )
    whole = {"image": images, "label": labels, "source": np.arange(STEPS * BATCH)}
    if mixed:
        part, partner = random.uniform(0.5, 1, (STEPS, BATCH)), random.permutation(BATCH)
        weight = part[..., None, None, None]
        whole |= {"image": weight * images + (1 - weight) * images[:, partner], "share": part}
        whole["other_label"] = labels[:, partner]
    kinds = {"image": np.uint8, "share": np.float32}
    size = BATCH // share.parts

    def own(name: str) -> np.ndarray:
        values = whole[name].astype(kinds.get(name, np.int32))
        parts = values.reshape(
            STEPS, share.parts, size, *images.shape[2:] if name == "image" else ()
        )
        parts = parts[:, share.first : share.first + share.own]
        return parts.reshape(-1, *parts.shape[2:])

    return tf.data.Dataset.from_tensor_slices({name: own(name) for name in whole})


@functools.cache
def distribution_of(replicas: int) -> Distribution:
    if replicas == 1:
        return Distribution(tf.distribute.get_strategy())
    devices = [f"/CPU:{number}" for number in range(replicas)]
    return Distribution(tf.distribute.MirroredStrategy(devices))


def train(case: Case, replicas: int) -> dict[str, np.ndarray]:
    """All that the steps leave: weights, statistics, what head and optimiser keep, figures."""
    distribution = distribution_of(replicas)
    keras.utils.set_random_seed(0)
    keras.mixed_precision.set_global_policy(case.config.precision)
    with distribution.strategy.scope():
        model = make_model()
        synchronize(model)
        head = build_head(case.stage, PEOPLE, 8, seed=0)
        if case.chunk:
            freeze(model, ["*normalization*"])
        clip_norm = case.config.clip_norm
        trainer = EmbeddingTrainer(model, head, case.jit, clip_norm, chunk=case.chunk)
        weights = trainer.weights_to_train
        rates = [
            (variable, rate)
            for name, rate in case.rates.items()
            for variable in model.get_layer(name).trainable_variables
        ]
        optimizer = build_optimizer(case.config, case.stage, weights, rates)
        compile_checked(trainer, optimizer, case.jit, case.at_once)
        execute = distribution.train_function(trainer)
        batches = iter(distribution.batches(functools.partial(read, case.stage.mixup > 0)))
        for _ in range(STEPS // case.at_once):
            figures = execute(batches)
    keras.mixed_precision.set_global_policy("float32")
    variables = [*model.weights, *head.trainable_variables, *head.kept, *optimizer.variables]
    with distribution.strategy.scope():
        left = numbered("left", variables)
        with averaged_weights(optimizer, weights):
            left |= numbered("validated", weights)
    return left | {name: np.asarray(figure) for name, figure in figures.items()}


def numbered(name: str, variables: list[Any]) -> dict[str, np.ndarray]:
    values = [tf.convert_to_tensor(variable).numpy() for variable in variables]
    return {f"{name}_{number:02d}": value for number, value in enumerate(values)}


def normalize(replicas: int) -> dict[str, np.ndarray]:
    """Outputs, slopes at the inputs, moving statistics: of a large mean with a small deviation."""
    distribution = distribution_of(replicas)
    rows = np.random.default_rng(5).normal(300.0, 1.0, (BATCH, 3, 3, 2)).astype(np.float32)
    weights = np.random.default_rng(6).normal(size=rows.shape).astype(np.float32)
    with distribution.strategy.scope():
        layer = models.FusedBatchNormalization(epsilon=1e-5)
        layer.build(rows.shape)

        def step(data: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
            with tf.GradientTape() as tape:
                tape.watch(data["rows"])
                outputs = layer(data["rows"], training=True)
                total = tf.reduce_sum(outputs * data["weights"])
            return outputs, tape.gradient(total, data["rows"])

        def part(share: Share) -> tf.data.Dataset:
            whole = tf.data.Dataset.from_tensor_slices({"rows": rows, "weights": weights})
            return whole.batch(BATCH // share.parts, drop_remainder=True)

        run = tf.function(lambda data: distribution.strategy.run(step, (data,)))
        results = run(next(iter(distribution.batches(part))))
        local = [distribution.strategy.experimental_local_results(result) for result in results]
        moving = [tf.convert_to_tensor(one).numpy() for one in layer.non_trainable_weights]
    outputs, slopes = (np.concatenate(parts) for parts in local)
    return {"outputs": outputs, "slopes": slopes, "mean": moving[0], "variance": moving[1]}


def tell(replicas: int) -> dict[str, np.ndarray]:
    """What each replica has of the first one's number, where all have another: the extremes."""
    strategy = distribution_of(replicas).strategy

    def step() -> tf.Tensor:
        number = tf.distribute.get_replica_context().replica_id_in_sync_group
        return of_first(3.5 + tf.cast(number, tf.float64))

    told = strategy.experimental_local_results(tf.function(lambda: strategy.run(step))())
    assert len(told) == replicas
    return {"least": np.min(told), "most": np.max(told)}


if __name__ == "__main__":
    file, *counts = Path(sys.argv[1]), *map(int, sys.argv[2:])
    cpu = tf.config.list_physical_devices("CPU")[0]
    logical = [tf.config.LogicalDeviceConfiguration() for _ in range(max(counts))]
    tf.config.set_logical_device_configuration(cpu, logical)
    results = {}
    for replicas in counts:
        left = {case: train(how, replicas) for case, how in CASES.items()}
        left |= {"batch_norm": normalize(replicas), "of_first": tell(replicas)}
        for case, values in left.items():
            results |= {f"{case}/{replicas}/{name}": value for name, value in values.items()}
    np.savez(file, **results)
