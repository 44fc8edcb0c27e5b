"""The report: one HTML file with everything inside, made from what evaluation.json holds."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from facenet_tf import page
from facenet_tf.evaluation import registry
from facenet_tf.evaluation.protocol import Plot, Results, Sheet
from facenet_tf.evaluation.sheets import ShownSheet, shown
from facenet_tf.evaluation.table import people_name


@dataclasses.dataclass(frozen=True)
class Illustration:
    """What a protocol's section shows beside its tables.

    Attributes:
        plots: description and picture of each, as ``src`` takes it.
        sheets: with the crops inside.
    """

    plots: list[tuple[str, str]]
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
        illustrations[protocol.name] = _illustration(plots, sheets, results, directory)
    return illustrations


def _illustration(
    plots: list[Plot], sheets: list[Sheet], results: Results, directory: Path
) -> Illustration:
    files = {plot.description: directory / f"{plot.name}.png" for plot in plots}
    for plot in plots:
        plot.figure.savefig(files[plot.description], dpi=110, metadata={"Software": None})
    return Illustration(
        [(text, page.embedded(file.read_bytes(), "png")) for text, file in files.items()],
        [shown(sheet, results.measured) for sheet in sheets],
    )


def write_report(
    figures: dict[str, Any], path: Path, illustrations: dict[str, Illustration] | None = None
) -> None:
    """Write report.html.

    Args:
        figures: content of evaluation.json.
        path: file to write.
        illustrations: by protocol.
    """
    protocols = registry.with_figures(figures)
    text = page.render(
        "facenet_tf.evaluation",
        "report.html.jinja",
        figures=figures,
        people_name=people_name(figures),
        verdict=[line for each in protocols if each.verdict for line in each.verdict(figures)],
        sections=[
            (protocol, protocol.tables(figures), (illustrations or {}).get(protocol.name))
            for protocol in protocols
        ],
        skipped=registry.skipped(figures),
    )
    path.write_text(text, encoding="utf-8")
