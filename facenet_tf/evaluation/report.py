"""The report: one HTML file with everything inside, made from what evaluation.json holds."""

import base64
from pathlib import Path
from typing import Any

import jinja2

from facenet_tf.evaluation import table


def write_report(figures: dict[str, Any], images: list[Path], path: Path) -> None:
    """Write report.html.

    Args:
        figures: content of evaluation.json.
        images: PNG files to embed, in order.
        path: file to write.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("facenet_tf.evaluation", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = environment.get_template("report.html.jinja").render(
        figures=figures,
        images=[(image.stem, base64.b64encode(image.read_bytes()).decode()) for image in images],
        svm_table=[table.svm_head(), *table.svm_rows(figures)],
        set_name=table.set_name,
        verification_table=[table.verification_head(figures), *table.verification_rows(figures)],
    )
    path.write_text(text, encoding="utf-8")
