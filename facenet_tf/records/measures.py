"""What is measured of each face, over a whole dataset: distributions, and the worst faces."""

from __future__ import annotations

import collections
import dataclasses
import heapq
import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from facenet_tf.records.rows import Row

_BARS = 30
QUANTILES = (0.01, 0.05, 0.5, 0.95, 0.99)


@dataclasses.dataclass(frozen=True)
class Measure:
    """One column of ``images.csv`` that holds a number."""

    column: str
    title: str
    unit: str
    limits: tuple[float, float] | None = None
    """ends of its histogram; None: 0 and the 99th percentile"""
    whole: bool = False
    """whether its values are whole numbers"""


MEASURES = (
    Measure("face_size", "Face size", "shorter side of the box, pixels of the picture"),
    Measure("sharpness", "Sharpness", "variance of the Laplacian"),
    Measure("exposure", "Exposure", "mean level, 0 black, 1 white", (0, 1)),
    Measure("yaw", "Yaw", "degrees, positive: looks to the right", (-90, 90)),
    Measure("roll", "Roll", "degrees, positive: clockwise", (-45, 45)),
    Measure("rmse", "Landmark misfit", "rmse, pixels of a 112×112 crop"),
    Measure("confidence", "Confidence", "of the detector", (0.5, 1)),
)


@dataclasses.dataclass(frozen=True)
class Bar:
    """One bar of a histogram: from `low` on and below `high`."""

    low: float
    high: float
    count: int
    share: float
    """Of the highest bar, 0…1."""


@dataclasses.dataclass(frozen=True)
class Distribution:
    """How the values of a measure are spread; without values there are no bars and quantiles."""

    title: str
    unit: str
    count: int
    bars: list[Bar]
    quantiles: list[float]
    """At `QUANTILES`."""


def distributions(rows: Sequence[Row]) -> list[Distribution]:
    """Return those of the images per person and of every measure, over the rows with a record."""
    stored = [row for row in rows if row.stored]
    counts = np.array(list(collections.Counter(row.identity for row in stored).values()), float)
    people = Measure("", "Images per person", "records", whole=True)
    found = [_distribution(people, counts)]
    return found + [_distribution(measure, _values(stored, measure)) for measure in MEASURES]


def _values(rows: Sequence[Row], measure: Measure) -> np.ndarray:
    cells = [getattr(row, measure.column) for row in rows]
    return np.array([float(cell) for cell in cells if cell])


def _distribution(measure: Measure, values: np.ndarray) -> Distribution:
    if not values.size:
        return Distribution(measure.title, measure.unit, 0, [], [])
    low, high = measure.limits or (0.0, max(1.0, float(np.quantile(values, 0.99))))
    edges = np.linspace(low, high, _BARS + 1)
    if measure.whole:  # else some bars would hold more numbers than others
        step = math.ceil((high + 1) / _BARS)
        edges = np.arange(low, high + 1 + step, step)
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    bars = [
        Bar(float(edges[at]), float(edges[at + 1]), int(count), float(count / counts.max()))
        for at, count in enumerate(counts)
    ]
    quantiles = [float(value) for value in np.quantile(values, QUANTILES)]
    return Distribution(measure.title, measure.unit, values.size, bars, quantiles)


Order = Literal["low", "high", "far"]
WORST: tuple[tuple[str, str, Order], ...] = (
    ("Least sharp", "sharpness", "low"),
    ("Smallest", "face_size", "low"),
    ("Darkest", "exposure", "low"),
    ("Brightest", "exposure", "high"),
    ("Looking furthest aside", "yaw", "far"),
    ("Most tilted", "roll", "far"),
    ("Landmarks furthest from a frontal face", "rmse", "high"),
    ("Least sure", "confidence", "low"),
)
"""Title, column, and which end of it is bad: low, high, or far from 0."""


def worst(rows: Sequence[Row], column: str, order: Order, count: int) -> list[Row]:
    """Return the rows with a record that are worst in a column, the worst first."""
    badness = {"low": lambda value: value, "high": lambda value: -value, "far": lambda v: -abs(v)}
    measured = [row for row in rows if row.stored and getattr(row, column)]
    return heapq.nsmallest(
        count, measured, key=lambda row: (badness[order](float(getattr(row, column))), row.path)
    )
