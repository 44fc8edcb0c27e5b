"""What --deterministic needs and what it costs: the bits of the weights after some train steps.

    python benchmarks/determinism.py [--models residual_small:80 ...] [--quick] [--output FILE]

Each choice has processes of its own, all choices in turns; each process takes the same steps on
the same batch several times, from the same weights. `alike` says whether all of them ended with the
same bits, `ends` how many different ends there were, `digests` which, `as_ours` whether all were
those of "ours". That is what --deterministic sets up; the peers leave something of it out:
TensorFlow's op determinism, the fixed number of threads, or that XLA is off ("nothing" has XLA for
the loss, as by default). That a choice gives the same bits some times is no promise; that it does
not is a fact.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
from typing import Any

import report
import tensorflow as tf
from training_step import ready_step

from facenet_tf.training.snapshot import Snapshot

PEOPLE, RATE, REPEATS = 16, 1e-2, 3
# Whether TensorFlow's operations are deterministic, threads, and what XLA compiles.
CHOICES: dict[str, tuple[bool, int, str]] = {
    "ours": (True, os.cpu_count() or 1, "off"),
    "xla_for_the_loss": (True, os.cpu_count() or 1, "loss"),
    "threads_alone": (False, os.cpu_count() or 1, "off"),
    "threads_and_xla_for_the_loss": (False, os.cpu_count() or 1, "loss"),
    "nothing_without_xla": (False, 0, "off"),
    "nothing": (False, 0, "loss"),
}


def run_worker(given: argparse.Namespace) -> None:
    """Take the steps and print their seconds, and a hash of each end."""
    ordered, threads, jit = CHOICES[given.worker]
    if threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    if ordered:
        tf.config.experimental.enable_op_determinism()
    model, _, size = given.models[0].partition(":")
    take = ready_step(model, int(size), PEOPLE, given.precision, jit, rate=RATE)
    trainer = take.trainer
    weights = [*trainer.weights_to_train, *trainer.embedding_model.non_trainable_variables]
    beginning = Snapshot([*weights, *trainer.optimizer.variables])
    float(take()["loss"])  # compiles
    seconds, ends = [], []
    for _ in range(REPEATS):
        beginning.restore()
        start = time.perf_counter()
        for _ in range(given.steps):
            float(take()["loss"])
        seconds.append((time.perf_counter() - start) / given.steps)
        ends.append(hashed(weights))
    print(json.dumps({"seconds": statistics.median(seconds), "ends": ends}))


def hashed(variables: list[Any]) -> str:
    """SHA-256 of what variables hold."""
    digest = hashlib.sha256()
    for variable in variables:
        digest.update(tf.convert_to_tensor(variable).numpy().tobytes())
    return digest.hexdigest()


def measured(model: str, precision: str, rounds: int, steps: int) -> dict[str, Any]:
    """Images per second of each choice, and how many ends it came to."""
    command = [sys.executable, __file__, "--models", model, "--precision", precision]

    def turn(choice: str) -> dict[str, Any]:
        words = [*command, "--steps", str(steps), "--worker", choice]
        done = subprocess.run(words, check=True, capture_output=True, text=True)
        return json.loads(done.stdout.splitlines()[-1])

    turns = {name: list[dict[str, Any]]() for name in CHOICES}
    for _ in range(rounds):
        for name, found in turns.items():
            found.append(turn(name))
            print(model, precision, name, found[-1], file=sys.stderr, flush=True)
    batch = PEOPLE * 4
    speeds = {name: [batch / each["seconds"] for each in found] for name, found in turns.items()}
    ours = speeds.pop("ours")
    ends = {name: [end for each in found for end in each["ends"]] for name, found in turns.items()}
    return {**report.metric(ours, speeds, "images/s"), **compared(ends)}


def compared(ends: dict[str, list[str]]) -> dict[str, dict[str, Any]]:
    """What the report says of the hashes that each choice ended with."""
    digests = {name: sorted({end[:12] for end in each}) for name, each in ends.items()}
    return {
        "alike": {name: len(each) == 1 for name, each in digests.items()},
        "ends": {name: len(each) for name, each in digests.items()},
        "digests": digests,
        "as_ours": {
            name: len(each) == 1 and each == digests["ours"] for name, each in digests.items()
        },
    }


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument(
        "--models",
        nargs="+",
        default=["residual_small:80", "mobile_facenet:112"],
        metavar="MODEL:SIZE",
        help="architectures, each with the side of its crops in pixels",
    )
    parser.add_argument("--precision", default="", help="one of them; both by default")
    parser.add_argument("--steps", type=int, default=0, help="steps of one process")
    parser.add_argument("--worker", choices=CHOICES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        run_worker(given)
        return
    rounds, steps = (1, given.steps or 4) if given.quick else (4, given.steps or 20)
    precisions = [given.precision] if given.precision else ["float32", "mixed_bfloat16"]
    models = given.models[:1] if given.quick else given.models
    metrics = {
        f"{model.replace(':', '_')}_{precision}": measured(model, precision, rounds, steps)
        for model in models
        for precision in (precisions[:1] if given.quick else precisions)
    }
    report.publish("determinism", metrics, given.output)


if __name__ == "__main__":
    main()
