"""FaceNet's batch on little memory: the plain train step against GradCache by chunks.

    python benchmarks/accumulation.py [--people 45] [--each 40] [--chunks 60 200] [--quick]
                                      [--output FILE]

Batches of 45 × 40 = 1,800 crops, as the paper's, or of as many as are asked for; batch-hard with a
soft margin. Each contender has a process of its own. Memory is the most that was resident during
the first step above what the process had before, what it compiles included: a step of a process,
measured once. Speed is that of the steps after it, in turns. "ours" is the first chunk, "whole" the
step without chunks; one that takes more than the limits is ended, and the report says so.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import report
from limited_process import Limits
from losses_worker import answer, timed
from turns import Turns, take_turns

# Large blocks come from the system and go back to it: none is hidden in what was freed before.
COUNTED_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "131072"}
SHORTEST = 2.0
"""Seconds; a turn makes as many steps as fill them."""


def main() -> None:
    options = parsed()
    if options.worker is not None:
        work(options)
        return
    people, each = (10, 20) if options.quick else (options.people, options.each)
    chunks = [50] if options.quick else options.chunks
    limits = Limits(options.memory_limit * 1e9, options.time_limit)
    contenders = {**{f"chunk_{chunk}": chunk for chunk in chunks}, "whole": 0}
    command = [sys.executable, __file__, "--model", options.model, "--size", str(options.size)]
    command += ["--people", str(people), "--each", str(each), "--worker"]
    commands = {name: [*command, str(chunk)] for name, chunk in contenders.items()}
    rounds = 2 if options.quick else options.rounds
    found = take_turns(commands, rounds, limits, SHORTEST, **COUNTED_MEMORY)
    publish(found, people * each, options)


def parsed() -> argparse.Namespace:
    parser = report.parser(__doc__)
    parser.add_argument("--model", default="residual_small", help="architecture")
    parser.add_argument("--size", type=int, default=80, help="side of the crops in pixels")
    parser.add_argument("--people", type=int, default=45, help="P of the batch")
    parser.add_argument("--each", type=int, default=40, help="K of the batch")
    parser.add_argument("--chunks", type=int, nargs="+", default=[60, 200], help="sizes to try")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each that are timed")
    parser.add_argument("--memory-limit", type=float, default=18.0, help="GB for one contender")
    parser.add_argument("--time-limit", type=float, default=900.0, help="seconds for one turn")
    parser.add_argument("--note", help="what the report should say of the circumstances")
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def work(options: argparse.Namespace) -> None:
    """Take the first step with a chunk and print what memory it took, then those asked for."""
    from peak_memory import peak_memory
    from training_step import ready_step

    take = ready_step(
        options.model,
        options.size,
        options.people,
        "float32",
        "loss",
        each=options.each,
        chunk=options.worker or None,
    )

    def step() -> float:
        return float(take()["loss"])

    answer({"mib": peak_memory(step)})
    for line in sys.stdin:
        answer(timed(step, int(line)))


def publish(found: dict[str, Turns], batch: int, options: argparse.Namespace) -> None:
    failed = {name: each.failed for name, each in found.items() if each.failed}
    ours = next(iter(found))
    if ours in failed:
        raise SystemExit(f"{ours}: {failed[ours]}")
    done = {name: each for name, each in found.items() if not each.failed}
    memory = {name: [each.ready["mib"]] for name, each in done.items()}
    speeds = {name: [batch / turn["seconds"] for turn in each.turns] for name, each in done.items()}
    name = f"{options.model}_{options.size}_{batch}"
    metrics = {
        f"{name}_memory": report.metric(memory.pop(ours), memory, "MiB", less_is_better=True),
        f"{name}_speed": report.metric(speeds.pop(ours), speeds, "images/s"),
    }
    more: dict[str, Any] = {"ours": ours, "failed": failed, "note": options.note}
    report.publish("accumulation", metrics, options.output, **more)


if __name__ == "__main__":
    main()
