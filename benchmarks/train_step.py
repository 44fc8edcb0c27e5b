"""Where XLA and bfloat16 pay: images per second of whole train steps, in one alternating run.

    python benchmarks/train_step.py [--model residual_small] [--size 80] [--quick] [--output FILE]

The recipes take `jit` and `precision` from here. "ours" is what they use: mixed_bfloat16 with
the loss alone under XLA; the peers are the other choices.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import report
from training_step import STAGE, ready_step

from facenet_tf.training.trainer import Jit

OURS: tuple[str, Jit] = ("mixed_bfloat16", "loss")
PEERS: list[tuple[str, Jit]] = [
    ("mixed_bfloat16", "off"),
    ("mixed_bfloat16", "on"),
    ("float32", "loss"),
    ("float32", "off"),
    ("float32", "on"),
]


def contender(
    model: str, size: int, people: int, steps: int, precision: str, jit: Jit
) -> Callable[[], float]:
    """Images per second over some steps."""
    step = ready_step(model, size, people, precision, jit)

    def images_per_second() -> float:
        start = time.perf_counter()
        for _ in range(steps):
            float(step()["loss"])
        return steps * people * STAGE.images_per_identity / (time.perf_counter() - start)

    return images_per_second


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("--model", default="residual_small", help="architecture")
    parser.add_argument("--size", type=int, default=80, help="side of the crops in pixels")
    parser.add_argument("--people", type=int, default=16, help="P of the batch; K is 4")
    options = parser.parse_args()
    rounds, steps = (2, 2) if options.quick else (5, 4)
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
