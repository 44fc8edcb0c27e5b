"""Triplet losses against their peers: time and memory of forward and backward, on the CPU.

    python benchmarks/losses.py [--addons-python PATH] [--pml-python PATH] [--quick] [--output FILE]

Batch-hard and semi-hard triplets of B × 128 embeddings, here and in TensorFlow Addons and
pytorch-metric-learning. Each contender has a process of its own; before anything is timed they
must agree on the loss and the length of its gradient, then they take turns. A contender that
needs more memory or time than the limits is ended, and the report says so.

The peers run in environments of their own, given by their interpreters:

    python3.11 -m venv addons && addons/bin/pip install "tensorflow<2.16" tensorflow-addons
    python3 -m venv pml && pml/bin/pip install torch pytorch-metric-learning

Memory is the most that was resident during a call above what was there before it, compiled
programs, libraries and inputs left out; `first_call` has the compilation in it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import report

from facenet_tf.losses import find_loss

WORKER = Path(__file__).with_name("losses_worker.py")
SIZES = {"batch_hard": [256, 1024, 1800, 8192], "semi_hard": [256, 1024, 1800, 8192]}
QUICK = [256, 1024]
FEATURES, IMAGES_PER_PERSON = 128, 8
CONTENDERS = {
    "ours": ["ours", "--jit"],  # as the recipes have it; the next ones are other forms of it
    "ours_graph": ["ours"],
    "addons": ["addons"],
    "addons_xla": ["addons", "--jit"],
    "pml": ["pml"],
}
"""What the worker is told, by name in the report."""
# pytorch-metric-learning's semi-hard rule takes every semi-hard negative, not the nearest alone.
OTHER_RULE = [("semi_hard", "pml")]
SHORTEST = 0.2
"""Seconds; a turn makes as many calls as fill them."""


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a contender may take: resident bytes, and seconds for one answer."""

    memory: float
    seconds: float


class Contender:
    """A worker process that answers one question at a time, until it fails."""

    def __init__(self, command: list[str], limits: Limits) -> None:
        self._limits = limits
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.first = self._answer()
        self.turns: list[dict[str, float]] = []
        self.failed: str | None = self.first.get("failed")
        self._calls = 1

    def turn(self, counted: bool = True) -> None:
        """Let it make its calls; without `counted`, to learn how many fill a turn."""
        if self.failed:
            return
        assert self._process.stdin
        self._process.stdin.write(f"{self._calls}\n".encode())
        self._process.stdin.flush()
        figures = self._answer()
        self.failed = figures.get("failed")
        if counted and not self.failed:
            self.turns.append(figures)
        elif not self.failed:
            self._calls = math.ceil(SHORTEST / figures["seconds"])

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _answer(self) -> dict[str, Any]:
        """The next line of JSON, or what `failed`."""
        output, start = self._process.stdout, time.monotonic()
        assert output
        while not select.select([output], [], [], 0.02)[0]:
            taken = resident(self._process.pid)
            if taken > self._limits.memory:
                self.close()
                return {"failed": f"out of memory: ended at {taken / 1e9:.1f} GB"}
            if time.monotonic() - start > self._limits.seconds:
                self.close()
                return {"failed": f"out of time: ended after {self._limits.seconds:.0f} s"}
        line = output.readline()
        return json.loads(line) if line else {"failed": f"exit code {self._process.wait()}"}


