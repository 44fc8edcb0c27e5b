"""Where XLA and bfloat16 pay: images per second of whole train steps, in one alternating run.

    python benchmarks/train_step.py [--model residual_small] [--size 80] [--quick] [--output FILE]

The recipes take `jit` and `precision` from here. "ours" is what they use: mixed_bfloat16 with
the loss alone under XLA; the peers are the other choices.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import keras
import numpy as np
import report
import tensorflow as tf

from facenet_tf import models
from facenet_tf.preprocessing import Preprocessing
from facenet_tf.training.config import Stage
from facenet_tf.training.heads import build_head
from facenet_tf.training.trainer import EmbeddingTrainer, Jit, compile_checked, step_is_jitted

STAGE = Stage("batch_hard", epochs=1)
OURS = ("mixed_bfloat16", "loss")
PEERS = [
    ("mixed_bfloat16", "off"),
    ("mixed_bfloat16", "on"),
    ("float32", "loss"),
    ("float32", "off"),
    ("float32", "on"),
]


def contender(
    model: str, size: int, people: int, steps: int, precision: str, jit: Jit
) -> Callable[[], float]:
    """Images per second over some steps of a trainer that is ready to go."""
    keras.mixed_precision.set_global_policy(precision)
    network = models.build(model, preprocessing=Preprocessing(size=size))
    trainer = EmbeddingTrainer(network, build_head(STAGE, people, 128, seed=0), jit)
    compile_checked(trainer, keras.optimizers.AdamW(1e-4), jit)
    keras.mixed_precision.set_global_policy("float32")
    step = tf.function(trainer.train_step, jit_compile=step_is_jitted(trainer))
    count = people * STAGE.images_per_identity
    pixels = np.random.default_rng(0).integers(0, 255, (count, size, size, 3))
    batch = {
        "image": tf.constant(pixels, tf.uint8),
        "label": tf.range(count) // STAGE.images_per_identity,
        "source": tf.range(count),
    }

    def images_per_second() -> float:
        start = time.perf_counter()
        for _ in range(steps):
            float(step(batch)["loss"])
        return steps * count / (time.perf_counter() - start)

    return images_per_second


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("--model", default="residual_small", help="architecture")
    parser.add_argument("--size", type=int, default=80, help="side of the crops in pixels")
    parser.add_argument("--people", type=int, default=16, help="P of the batch; K is 4")
    options = parser.parse_args()
    rounds, steps = (2, 3) if options.quick else (7, 8)
    contenders = {
        "_".join(choice): contender(options.model, options.size, options.people, steps, *choice)
        for choice in [OURS, *PEERS]
    }
    speeds = report.alternate(contenders, rounds)
    ours = speeds.pop("_".join(OURS))
    name = f"{options.model}_{options.size}"
    metrics = {name: report.metric(ours, speeds, "images/s")}
    report.publish("train_step", metrics, options.output)


if __name__ == "__main__":
    main()
