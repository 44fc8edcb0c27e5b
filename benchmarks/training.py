"""Train steps of Inception-ResNet-v1 here and in facenet-pytorch, on the same CPU.

    python benchmarks/training.py --facenet-pytorch-python PATH [--quick] [--output FILE]

Images per second of whole steps: forward, loss, backward, optimiser. The same architecture, batch
and precision, each contender in a process of its own, all of them in every round. That the two
networks are one, tests/models/test_inception_resnet.py shows; facenet-pytorch's also learns the
scales of batch normalisation. The peer's environment is given by its interpreter:

    python3 -m venv fnp && fnp/bin/pip install torch requests
    fnp/bin/pip install --no-deps facenet-pytorch==2.6.0   # it asks for an older torch
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import report
from limited_process import Limits
from turns import take_turns

WORKER = Path(__file__).with_name("training_worker.py")
CONTENDERS = {  # a library, and what its worker is told of XLA or of the layout in memory
    "ours": ("ours", "loss"),  # as the recipes have it
    "ours_xla": ("ours", "on"),
    "facenet_pytorch": ("facenet-pytorch", "contiguous"),
    "facenet_pytorch_channels_last": ("facenet-pytorch", "channels_last"),
}
EACH = 4
"""Pictures per person in a batch."""
SHORTEST = 2.0
"""Seconds; a turn makes as many steps as fill them."""


def main() -> None:
    given = options()
    pythons = {"ours": sys.executable, "facenet-pytorch": given.facenet_pytorch_python}
    limits = Limits(given.memory_limit * 1e9, given.time_limit)
    rounds, people = (2, 4) if given.quick else (5, 8)
    metrics: dict[str, Any] = {}
    versions: dict[str, str] = {}
    for precision in ["float32"] if given.quick else ["float32", "bfloat16"]:
        settings = ["--precision", precision, "--people", str(people)]
        commands = {
            name: [pythons[library], str(WORKER), library, "--form", form, *settings]
            for name, (library, form) in CONTENDERS.items()
            if pythons[library]
        }
        results = take_turns(commands, rounds, limits, SHORTEST)
        if results["ours"].failed:
            raise SystemExit(f"{precision}: ours failed: {results['ours'].failed}")
        speeds = {
            name: [people * EACH / turn["seconds"] for turn in each.turns]
            for name, each in results.items()
            if not each.failed
        }
        metrics[f"{precision}_batch{people * EACH}"] = {
            **report.metric(speeds.pop("ours"), speeds, "images/s"),
            "failed": {name: each.failed for name, each in results.items() if each.failed},
        }
        versions |= {name: each.ready.get("version", "") for name, each in results.items()}
    report.publish("training", metrics, given.output, versions=versions, note=given.note)


def options() -> argparse.Namespace:
    parser = report.parser(__doc__)
    parser.add_argument("--facenet-pytorch-python", help="interpreter that has facenet-pytorch")
    parser.add_argument("--memory-limit", type=float, default=8.0, help="GB for one contender")
    parser.add_argument("--time-limit", type=float, default=600.0, help="seconds for one turn")
    parser.add_argument("--note", help="what the report should say of the circumstances")
    return parser.parse_args()


if __name__ == "__main__":
    main()
