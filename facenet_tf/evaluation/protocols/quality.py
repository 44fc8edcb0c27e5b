"""Error versus reject: do scores of quality tell which pictures the network errs on?"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from facenet_tf import metrics
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.fixed_thresholds import SAME_PAIRS
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.methods.threshold_figures import has_both_kinds, overall_thresholds
from facenet_tf.evaluation.options.quality import QualityOptions
from facenet_tf.evaluation.pair_sets import ScoredPairs
from facenet_tf.evaluation.protocol import Plot, Protocol, Results
from facenet_tf.evaluation.roster import Roster, Vectors
from facenet_tf.evaluation.table import Table, share
from facenet_tf.metrics.reject import (
    RejectCurve,
    area_under_reject_curve,
    error_versus_reject,
    least_area,
)
from facenet_tf.records.dataset import FaceDataset

_MOST_POINTS = 100
"""Of a curve in evaluation.json."""
ERRORS = 0.1
"""What share of the genuine pairs should be wrong to begin with: where nearly all are, or none, no
score can find the errors among them. Grother and Tabassi take such thresholds."""

SCORES: dict[str, tuple[str, Callable[[float], float]]] = {
    "face_size": ("larger is better", lambda value: value),
    "sharpness": ("larger is better", lambda value: value),
    "exposure": ("nearer to one half is better", lambda value: -abs(value - 0.5)),
    "yaw": ("nearer to 0 is better", lambda value: -abs(value)),
    "roll": ("nearer to 0 is better", lambda value: -abs(value)),
    "confidence": ("larger is better", lambda value: value),
    "rmse": ("smaller is better", lambda value: -value),
}
"""Columns of images.csv, and how they become a score of which more is better."""

PROTOCOL = (
    "genuine pairs whose pictures both have a record, rejected by ascending quality of the poorer "
    "picture (without a score: first; of equal quality together); error: share of the pairs left "
    "that is beyond the threshold of a FAR (FNMR), the one among those chosen whose FNMR is "
    f"nearest to {ERRORS:g}; area below the curve from nothing rejected to the limit; best: the "
    "area of a score that rejects the errors first; chance: of one that knows nothing; gain: "
    "(chance - area) / (chance - best), 1 for the best score, 0 for chance; intervals of area and "
    "gain: people drawn with replacement, 95 % percentiles"
)
TERMS = {
    "area": "errors that are left while the poorest pictures are taken out; smaller is better",
    "gain": "1 if the score finds all errors first, 0 if it knows no more than chance; with its "
    "interval over people",
}


def figures(vectors: Vectors, measured: Measured, config: EvaluateConfig) -> dict[str, Any] | None:
    """Areas and curves of every score; None where they are switched off or there is no score."""
    pairs = measured.unseen or measured.listed
    scores = _scores(measured, vectors.roster) if config.quality.curves else {}
    if not scores or pairs is None:
        return None
    scored = ScoredPairs.of(vectors, pairs)
    lost = vectors.roster.lost[pairs.left] | vectors.roster.lost[pairs.right]
    scored = scored.where(~lost)
    genuine = scored.pairs.genuine
    impostors = int((~genuine).sum())
    by_far, chosen_by = measured.thresholds.by_far, measured.thresholds.by_far_chosen_by
    if not by_far and has_both_kinds(scored.pairs):
        by_far, chosen_by = overall_thresholds(scored, config.fars), SAME_PAIRS
    if not genuine.any() or not by_far:
        return {"skipped": f"{impostors} impostor pairs carry none of the FARs"}
    distance = scored.distance[genuine]
    far = min(by_far, key=lambda each: abs(float(np.mean(distance > by_far[each])) - ERRORS))
    judge = _Judge(scored, by_far[far], config)
    return {
        "protocol": f"{PROTOCOL}; the threshold was {chosen_by}",
        "far": float(far),
        "threshold": by_far[far],
        "chosen_by": chosen_by,
        "genuine_pairs": int(genuine.sum()),
        "fnmr": judge.error,
        "limit": config.quality.limit,
        "scores": {
            name: {"better": SCORES[name][0] if name in SCORES else "larger is better"}
            | judge.figures(values)
            for name, values in scores.items()
        },
    }


def _scores(measured: Measured, roster: Roster) -> dict[str, NDArray[np.float64]]:
    """float64 [N] by name, larger is better, NaN where a picture has none; those that vary."""
    of_dataset = {} if measured.dataset is None else scores_of(measured.dataset, roster)
    scores = {**of_dataset, **measured.quality}
    return {
        name: values
        for name, values in scores.items()
        if len(np.unique(values[~np.isnan(values)])) > 1
    }


def scores_of(dataset: FaceDataset, roster: Roster) -> dict[str, NDArray[np.float64]]:
    """The scores of a roster's pictures, from the rows of their dataset."""
    row_of = {row.path: row for row in dataset.rows}
    rows = [row_of[str(key)] for key in roster.keys]
    return {
        name: np.array(
            [better(float(cell)) if (cell := getattr(row, name)) else math.nan for row in rows],
            np.float64,
        )
        for name, (_, better) in SCORES.items()
    }


