"""The report: one HTML file with everything inside, made from what evaluation.json holds."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from facenet_tf import page
from facenet_tf.evaluation import registry
from facenet_tf.evaluation.protocol import Plot, Results
from facenet_tf.evaluation.report import drawing
from facenet_tf.evaluation.report.sheets import ShownSheet, shown
from facenet_tf.evaluation.table import people_name


@dataclasses.dataclass(frozen=True)
class ShownPlot:
    """A plot for a light and for a dark page, as ``src`` takes it."""

    description: str
    light: str
    dark: str


@dataclasses.dataclass(frozen=True)
class Illustration:
    """What a protocol's section shows beside its tables.

    Attributes:
        plots: in their order.
        sheets: with the crops inside.
    """

    plots: list[ShownPlot]
    sheets: list[ShownSheet]


def illustrated(results: Results, directory: Path) -> dict[str, Illustration]:
    """Draw the plots of all protocols, as PNG files too, and fetch the crops of their sheets.

    Args:
        results: of the evaluation.
        directory: for the PNG files.
    """
    illustrations = {}
    for protocol in registry.with_figures(results.figures):
        plots = protocol.plots(results) if protocol.plots else []
        sheets = protocol.sheets(results) if protocol.sheets else []
        illustrations[protocol.name] = Illustration(
            [_shown_plot(plot, directory) for plot in plots],
            [shown(sheet, results.measured) for sheet in sheets],
        )
    return illustrations


def _shown_plot(plot: Plot, directory: Path) -> ShownPlot:
    light = drawing.png(plot.figure)
    (directory / f"{plot.name}.png").write_bytes(light)
    plot.figure.set_layout_engine("none")  # the dark one keeps the places of the light one
    drawing.darken(plot.figure)
    dark = drawing.png(plot.figure)
    return ShownPlot(plot.description, page.embedded(light, "png"), page.embedded(dark, "png"))


def write_report(
    figures: dict[str, Any], path: Path, illustrations: dict[str, Illustration] | None = None
) -> None:
    """Write report.html.

    Args:
        figures: content of evaluation.json.
        path: file to write.
        illustrations: by protocol.
    """
    protocols, lost = registry.with_figures(figures), figures["pictures"]["lost"]
    text = page.render(
        "facenet_tf.evaluation.report",
        "report.html.jinja",
        figures=figures,
        people_name=people_name(figures),
        verdict=[line for each in protocols if each.verdict for line in each.verdict(figures)],
        sections=[
            (protocol, protocol.tables(figures), (illustrations or {}).get(protocol.name))
            for protocol in protocols
        ],
        skipped=registry.skipped(figures),
        lost=[[each["key"], each["identity"], each["outcome"]] for each in lost],
    )
    path.write_text(text, encoding="utf-8")
