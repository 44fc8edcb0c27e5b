"""Memory of batch-hard triplets in tiles, at batches whose distance matrix is gigabytes.

    python benchmarks/tiles.py [--quick] [--memory-limit GB] [--output FILE]

Forward and backward of B × 128 embeddings, each in a process of its own (loss_memory.py), compiled
by XLA or as a graph; the peer is the same loss with the whole matrix. What would take more than the
limit is ended, and the report says so. Memory is above TensorFlow and the inputs; what the compiler
takes is part of it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import report
from limited_process import LimitedProcess, Limits

MEASURE = Path(__file__).with_name("loss_memory.py")
TILES, QUICK_TILES = {16384: 512, 65536: 256}, {4096: 256}
SECONDS = 900.0


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("--memory-limit", type=float, default=18.0, help="GB for one process")
    given = parser.parse_args()
    limits = Limits(given.memory_limit * 1e9, SECONDS)
    metrics = {
        f"batch_hard_{batch}": memory(batch, tile, limits)
        for batch, tile in (QUICK_TILES if given.quick else TILES).items()
    }
    report.publish("tiles", metrics, given.output, limits=vars(limits))


def memory(batch: int, tile: int, limits: Limits) -> dict[str, Any]:
    """MiB in tiles under XLA, beside the graph and the whole matrix."""
    forms = {
        "tiled": (tile, "jit"),
        "tiled_graph": (tile, "graph"),
        "whole": (0, "jit"),
        "whole_graph": (0, "graph"),
    }
    answers = {name: answer(batch, *form, limits) for name, form in forms.items()}
    failed = {name: told["failed"] for name, told in answers.items() if "failed" in told}
    peaks = {name: [told["peak_mib"]] for name, told in answers.items() if name not in failed}
    found = report.metric(peaks.pop("tiled"), peaks, "MiB", less_is_better=True)
    return {**found, "tile": tile, "failed": failed}


def answer(batch: int, tile: int, mode: str, limits: Limits) -> dict[str, Any]:
    """What loss_memory.py says of one form."""
    command = [sys.executable, str(MEASURE), "triplet/batch_hard", "--batch", str(batch)]
    options = ["--options", json.dumps({"tile": tile}), "--mode", mode]
    with LimitedProcess(command + options, limits) as process:
        return process.answer()


if __name__ == "__main__":
    main()