class _Judge:
    """Genuine pairs at one threshold, rejected by one score or another."""

    def __init__(self, scored: ScoredPairs, threshold: float, config: EvaluateConfig) -> None:
        genuine = scored.where(scored.pairs.genuine)
        self._left, self._right = genuine.pairs.left, genuine.pairs.right
        self._wrong = genuine.distance > threshold
        self._people = np.unique(scored.roster.identities[self._left], return_inverse=True)[1]
        self._config, self._limit = config, config.quality.limit

    @property
    def error(self) -> float:
        """Share of errors before anything is rejected."""
        return float(self._wrong.mean())

    def figures(self, score: NDArray[np.float64]) -> dict[str, Any]:
        """Curve and area of a score, float64 [rows of the roster]."""
        ranked = np.where(np.isnan(score), -np.inf, score)
        quality = np.minimum(ranked[self._left], ranked[self._right])
        curve = error_versus_reject(self._wrong, quality)
        area, gain = self._worth(curve)
        area_interval, gain_interval = self._intervals(quality)
        points = np.unique(np.linspace(0, len(curve.rejected) - 1, _MOST_POINTS).astype(int))
        return {
            "area": area,
            "area_interval": area_interval,
            "best": least_area(self.error, self._limit),
            "chance": self.error * self._limit,
            "gain": None if math.isnan(gain) else gain,
            "gain_interval": gain_interval,
            "pairs_without_score": int(np.isneginf(quality).sum()),
            "rejected": curve.rejected[points].tolist(),
            "error": curve.error[points].tolist(),
        }

    def _worth(self, curve: RejectCurve) -> tuple[float, float]:
        """Area and gain; NaN for the gain where no score is better than chance."""
        error, area = float(curve.error[0]), area_under_reject_curve(curve, self._limit)
        best, chance = least_area(error, self._limit), error * self._limit
        return area, (chance - area) / (chance - best) if chance > best else math.nan

    def _intervals(self, quality: NDArray[np.float64]) -> list[metrics.Limits | None]:
        """Of area and gain, from the same draws."""
        count = int(self._people.max()) + 1

        def worth(times: NDArray[np.float64]) -> list[float]:
            """The area as a share of the limit: the mean error up to it."""
            curve = error_versus_reject(self._wrong, quality, times[self._people])
            area, gain = self._worth(curve)
            return [area / self._limit, gain]

        area, gain = metrics.intervals_or_none(
            2,
            metrics.people_intervals,
            count,
            worth,
            draws=self._config.bootstrap,
            seed=self._config.seed,
            cases=[count, None],
        )
        return [area and [end * self._limit for end in area], gain]


def tables(results: dict[str, Any]) -> list[Table]:
    """Per score its area, beside those of the best score and of chance, and what it gains."""
    found = results["quality"]
    rows = [
        [
            name.replace("_", " "),
            one["better"],
            *(f"{one[each]:.5f}" for each in ("area", "best", "chance")),
            _gain(one),
        ]
        for name, one in found["scores"].items()
    ]
    head = ["quality score", "", "area", "best", "chance", "gain"]
    note = (
        f"{found['genuine_pairs']} genuine pairs at the threshold of FAR {found['far']:g}, "
        f"{share(found['fnmr'])} of them rejected wrongly (the threshold was "
        f"{found['chosen_by']}); area up to {found['limit']:.0%} of the pairs left out for poor "
        "quality"
    )
    return [Table(head, rows, note, protocol=found["protocol"], terms=TERMS)]


def _gain(one: dict[str, Any]) -> str:
    """With its interval over people, which evaluations from before gains had any do not have."""
    if one["gain"] is None:
        return "-"
    within = one.get("gain_interval")
    return f"{one['gain']:.2f}" + (f" ({within[0]:.2f} – {within[1]:.2f})" if within else "")


def draw(results: Results) -> list[Plot]:
    """All curves in one plot; none where there is no error to begin with."""
    found = results.figures["quality"]
    if not found["fnmr"]:
        return []
    text = (
        "Share of genuine pairs rejected wrongly, over the share of pairs left out for poor "
        "quality by each score; a score that knows the errors falls fast, one that knows nothing "
        "stays level"
    )
    return [Plot("quality", text, curves_figure(found))]


def curves_figure(found: dict[str, Any]) -> Figure:
    """A curve per score; grey: the best possible, dotted: chance."""
    figure = Figure(figsize=(6, 4.5), layout="constrained")
    axes = figure.add_subplot(
        xlabel="share of genuine pairs left out",
        ylabel=f"FNMR at the threshold of FAR {found['far']:g}",
    )
    for name, one in found["scores"].items():
        axes.plot(one["rejected"], one["error"], label=name.replace("_", " "))
    rejected = np.linspace(0, 0.9, 200)
    best = np.maximum(0, (found["fnmr"] - rejected) / (1 - rejected))
    axes.plot(rejected, best, color="grey", label="best possible")
    axes.axhline(found["fnmr"], linestyle=":", color="grey", label="chance")
    axes.axvspan(0, found["limit"], color="grey", alpha=0.1)
    axes.set(xlim=(0, 0.9), ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    return figure


QUALITY = Protocol(
    "quality",
    "Quality of the pictures",
    "Whether leaving out the poorest pictures, by a score of their quality, removes the errors.",
    figures,
    tables,
    plots=draw,
    files=("quality.png",),
    options=QualityOptions,
)