def resident(process: int) -> int:
    """Bytes of memory that a process has; 0 once it is gone."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return 0
    sizes = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(sizes[0]) * 1024 if sizes else 0


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


def compare(
    mining: str, size: int, pythons: dict[str, str], rounds: int, limits: Limits
) -> dict[str, Contender]:
    """Every contender after its turns, by library and form."""
    with batch_file(size) as batch, ExitStack() as stack:
        contenders: dict[str, Contender] = {}
        for name, (library, *form) in CONTENDERS.items():
            if library not in pythons:
                continue
            command = [pythons[library], str(WORKER), library, mining, str(batch), *form]
            contenders[name] = Contender(command, limits)
            stack.callback(contenders[name].close)
            print(mining, size, name, contenders[name].first, file=sys.stderr, flush=True)
        check_agreement(mining, contenders)
        for number in range(rounds + 1):
            for contender in contenders.values():
                contender.turn(counted=number > 0)
    return contenders


def check_agreement(mining: str, contenders: dict[str, Contender]) -> None:
    """End the program where contenders that follow one rule have different results."""
    same = {
        name: contender.first
        for name, contender in contenders.items()
        if not contender.failed and (mining, name) not in OTHER_RULE
    }
    for figure, tolerance in {"loss": 1e-4, "gradient": 1e-3}.items():
        values = {name: first[figure] for name, first in same.items()}
        middle = statistics.median(values.values())
        if any(abs(value - middle) > tolerance * middle for value in values.values()):
            raise SystemExit(f"{mining}: {figure} differs: {values}")


def metrics(mining: str, size: int, contenders: dict[str, Contender]) -> dict[str, Any]:
    """Time, processor time and memory of one loss at one size."""
    fine = {name: each for name, each in contenders.items() if not each.failed}
    failed = {name: each.failed for name, each in contenders.items() if each.failed}
    milliseconds = {
        key: {name: [1e3 * turn[key] for turn in each.turns] for name, each in fine.items()}
        for key in ("seconds", "cpu_seconds")
    }
    memory = {name: [each.first["mib"]] for name, each in fine.items()}
    first = {name: each.first["first_mib"] for name, each in fine.items()}
    found = {
        "time": versus(milliseconds["seconds"], "ms", failed),
        "cpu_time": versus(milliseconds["cpu_seconds"], "ms", failed),
        "memory": {**versus(memory, "MiB", failed), "first_call": first},
    }
    return {f"{mining}_{size}_{figure}": value for figure, value in found.items()}


def versus(
    figures: dict[str, list[float]], unit: str, failed: dict[str, str | None]
) -> dict[str, Any]:
    """A metric whose peers are the other forms of ours as well; `failed` says who has no figure."""
    peers = {name: values for name, values in figures.items() if name != "ours"}
    made = report.metric(figures["ours"], peers, unit, less_is_better=True)
    return {**made, "failed": failed}


def available(minings: dict[str, list[int]]) -> dict[str, list[int]]:
    """Those that this version of the package has; the others are said to be left out."""
    found = {}
    for mining, sizes in minings.items():
        try:
            find_loss("triplet", mining)
            found[mining] = sizes
        except ValueError as error:
            print(f"{mining} is left out: {error}", file=sys.stderr)
    return found


def options() -> argparse.Namespace:
    parser = report.parser(__doc__)
    parser.add_argument("--addons-python", help="interpreter that has TensorFlow Addons")
    parser.add_argument("--pml-python", help="interpreter that has pytorch-metric-learning")
    parser.add_argument("--memory-limit", type=float, default=18.0, help="GB for one contender")
    parser.add_argument("--time-limit", type=float, default=600.0, help="seconds for one turn")
    parser.add_argument("--sizes", type=int, nargs="+", help="batch sizes, multiples of 8")
    parser.add_argument("--note", help="what the report should say about the circumstances")
    return parser.parse_args()


def main() -> None:
    given = options()
    peers = {"addons": given.addons_python, "pml": given.pml_python}
    pythons = {"ours": sys.executable, **{name: path for name, path in peers.items() if path}}
    not_run = [name for name in peers if name not in pythons]
    if not_run:
        print(f"not run, no interpreter given: {', '.join(not_run)}", file=sys.stderr)
    limits = Limits(given.memory_limit * 1e9, given.time_limit)
    found: dict[str, Any] = {}
    versions: dict[str, str] = {}
    for mining, sizes in available(SIZES).items():
        for size in given.sizes or (QUICK if given.quick else sizes):
            contenders = compare(mining, size, pythons, 2 if given.quick else 5, limits)
            found.update(metrics(mining, size, contenders))
            versions |= {name: each.first.get("version") for name, each in contenders.items()}
    report.publish(
        "losses",
        found,
        given.output,
        versions=versions,
        not_run=not_run,
        limits=dataclasses.asdict(limits),
        note=given.note,
    )


if __name__ == "__main__":
    main()
