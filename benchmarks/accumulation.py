"""FaceNet's batch on little memory: the plain train step against GradCache by chunks.

    python benchmarks/accumulation.py [--people 45] [--each 40] [--chunks 60 200] [--quick]
                                      [--output FILE]

Batches of 45 × 40 = 1,800 crops, as the paper's, or of as many as are asked for; batch-hard with a
soft margin. Each contender has a process of its own. Memory is the most that was resident during
the first step above what the process had before, what it compiles included; time that of the steps
after it. "ours" is the first chunk, "whole" the step without chunks; one that takes more than the
limits is ended, and the report says so.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from typing import Any

import report
from limited_process import LimitedProcess, Limits

# Large blocks come from the system and go back to it: none is hidden in what was freed before.
COUNTED_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "131072"}


def main() -> None:
    options = parsed()
    if options.worker is not None:
        work(options)
        return
    people, each = (10, 20) if options.quick else (options.people, options.each)
    chunks = [50] if options.quick else options.chunks
    limits = Limits(options.memory_limit * 1e9, options.time_limit)
    contenders = {**{f"chunk_{chunk}": chunk for chunk in chunks}, "whole": 0}
    found = {}
    for name, chunk in contenders.items():
        command = [sys.executable, __file__, "--worker", str(chunk), "--model", options.model]
        command += ["--size", str(options.size), "--people", str(people), "--each", str(each)]
        with LimitedProcess(command, limits, **COUNTED_MEMORY) as process:
            found[name] = process.answer()
        print(name, found[name], file=sys.stderr, flush=True)
    publish(found, f"{options.model}_{options.size}_{people * each}", options)


def parsed() -> argparse.Namespace:
    parser = report.parser(__doc__)
    parser.add_argument("--model", default="residual_small", help="architecture")
    parser.add_argument("--size", type=int, default=80, help="side of the crops in pixels")
    parser.add_argument("--people", type=int, default=45, help="P of the batch")
    parser.add_argument("--each", type=int, default=40, help="K of the batch")
    parser.add_argument("--chunks", type=int, nargs="+", default=[60, 200], help="sizes to try")
    parser.add_argument("--steps", type=int, default=3, help="that are timed, after the first")
    parser.add_argument("--memory-limit", type=float, default=18.0, help="GB for one contender")
    parser.add_argument("--time-limit", type=float, default=900.0, help="seconds for one contender")
    parser.add_argument("--note", help="what the report should say of the circumstances")
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def work(options: argparse.Namespace) -> None:
    """Take the first step and some more with a chunk, and print what they took."""
    from peak_memory import peak_memory
    from training_step import ready_step

    step = ready_step(
        options.model,
        options.size,
        options.people,
        "float32",
        "loss",
        each=options.each,
        chunk=options.worker or None,
    )
    peak = peak_memory(lambda: float(step()["loss"]))
    start = time.perf_counter()
    for _ in range(options.steps):
        loss = float(step()["loss"])
    speed = options.steps * options.people * options.each / (time.perf_counter() - start)
    print(json.dumps({"mib": peak, "images_per_second": speed, "loss": loss}), flush=True)
    os._exit(0)  # TensorFlow takes its time to give back what is thrown away


def publish(found: dict[str, Any], name: str, options: argparse.Namespace) -> None:
    done = {contender: each for contender, each in found.items() if "failed" not in each}
    failed = {contender: each["failed"] for contender, each in found.items() if "failed" in each}
    ours = next(iter(found))
    if ours in failed:
        raise SystemExit(f"{ours}: {failed[ours]}")

    def metric(key: str, unit: str, less_is_better: bool) -> dict[str, Any]:
        peers = {each: [done[each][key]] for each in done if each != ours}
        return report.metric([done[ours][key]], peers, unit, less_is_better)

    metrics = {
        f"{name}_memory": metric("mib", "MiB", True),
        f"{name}_speed": metric("images_per_second", "images/s", False),
    }
    report.publish(
        "accumulation", metrics, options.output, ours=ours, failed=failed, note=options.note
    )


if __name__ == "__main__":
    main()
