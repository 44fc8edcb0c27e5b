"""Faces per second of every network in use: as a graph, under XLA, and dlib's in dlib itself.

    python benchmarks/embedding.py [--models NAME …] [--dlib-python PATH] [--quick] [--output FILE]

A pass is what an evaluation or a gallery does: uint8 crops in memory to unit vectors in NumPy, at
batch 1 and 32. Each network has its published crops and fresh weights, dlib's its own ones where
the extra `pretrained` is installed. "ours" is the faster of graph and XLA, and "form" says which:
the choice is made by measurement, network by network and batch by batch, and
`benchmarks/embedding_forms.py` brings it into the package. Every contender has a process of its
own, and all of them have a turn in every round. dlib's environment is given by its interpreter;
"difference" is the largest of any number of one chip's embedding:

    python3 -m venv dlib-env && dlib-env/bin/pip install dlib-bin numpy
"""

from __future__ import annotations

import argparse
import importlib.metadata
import statistics
import sys
from pathlib import Path
from typing import Any

import numpy as np
import report
from limited_process import Limits
from turns import Turns, take_turns

from facenet_tf import models
from facenet_tf.errors import InputError
from facenet_tf.pretrained.dlib_package import WEIGHTS, package_file

WORKER = Path(__file__).with_name("embedding_worker.py")
BATCHES = (1, 32)
FORMS = ("graph", "xla")
DLIB = "dlib_resnet"


def main() -> None:
    given = options()
    names = given.models or ([DLIB] if given.quick else models.names())
    limits = Limits(given.memory_limit * 1e9, given.time_limit)
    rounds, shortest = (2, 0.3) if given.quick else (5, 2.0)
    weights = dlib_weights()
    metrics: dict[str, Any] = {}
    failed: dict[str, Any] = {}
    versions = {"tensorflow": importlib.metadata.version("tensorflow")}
    for name in names:
        for batch in BATCHES:
            commands = contenders(name, batch, given.dlib_python, weights)
            results = take_turns(commands, rounds, limits, shortest)
            if all(results[form].failed for form in FORMS):
                failed[f"{name}_batch{batch}"] = {form: results[form].failed for form in FORMS}
            else:
                metrics[f"{name}_batch{batch}"] = figures(results, batch)
            versions |= {
                each.ready["library"]: each.ready["version"]
                for each in results.values()
                if "library" in each.ready
            }
    report.publish(
        "embedding", metrics, given.output, versions=versions, failed=failed, note=given.note
    )
    if failed:
        raise SystemExit(f"ours failed: {', '.join(failed)}")


def options() -> argparse.Namespace:
    parser = report.parser(__doc__)
    parser.add_argument("--models", nargs="+", choices=models.names(), help="instead of all")
    parser.add_argument("--dlib-python", help="interpreter that has dlib")
    parser.add_argument("--memory-limit", type=float, default=8.0, help="GB for one contender")
    parser.add_argument("--time-limit", type=float, default=600.0, help="seconds for one turn")
    parser.add_argument("--note", help="what the report should say of the circumstances")
    return parser.parse_args()


def dlib_weights() -> Path | None:
    """The file of dlib's weights, None without the extra `pretrained`."""
    try:
        return package_file(WEIGHTS)
    except InputError:
        return None


def contenders(
    name: str, batch: int, dlib_python: str | None, weights: Path | None
) -> dict[str, list[str]]:
    """Commands of the contenders by name."""
    pretrained = ["--pretrained"] if name == DLIB and weights else []
    commands = {
        form: [sys.executable, str(WORKER), name, form, str(batch), *pretrained] for form in FORMS
    }
    if name == DLIB and dlib_python and weights:
        commands["dlib"] = [dlib_python, str(WORKER), str(weights), "dlib", str(batch)]
    return commands


def figures(results: dict[str, Turns], batch: int) -> dict[str, Any]:
    """Faces per second of all contenders; ours is the faster form."""
    speeds = {
        name: [batch / turn["seconds"] for turn in each.turns]
        for name, each in results.items()
        if not each.failed
    }
    forms = {name: statistics.median(speeds[name]) for name in FORMS if name in speeds}
    failed = {name: each.failed for name, each in results.items() if each.failed}
    form = max(forms, key=lambda name: forms[name])
    return {
        **report.metric(speeds[form], speeds, "faces/s"),
        "form": form,
        "difference": difference(results, form),
        "failed": failed,
    }


def difference(results: dict[str, Turns], form: str) -> float | None:
    """The largest between our embedding of a chip and dlib's."""
    sides = [results[name].ready.get("embedding") for name in (form, "dlib") if name in results]
    if len(sides) < 2 or None in sides:
        return None
    ours, theirs = np.array(sides)
    return float(np.abs(ours - theirs).max())


if __name__ == "__main__":
    main()
