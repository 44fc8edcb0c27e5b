"""Plots on figures of their own: no global state, no window."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.special import ndtri

from facenet_tf.metrics import RocCurve

_SHADED: dict[str, Any] = {"color": "C0", "alpha": 0.2, "linewidth": 0, "label": "95 % over people"}
_NORMAL_DEVIATES = np.array([0.001, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6])


@dataclasses.dataclass(frozen=True)
class Band:
    """Bounds of the TAR, both [F], at the FARs [F]."""

    far: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def roc(curves: Mapping[str, RocCurve], band: Band | None = None) -> Figure:
    """TAR over FAR, FAR on a logarithmic axis: the left end is where systems are used."""
    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.add_subplot(xscale="log", xlabel="FAR", ylabel="TAR", title="ROC")
    for name, curve in curves.items():
        axes.step(np.maximum(curve.far, 1e-6), curve.tar, where="post", label=name)
    if band is not None:
        axes.fill_between(band.far, band.low, band.high, **_SHADED)
    axes.set(xlim=(_smallest_far(curves), 1), ylim=(0, 1.02))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", fontsize="small")
    return figure


def det(curves: Mapping[str, RocCurve], band: Band | None = None) -> Figure:
    """FRR over FAR, both on normal-deviate axes (Martin et al., "The DET curve", 1997)."""
    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.add_subplot(xlabel="FAR", ylabel="FRR = 1 - TAR", title="DET")
    for name, curve in curves.items():
        inner = (curve.far > 0) & (curve.tar < 1) & (curve.far < 1) & (curve.tar > 0)
        axes.plot(ndtri(curve.far[inner]), ndtri(1 - curve.tar[inner]), label=name)
    if band is not None:
        far, low, high = (
            ndtri(np.clip(each, 1e-9, 1 - 1e-9)) for each in dataclasses.astuple(band)
        )
        axes.fill_between(far, -high, -low, **_SHADED)
    ticks = ndtri(_NORMAL_DEVIATES)
    labels = [f"{share:g}" for share in _NORMAL_DEVIATES]
    axes.set_xticks(ticks, labels)
    axes.set_yticks(ticks, labels)
    limits = (float(ndtri(0.0005)), float(ndtri(0.7)))
    axes.set(xlim=limits, ylim=limits)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper right", fontsize="small")
    return figure


def distances(genuine: NDArray[np.bool_], distance: NDArray[np.float64], title: str) -> Figure:
    """Histograms of the squared distances of genuine and impostor pairs."""
    finite = np.isfinite(distance)
    bins = np.linspace(0, max(1e-9, float(distance[finite].max(initial=0))), 61)
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot(xlabel="squared distance", ylabel="density", title=title)
    for kind, label in ((genuine, "genuine"), (~genuine, "impostor")):
        if (kind & finite).any():
            axes.hist(
                distance[kind & finite], bins=bins.tolist(), density=True, alpha=0.6, label=label
            )
    axes.legend(loc="upper right")
    return figure


def confusion(matrix: Sequence[Sequence[int]], people: Sequence[str]) -> Figure:
    """Confusion matrix of the SVM: true people down, predicted ones across."""
    counts = np.asarray(matrix)
    side = max(4.0, 0.45 * len(people) + 2)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.add_subplot(xlabel="predicted", ylabel="true", title="SVM, test people")
    axes.imshow(counts, cmap="Blues")
    axes.set_xticks(range(len(people)), people, rotation=90, fontsize="small")
    axes.set_yticks(range(len(people)), people, fontsize="small")
    for row, column in np.argwhere(counts > 0):
        dark = counts[row, column] > counts.max() / 2
        color = "white" if dark else "black"
        axes.text(column, row, counts[row, column], ha="center", va="center", color=color)
    return figure


def plane(places: NDArray[np.float64], people: NDArray[np.str_], title: str) -> Figure:
    """Points [N, 2] in a colour and a marker for each person."""
    figure = Figure(figsize=(7, 6), layout="constrained")
    axes = figure.add_subplot(xticks=[], yticks=[], title=title)
    for number, person in enumerate(np.unique(people)):
        points = places[people == person]
        marker = "osD^v<>PX*"[number // 10 % 10]
        axes.scatter(
            points[:, 0], points[:, 1], s=12, color=f"C{number % 10}", marker=marker, label=person
        )
    axes.legend(fontsize="x-small", bbox_to_anchor=(1, 1), loc="upper left")
    return figure


def _smallest_far(curves: Mapping[str, RocCurve]) -> float:
    fars = np.concatenate([curve.far for curve in curves.values()])
    return max(1e-6, float(fars[fars > 0].min(initial=0.1)))
