"""The unseen people's embeddings in the plane: no figure, but a look at what the network sees."""

from __future__ import annotations

from typing import Any

import numpy as np

from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.methods import layouts, plots
from facenet_tf.evaluation.options.projection import ProjectionOptions
from facenet_tf.evaluation.protocol import Plot, Protocol, Results
from facenet_tf.evaluation.roster import Vectors
from facenet_tf.evaluation.table import Table


def figures(vectors: Vectors, measured: Measured, config: EvaluateConfig) -> dict[str, Any] | None:
    """What is drawn; None where the config asks for none."""
    methods = config.projection.methods
    if not methods or config.list_only:
        return None
    pictures = int(np.sum(measured.people_rows & ~vectors.roster.lost))
    if pictures <= layouts.FEWEST_POINTS:
        return {"skipped": f"{pictures} pictures of test people: more than a handful are needed"}
    return {"methods": list(methods), "pictures": min(pictures, layouts.MOST_POINTS)}


def tables(results: dict[str, Any]) -> list[Table]:
    """No table: there is nothing but plots."""
    return []


def draw(results: Results) -> list[Plot]:
    """A plot by each method."""
    measured, config = results.measured, results.config
    unseen = results.trained.where(measured.people_rows & ~results.trained.roster.lost)
    random = np.random.default_rng([config.seed, len(unseen.roster)])
    shown = unseen.where(np.sort(random.permutation(len(unseen.roster))[: layouts.MOST_POINTS]))
    return [_plot(method, shown, config.seed) for method in config.projection.methods]


def _plot(method: str, vectors: Vectors, seed: int) -> Plot:
    name, layout = layouts.LAYOUTS[method]
    return Plot(
        method,
        f"{name} of the test people's embeddings: a point for each picture, a colour for each "
        "person; pictures of one person should lie together",
        plots.plane(layout(vectors.values, seed), vectors.roster.identities, name),
    )


PROJECTION = Protocol(
    "projection",
    "Embeddings in the plane",
    "A map of the pictures as the network sees them: those of one person should form an island.",
    figures,
    tables,
    plots=draw,
    files=tuple(f"{method}.png" for method in layouts.LAYOUTS),
    options=ProjectionOptions,
)
