"""Faces per second of every network in use: as a graph, under XLA, and dlib's in dlib itself.

    python benchmarks/embedding.py [--models NAME …] [--dlib-python PATH] [--quick] [--output FILE]

A pass is what an evaluation or a gallery does: uint8 crops in memory to unit vectors in NumPy, at
batch 1 and 32. Each network has its published crops and fresh weights, dlib's its own ones where
the extra `pretrained` is installed. "ours" is the faster of graph and XLA, and "form" says which:
the choice is made by measurement, network by network and batch by batch. Every contender has a
process of its own, and all of them have a turn in every round. dlib's environment is given by its
interpreter; "difference" is the largest of any number of one chip's embedding:

    python3 -m venv dlib-env && dlib-env/bin/pip install dlib-bin numpy
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import statistics
import sys
from pathlib import Path
from typing import Any

import numpy as np
import report
from limited_process import Limits
from turns import Turns, take_turns

from facenet_tf import models

WORKER = Path(__file__).with_name("embedding_worker.py")
BATCHES = (1, 32)
DLIB = "dlib_resnet"
DLIB_FILE = Path("models", "dlib_face_recognition_resnet_model_v1.dat")
"""Of the package face-recognition-models, which is looked for and never imported."""


def main() -> None:
    given = options()
    names = given.models or ([DLIB] if given.quick else models.names())
    limits = Limits(given.memory_limit * 1e9, given.time_limit)
    rounds, shortest = (2, 0.3) if given.quick else (5, 2.0)
    weights = dlib_weights()
    metrics: dict[str, Any] = {}
    versions = {"tensorflow": importlib.metadata.version("tensorflow")}
    for name in names:
        for batch in BATCHES:
            commands = contenders(name, batch, given.dlib_python, weights)
            results = take_turns(commands, rounds, limits, shortest)
            metrics[f"{name}_batch{batch}"] = figures(results, batch)
            versions |= {
                each.ready["library"]: each.ready["version"]
                for each in results.values()
                if "library" in each.ready
            }
    report.publish("embedding", metrics, given.output, versions=versions, note=given.note)


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
    found = importlib.util.find_spec("face_recognition_models")
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0]) / DLIB_FILE


def contenders(
    name: str, batch: int, dlib_python: str | None, weights: Path | None
) -> dict[str, list[str]]:
    """Commands of the contenders by name."""
    pretrained = ["--pretrained"] if name == DLIB and weights else []
    commands = {
        form: [sys.executable, str(WORKER), name, form, str(batch), *pretrained]
        for form in ("graph", "xla")
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
    forms = {name: statistics.median(speeds[name]) for name in ("graph", "xla") if name in speeds}
    failed = {name: each.failed for name, each in results.items() if each.failed}
    if not forms:
        raise SystemExit(f"ours failed: {failed}")
    form = max(forms, key=lambda name: forms[name])
    embeddings = {name: np.array(each.ready["embedding"]) for name, each in results.items()
                  if "embedding" in each.ready}
    difference = None
    if "dlib" in embeddings:
        difference = float(np.abs(embeddings["dlib"] - embeddings[form]).max())
    return {
        **report.metric(speeds[form], speeds, "faces/s"),
        "form": form,
        "difference": difference,
        "failed": failed,
    }


if __name__ == "__main__":
    main()
