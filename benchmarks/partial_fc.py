"""A softmax over a million people on this machine: a tenth of them a step, beside all of them.

    python benchmarks/partial_fc.py [--classes 1000000] [--sample 100000] [--quick] [--output FILE]

CosFace over 128-number prototypes, batch 256. "ours" draws the classes of each step
(`sample_classes`, Partial FC); the peer takes all of them. Each runs in a process of its own, which
tells its peak memory; a process that dies is reported with its exit code.

The pictures are vectors: a person's own one and noise, made into embeddings by a small network
that is trained along. 100 steps show 25,600 of them, so they are of 2,560 people, ten each, spread
over all classes: these are learned, the others are only ever negatives.

Prototypes and their momentum are one float32 [C, 128] each. SGD with momentum (0.9) moves the rows
drawn and lets the others be, momentum and all, so that nothing else of this size is made.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import resource
import statistics
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

import keras
import numpy as np
import report
import tensorflow as tf

from facenet_tf.losses import cosface, sample_classes

BATCH, SIZE, MOMENTUM = 256, 128, 0.9


@dataclasses.dataclass(frozen=True)
class Run:
    """One process: classes, how many of them a step takes, and steps, the first uncounted."""

    classes: int
    sample: int
    steps: int


class Training:
    """A small network and the prototypes of all classes."""

    def __init__(self, run: Run) -> None:
        keras.utils.set_random_seed(1)
        self.run = run
        self.network = keras.Sequential(
            [keras.Input([SIZE]), keras.layers.Dense(256, "relu"), keras.layers.Dense(SIZE)]
        )
        self.optimizer = keras.optimizers.SGD(0.05, momentum=MOMENTUM)
        self.prototypes = tf.Variable(
            tf.random.stateless_normal([run.classes, SIZE], [1, 2], stddev=0.05)
        )
        self.velocity = tf.Variable(tf.zeros([run.classes, SIZE]))

    @tf.function
    def step(self, pictures: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Mean loss of a batch, after which network and prototypes are moved."""
        weights = self.network.trainable_variables
        with tf.GradientTape() as tape:
            if self.run.sample < self.run.classes:
                ids, labels = sample_classes(labels, self.run.classes, self.run.sample, seed)
                prototypes = tf.gather(self.prototypes, ids)
            else:
                prototypes = tf.convert_to_tensor(self.prototypes)
            embeddings = self.network(pictures, training=True)
            loss = tf.reduce_mean(cosface(embeddings, labels, prototypes, scale=24.0, margin=0.2))
        of_prototypes, *of_weights = tape.gradient(loss, [self.prototypes, *weights])
        self.move_prototypes(of_prototypes)
        self.optimizer.apply_gradients(zip(of_weights, weights))
        return loss

    def move_prototypes(self, gradient: tf.Tensor | tf.IndexedSlices) -> None:
        """SGD with momentum in place, on the rows that have a gradient."""
        state = {"var": self.prototypes.handle, "accum": self.velocity.handle}
        given: dict[str, Any] = {"lr": 1.0, "momentum": MOMENTUM}
        if isinstance(gradient, tf.IndexedSlices):
            tf.raw_ops.ResourceSparseApplyMomentum(
                **state, **given, grad=gradient.values, indices=gradient.indices
            )
        else:
            tf.raw_ops.ResourceApplyMomentum(**state, **given, grad=gradient)


def batches(classes: int) -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
    """Pictures float32 [B, D] and labels int32 [B] of 2,560 people among all classes."""
    random = np.random.default_rng(3)
    people = random.choice(classes, 10 * BATCH, replace=False)
    faces = random.normal(size=(len(people), SIZE))
    while True:
        chosen = random.integers(len(people), size=BATCH)
        pictures = faces[chosen] + 0.3 * random.normal(size=(BATCH, SIZE))
        yield tf.constant(pictures, tf.float32), tf.constant(people[chosen], tf.int32)


def train(run: Run, told: Connection) -> None:
    """Tell losses, seconds per step, and this process's memory in GiB at first and at its peak."""
    start_memory = peak_memory()
    training, losses, seconds = Training(run), [], []
    for number, (pictures, labels) in zip(range(run.steps + 1), batches(run.classes)):
        start = time.perf_counter()
        losses.append(float(training.step(pictures, labels, tf.constant([number, 7]))))
        seconds.append(time.perf_counter() - start)
    memory = {"memory_at_start": start_memory, "peak": peak_memory()}
    told.send({"losses": losses[1:], "seconds": seconds[1:], **memory})


def peak_memory() -> float:
    """Largest resident size of this process up to now, GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def measured(run: Run) -> dict[str, Any]:
    """What a process of its own told, or the exit code it died with."""
    spawn = multiprocessing.get_context("spawn")
    hears, tells = spawn.Pipe(duplex=False)
    process = spawn.Process(target=train, args=(run, tells))
    process.start()
    tells.close()
    try:
        return hears.recv()
    except EOFError:
        process.join()
        return {"failed": f"exit code {process.exitcode}"}
    finally:
        process.join()


def cost(ours: float, full: float | None, unit: str) -> dict[str, Any]:
    """A figure of which less is better; nothing where the full softmax failed."""
    return {
        "ours": ours,
        "peers": {"full_softmax": full},
        "ratio": {"full_softmax": full and full / ours},
        "unit": unit,
    }


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("--classes", type=int, default=1_000_000, help="number of all classes")
    parser.add_argument("--sample", type=int, default=100_000, help="classes drawn for a step")
    parser.add_argument("--steps", type=int, default=100, help="training steps")
    options = parser.parse_args()
    if options.quick:
        options.classes, options.sample, options.steps = 50_000, 5_000, 20
    ours = measured(Run(options.classes, options.sample, options.steps))
    full = measured(Run(options.classes, options.classes, 1))
    seconds = statistics.median(ours["seconds"])
    metrics = {
        "peak_memory": cost(ours["peak"], full.get("peak"), "GiB"),
        "step": cost(seconds, statistics.median(full.get("seconds", [None])), "s"),
    }
    report.publish(
        "partial_fc",
        metrics,
        options.output,
        protocol={
            "loss": "cosface, scale 24, margin 0.2",
            "optimiser": "SGD, momentum 0.9, on the rows drawn",
            "classes": options.classes,
            "sample": options.sample,
            "batch": BATCH,
            "embedding": SIZE,
            "steps": options.steps,
            "people_with_pictures": 10 * BATCH,
            "prototypes_and_momentum_gib": 2 * options.classes * SIZE * 4 / 2**30,
        },
        training={
            "loss_of_first_steps": statistics.mean(ours["losses"][:5]),
            "loss_of_last_steps": statistics.mean(ours["losses"][-5:]),
            "seconds_per_step": [min(ours["seconds"]), seconds, max(ours["seconds"])],
            "memory_at_start": ours["memory_at_start"],
        },
        full_softmax=full,
    )


if __name__ == "__main__":
    main()
