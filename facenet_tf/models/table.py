"""The architectures side by side: what was published of them, and what they take here."""

from __future__ import annotations

import math
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from facenet_tf.models.cost import multiply_adds
from facenet_tf.models.registry import build, published
from facenet_tf.provenance import git_revision, versions

BATCH = 8
"""Pictures at a time where the speed is measured."""
_HEAD = ("name", "year", "input", "embedding", "parameters", "multiply-adds", "on disk")


@dataclass(frozen=True)
class Row:
    """One architecture as it was published."""

    name: str
    year: int
    paper: str
    height: int
    width: int
    embedding_size: int
    parameters: int
    """trainable ones"""
    verified: bool
    """whether the publication says as much"""
    multiply_adds: int
    """of one picture"""
    size_on_disk: int
    """of the saved model, bytes"""
    images_per_second: float | None
    """on this machine in batches, float32, as a graph; None: not measured"""
    lfw: float | None
    """accuracy on LFW that its authors report, percent"""


def measure(name: str, speed: bool) -> Row:
    """Build an architecture as published, and measure it.

    Args:
        name: of the architecture.
        speed: whether to time it, which takes some seconds.

    Raises:
        ValueError: for an unknown name.
    """
    publication = published(name)
    model = build(name, preprocessing=publication.preprocessing)
    return Row(
        name=name,
        year=publication.year,
        paper=publication.paper,
        height=model.input_shape[1],
        width=model.input_shape[2],
        embedding_size=model.output_shape[1],
        parameters=sum(math.prod(variable.shape) for variable in model.trainable_variables),
        verified=publication.verified,
        multiply_adds=multiply_adds(model),
        size_on_disk=_size_on_disk(model),
        images_per_second=_images_per_second(model) if speed else None,
        lfw=publication.lfw,
    )


def to_json(rows: Sequence[Row]) -> dict[str, Any]:
    """The table with all that its figures depend on."""
    return {
        "models": [asdict(row) for row in rows],
        "batch": BATCH,
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
        },
        "git_revision": git_revision(),
        "versions": versions(),
    }


def markdown(rows: Sequence[Row]) -> str:
    """The table as Markdown that can be read as it is; a count with ~ was not verified."""
    with_speed = any(row.images_per_second is not None for row in rows)
    head = [*_HEAD, *(["images/s"] if with_speed else []), "LFW, its authors"]
    body = [_cells(row, with_speed) for row in rows]
    widths = [max(len(line[at]) for line in [head, *body]) for at in range(len(head))]
    lines = [head, ["-" * width for width in widths], *body]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths)] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in padded)


def _cells(row: Row, with_speed: bool) -> list[str]:
    square = row.height == row.width
    cells = [
        f"`{row.name}`",
        str(row.year),
        str(row.height) if square else f"{row.height}×{row.width}",
        str(row.embedding_size),
        f"{'' if row.verified else '~'}{row.parameters:,}",
        f"{row.multiply_adds / 1e6:,.0f} M",
        f"{row.size_on_disk / 1e6:,.1f} MB",
    ]
    if with_speed:
        speed = row.images_per_second
        cells.append("-" if speed is None else f"{speed:,.{0 if speed >= 10 else 1}f}")
    return [*cells, "-" if row.lfw is None else f"{row.lfw:.2f} %"]


def _size_on_disk(model: keras.Model) -> int:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "model.keras")
        model.save(path)
        return path.stat().st_size


def _images_per_second(model: keras.Model) -> float:
    """Median of at least three batches and two seconds, after a first one."""
    shape = (BATCH, *model.input_shape[1:])
    pixels = tf.constant(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
    forward = tf.function(lambda pixels: model(pixels, training=False))
    forward(pixels)
    seconds: list[float] = []
    while len(seconds) < 3 or sum(seconds) < 2:
        start = time.perf_counter()
        forward(pixels).numpy()
        seconds.append(time.perf_counter() - start)
    return BATCH / statistics.median(seconds)
