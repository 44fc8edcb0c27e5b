"""Triplet losses against their peers: time and memory of forward and backward, on the CPU.

    python benchmarks/losses.py [--addons-python PATH] [--pml-python PATH] [--quick] [--output FILE]

Batch-hard and semi-hard triplets of B × 128 embeddings, here and in TensorFlow Addons and
pytorch-metric-learning. Each contender has a process of its own; before anything is timed they
must agree on the loss and the length of its gradient, then they take turns. A contender that
needs more memory or time than the limits is ended, and the report says so.

The peers run in environments of their own, given by their interpreters:

    python3.11 -m venv addons && addons/bin/pip install "tensorflow<2.16" tensorflow-addons
    python3 -m venv pml && pml/bin/pip install torch pytorch-metric-learning

Memory is the most that was resident during a call above what was there before it: the library,
the inputs, and what a call with 16 rows had needed, most of it for compilation. That is `fixed`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import report
import turns
from limited_process import LimitedProcess, Limits

from facenet_tf.losses import find_loss

WORKER = Path(__file__).with_name("losses_worker.py")
MININGS = ["batch_hard", "semi_hard"]


@dataclasses.dataclass(frozen=True)
class Contender:
    """A library, under XLA or as a graph, and what the loss is told beyond the margin."""

    library: str
    jit: bool = False
    options: dict[str, Any] = dataclasses.field(default_factory=dict)


CONTENDERS = {
    "ours": Contender("ours", jit=True),  # as the recipes have it
    "ours_tiled": Contender("ours", jit=True, options={"tile": 256}),
    "ours_graph": Contender("ours"),
    "addons": Contender("addons"),
    "addons_xla": Contender("addons", jit=True),
    "pml": Contender("pml"),
}
# pytorch-metric-learning's semi-hard rule takes every semi-hard negative, not the nearest alone.
OTHER_RULE = [("semi_hard", "pml")]
SIZES, QUICK_SIZES = [256, 1024, 1800, 8192], [256, 1024]
FEATURES, IMAGES_PER_PERSON = 128, 8
SHORTEST = 0.2
"""Seconds; a turn makes as many calls as fill them."""
# Large blocks come from the system and go back to it: none is hidden in what was freed before.
COUNTED_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "131072"}

Command = Callable[[str], list[str]]
"""What to run for a task of the worker."""


@dataclasses.dataclass
class Result:
    """What one contender came to; where it failed, why."""

    memory: dict[str, Any]
    turns: list[dict[str, float]]
    failed: str | None


def main() -> None:
    given = options()
    peers = {"addons": given.addons_python, "pml": given.pml_python}
    not_run = [library for library, python in peers.items() if not python]
    if not_run:
        print(f"not run, no interpreter given: {', '.join(not_run)}", file=sys.stderr)
    pythons = {"ours": sys.executable, **{name: path for name, path in peers.items() if path}}
    limits = Limits(given.memory_limit * 1e9, given.time_limit)
    rounds = 2 if given.quick else 5
    metrics: dict[str, Any] = {}
    versions: dict[str, str] = {}
    for mining in available(given.minings):
        for size in given.sizes or (QUICK_SIZES if given.quick else SIZES):
            with batch_file(size) as batch:
                results = compare(commands(pythons, mining, batch), mining, rounds, limits)
            for figure, value in figures(results).items():
                metrics[f"{mining}_{size}_{figure}"] = value
            versions |= {
                name: each.memory["version"]
                for name, each in results.items()
                if "version" in each.memory
            }
    more = {"versions": versions, "limits": dataclasses.asdict(limits), "note": given.note}
    report.publish("losses", metrics, given.output, not_run=not_run, **more)


def options() -> argparse.Namespace:
    parser = report.parser(__doc__)
    parser.add_argument("--addons-python", help="interpreter that has TensorFlow Addons")
    parser.add_argument("--pml-python", help="interpreter that has pytorch-metric-learning")
    parser.add_argument("--memory-limit", type=float, default=18.0, help="GB for one contender")
    parser.add_argument("--time-limit", type=float, default=600.0, help="seconds for one turn")
    parser.add_argument("--minings", nargs="+", default=MININGS, help="these only")
    parser.add_argument("--sizes", type=int, nargs="+", help="batch sizes instead of all")
    parser.add_argument("--note", help="what the report should say of the circumstances")
    return parser.parse_args()


def available(minings: list[str]) -> list[str]:
    """Those that this version of the package has; the others are said to be left out."""
    found = []
    for mining in minings:
        try:
            find_loss("triplet", mining)
            found.append(mining)
        except ValueError as error:
            print(f"left out: {error}", file=sys.stderr)
    return found


@contextmanager
def batch_file(size: int) -> Iterator[Path]:
    """An archive with unit embeddings as they are early in training, and their labels."""
    random = np.random.RandomState(size)
    labels = np.arange(size, dtype=np.int32) // IMAGES_PER_PERSON
    people = random.randn(labels[-1] + 1, FEATURES)
    rows = people[labels] + random.randn(size, FEATURES)
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "batch.npz"
        np.savez(path, embeddings=rows, labels=labels)
        yield path


def commands(pythons: dict[str, str], mining: str, batch: Path) -> dict[str, Command]:
    """Those that have an interpreter and, of ours, whose options this loss has."""

    def command(contender: Contender) -> Command:
        jit = ["--jit"] if contender.jit else []
        form = [*jit, "--options", json.dumps(contender.options)]
        start, library = [pythons[contender.library], str(WORKER)], contender.library
        return lambda task: [*start, task, library, mining, str(batch), *form]

    known = find_loss("triplet", mining).options.keys()
    return {
        name: command(contender)
        for name, contender in CONTENDERS.items()
        if contender.library in pythons and contender.options.keys() <= known
    }


def compare(
    commands: dict[str, Command], mining: str, rounds: int, limits: Limits
) -> dict[str, Result]:
    """Memory of one contender after the other, and then time in turns."""
    results = {}
    for name, command in commands.items():
        with LimitedProcess(command("memory"), limits, **COUNTED_MEMORY) as process:
            memory = process.answer()
        results[name] = Result(memory, [], memory.get("failed"))
        print(mining, name, memory, file=sys.stderr, flush=True)
    check_agreement(mining, results)
    time_in_turns(results, commands, rounds, limits)
    return results


def check_agreement(mining: str, results: dict[str, Result]) -> None:
    """End the program where contenders that follow one rule have different results."""
    same = {
        name: result.memory
        for name, result in results.items()
        if not result.failed and (mining, name) not in OTHER_RULE
    }
    for figure, tolerance in {"loss": 1e-4, "gradient": 1e-3}.items():
        values = {name: first[figure] for name, first in same.items()}
        middle = statistics.median(values.values())
        if any(abs(value - middle) > tolerance * middle for value in values.values()):
            raise SystemExit(f"{mining}: {figure} differs: {values}")


def time_in_turns(
    results: dict[str, Result], commands: dict[str, Command], rounds: int, limits: Limits
) -> None:
    """Time the contenders that have not failed."""
    fine = {name: commands[name]("time") for name, result in results.items() if not result.failed}
    for name, timed in turns.take_turns(fine, rounds, limits, SHORTEST).items():
        results[name].turns, results[name].failed = timed.turns, timed.failed


def figures(results: dict[str, Result]) -> dict[str, Any]:
    """Time, time of all cores together, and memory at one size."""
    fine = {name: result for name, result in results.items() if not result.failed}
    failed = {name: result.failed for name, result in results.items() if result.failed}

    def versus(values: dict[str, list[float]], unit: str) -> dict[str, Any]:
        ours = values.pop("ours")
        return {**report.metric(ours, values, unit, less_is_better=True), "failed": failed}

    def milliseconds(key: str) -> dict[str, list[float]]:
        return {name: [1e3 * turn[key] for turn in each.turns] for name, each in fine.items()}

    memory = versus({name: [each.memory["mib"]] for name, each in fine.items()}, "MiB")
    memory["fixed"] = {name: each.memory["fixed_mib"] for name, each in fine.items()}
    return {
        "time": versus(milliseconds("seconds"), "ms"),
        "cpu_time": versus(milliseconds("cpu_seconds"), "ms"),
        "memory": memory,
    }


if __name__ == "__main__":
    main()
