"""What the benchmarks share: alternating runs, and one shape of report."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import tensorflow as tf

from facenet_tf.provenance import git_revision, versions

Figure = TypeVar("Figure")


def parser(description: str) -> argparse.ArgumentParser:
    """A parser with the options that every benchmark has."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    made.add_argument("--output", type=Path, help="file for the JSON")
    return made


def alternate(
    contenders: Mapping[str, Callable[[], Figure]], rounds: int
) -> dict[str, list[Figure]]:
    """Figures of each contender, all of them in every round, the first round not counted."""
    figures: dict[str, list[Figure]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, run in contenders.items():
            figure = run()
            if number:
                figures[name].append(figure)
    return figures


def metric(
    ours: list[float],
    peers: Mapping[str, list[float]],
    unit: str,
    less_is_better: bool = False,
) -> dict[str, Any]:
    """Medians with their range; a ratio above 1 means ours is better."""
    middle = statistics.median(ours)
    medians = {name: statistics.median(values) for name, values in peers.items()}
    return {
        "ours": middle,
        "peers": medians,
        "ratio": {
            name: median / middle if less_is_better else middle / median
            for name, median in medians.items()
        },
        "range": {
            name: [min(values), max(values)] for name, values in {"ours": ours, **peers}.items()
        },
        "unit": unit,
    }


def machine() -> dict[str, Any]:
    """What this ran on."""
    gpus = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "gpus": [detail.get("device_name", "unknown") for detail in details],
        "versions": versions(),
    }


def publish(name: str, metrics: Mapping[str, Any], output: Path | None, **more: Any) -> None:
    """Print the report as the last line, and write it where asked."""
    report = {
        "benchmark": name,
        "commit": git_revision(),
        "machine": machine(),
        "metrics": dict(metrics),
        **more,
    }
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report))
