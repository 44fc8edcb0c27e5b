"""The files of the results, and how their figures are written in a table.

docs/results/RUN holds evaluation.json, config.json and history.csv as the commands wrote them,
benchmarks/results the JSON of the benchmarks.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
RESULTS, BENCHMARKS = DOCS / "results", DOCS.parent / "benchmarks" / "results"


class NotMeasuredError(Exception):
    """The directory of a run, or the JSON of a benchmark, is not there yet."""


def load(name: str) -> Any:
    return json.loads(file_of(name).read_text())


def file_of(name: str) -> Path:
    path = RESULTS / name
    if not path.parent.exists():
        raise NotMeasuredError(name)
    return path


def benchmark(name: str) -> Any:
    path = BENCHMARKS / name
    if not path.exists():
        raise NotMeasuredError(name)
    return json.loads(path.read_text())


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.2%}".replace("%", " %")


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def between(value: str, low_high: list[float] | None) -> str:
    return value if low_high is None else f"{value} [{low_high[0]:.3f}, {low_high[1]:.3f}]"
