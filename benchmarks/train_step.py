"""Where XLA and bfloat16 pay: images per second of whole train steps, in one alternating run.

    python benchmarks/train_step.py [--models residual_small:80 nn2:224] [--people 16] [--quick]
                                    [--output FILE]

Each model, with the side of its crops, is a metric of its own. The precision of the recipes and the
default of --jit are taken from here. "ours" is what they use: mixed_bfloat16 with the loss alone
under XLA; the peers are the other choices.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

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


def measured(model: str, size: int, people: int, rounds: int, steps: int) -> dict[str, Any]:
    """All choices of precision and XLA for one model, in turns."""
    contenders = {
        "_".join(choice): contender(model, size, people, steps, *choice)
        for choice in [OURS, *PEERS]
    }
    speeds = report.alternate(contenders, rounds)
    ours = speeds.pop("_".join(OURS))
    return report.metric(ours, speeds, "images/s")


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument(
        "--models",
        nargs="+",
        default=["residual_small:80"],
        metavar="MODEL:SIZE",
        help="architectures, each with the side of its crops in pixels",
    )
    parser.add_argument("--people", type=int, default=16, help="P of the batch; K is 4")
    options = parser.parse_args()
    rounds, steps = (2, 2) if options.quick else (5, 4)
    metrics = {}
    for asked in options.models:
        model, _, size = asked.partition(":")
        metrics[f"{model}_{size}"] = measured(model, int(size), options.people, rounds, steps)
        print(asked, metrics[f"{model}_{size}"]["range"], file=sys.stderr, flush=True)
    report.publish("train_step", metrics, options.output)


if __name__ == "__main__":
    main()
