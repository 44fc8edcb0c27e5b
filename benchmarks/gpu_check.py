"""Does what was measured on a CPU hold on this graphics card? Parity, training, speed, memory.

Usage: python benchmarks/gpu_check.py [--quick] [--allow-cpu] [--output FILE]

Checks that loss and gradient are the same with XLA on and off, and that the networks train by the
trainer's own step with finite falling losses, in float32 and mixed_bfloat16, with XLA off, for the
loss and for the whole step; measures images per second and peak memory of each. --quick leaves NN2
out. Exit code 0 if all checks hold, 1 if one does not, 2 without a GPU.
"""

from __future__ import annotations

import argparse
import itertools
import math
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import report
import tensorflow as tf
from training_step import STAGE, ready_step

from facenet_tf import losses
from facenet_tf.training.trainer import Jit

IDENTITIES, IMAGES = 18, STAGE.images_per_identity
JITS: tuple[Jit, ...] = ("off", "loss", "on")
SIZES = {"residual_small": 112, "nn2": 224}


def main() -> int:
    """Run all checks, print the report as the last line, and return the exit code."""
    options = parse_options()
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus and not options.allow_cpu:
        print(
            "no GPU is visible to TensorFlow: install tensorflow[and-cuda] and look at nvidia-smi, "
            "or give --allow-cpu to try this script without one",
            file=sys.stderr,
        )
        return 2
    steps = 10 if options.quick else 50
    checks = check_losses()
    tf.config.experimental.enable_tensor_float_32_execution(True)  # TensorFlow's default
    metrics: dict[str, Any] = {}
    names = ["residual_small"] if options.quick else list(SIZES)
    for name, precision, jit in itertools.product(names, ("float32", "mixed_bfloat16"), JITS):
        run = train(name, precision, jit, steps, bool(gpus))
        key = f"{name}/{precision}/jit_{jit}"
        checks[f"{key}/trains"] = run["trains"]
        metrics |= run_metrics(key, run)
        print(f"{key}: {run}", file=sys.stderr)

    report.publish("gpu_check", metrics, options.output, checks=checks)
    return 0 if all(checks.values()) else 1


def parse_options() -> argparse.Namespace:
    """Command line."""
    parser = report.parser(__doc__)
    parser.add_argument("--allow-cpu", action="store_true", help="run even if there is no GPU")
    return parser.parse_args()


def check_losses() -> dict[str, bool]:
    """Whether each loss and its gradient are the same with XLA on and off, and finite.

    Without TF32, whose rounding may choose another of two nearly equal candidates.
    """
    tf.config.experimental.enable_tensor_float_32_execution(False)
    count = IDENTITIES * IMAGES
    labels = tf.range(count) // IMAGES
    rows = tf.math.l2_normalize(tf.random.stateless_normal([count, 128], [1, 2]), axis=1)
    duplicates = tf.concat([rows[:2], rows[:2], rows[4:]], axis=0)
    prototypes = tf.random.stateless_normal([IDENTITIES, 128], [3, 4])

    def triplet(margin: Any) -> Callable[[tf.Tensor], tf.Tensor]:
        return lambda x: losses.mean_loss(losses.batch_hard_triplet(x, labels, margin=margin))

    functions: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
        "triplet_hinge": triplet(0.2),
        "triplet_soft": triplet("soft"),
        "cosface": lambda x: tf.reduce_mean(losses.cosface(x, labels, prototypes)),
        "arcface": lambda x: tf.reduce_mean(losses.arcface(x, labels, prototypes)),
    }
    batches = {"spread": rows, "duplicates": duplicates, "collapsed": tf.repeat(rows[:1], count, 0)}
    return {
        f"{name}/{kind}/parity": same_with_jit(function, batch)
        for name, function in functions.items()
        for kind, batch in batches.items()
    }


def same_with_jit(function: Callable[[tf.Tensor], tf.Tensor], rows: tf.Tensor) -> bool:
    """Whether value and gradient of `function` agree to 1e-4 and are finite."""

    def value_and_gradient(rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(rows)
            value = function(rows)
        return value, tf.convert_to_tensor(tape.gradient(value, rows))

    graph = tf.function(value_and_gradient)(rows)
    jit = tf.function(value_and_gradient, jit_compile=True)(rows)
    return all(
        np.all(np.isfinite(theirs)) and np.allclose(ours, theirs, rtol=1e-4, atol=1e-5)
        for ours, theirs in zip(jit, graph, strict=True)
    )


def train(name: str, precision: str, jit: Jit, steps: int, gpu: bool) -> dict[str, Any]:
    """Train on random coloured noise, one colour per identity, and report what happened."""
    keras.backend.clear_session()
    step = ready_step(name, SIZES[name], IDENTITIES, precision, jit, rate=1e-3)
    first = float(step()["loss"])
    if gpu:
        tf.config.experimental.reset_memory_stats("GPU:0")
    values, seconds = [], []
    for _ in range(steps):
        start = time.perf_counter()
        values.append(float(step()["loss"]))
        seconds.append(time.perf_counter() - start)
    rates = [IDENTITIES * IMAGES / second for second in seconds[1:]]
    return {
        "trains": all(map(math.isfinite, values)) and statistics.fmean(values[-3:]) < first,
        "loss": [first, values[-1]],
        "images_per_second": {
            "median": statistics.median(rates),
            "minimum": min(rates),
            "maximum": max(rates),
        },
        "peak_bytes": tf.config.experimental.get_memory_info("GPU:0")["peak"] if gpu else None,
    }


def run_metrics(key: str, run: dict[str, Any]) -> dict[str, Any]:
    """The figures of one training in the shape all benchmarks share."""
    speed = {"ours": run["images_per_second"], "peers": {}, "ratio": {}, "unit": "images/s"}
    metrics = {f"{key}/speed": speed}
    if run["peak_bytes"] is not None:
        memory = {"ours": run["peak_bytes"], "peers": {}, "ratio": {}, "unit": "bytes"}
        metrics[f"{key}/peak_memory"] = memory
    return metrics


if __name__ == "__main__":
    sys.exit(main())
