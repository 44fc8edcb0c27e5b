"""Peak memory of one loss, forward and backward, on made-up unit vectors.

    python benchmarks/loss_memory.py LOSS[/MINING] --batch B [--options JSON] [--mode graph]

Prints {"peak_mib": …}: above TensorFlow and the inputs, compilation included.
"""

from __future__ import annotations

import argparse
import json

import tensorflow as tf
from peak_memory import peak_memory

from facenet_tf.losses import find_loss, mean_loss

SIZE, IMAGES_PER_CLASS = 128, 4


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("loss", help="name, or name/mining")
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--options", type=json.loads, default={}, help="of the loss")
    parser.add_argument("--mode", choices=["jit", "graph", "eager"], default="jit")
    options = parser.parse_args()
    loss = find_loss(*options.loss.split("/"))

    def step(rows: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(rows)
            value = mean_loss(loss.function(rows, labels, **options.options))
        return value, tape.gradient(value, rows)

    rows = tf.math.l2_normalize(tf.random.stateless_normal([options.batch, SIZE], [1, 2]), axis=1)
    labels = tf.range(options.batch, dtype=tf.int64) // IMAGES_PER_CLASS
    if options.mode != "eager":
        step = tf.function(step, jit_compile=options.mode == "jit")
    peak = peak_memory(lambda: [each.numpy() for each in step(rows, labels)])
    print(json.dumps({"peak_mib": peak}))


if __name__ == "__main__":
    main()
