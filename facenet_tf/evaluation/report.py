"""The report: one HTML file with everything inside, made from what evaluation.json holds."""

from pathlib import Path
from typing import Any

from facenet_tf import page
from facenet_tf.evaluation import table


def write_report(figures: dict[str, Any], images: list[Path], path: Path) -> None:
    """Write report.html.

    Args:
        figures: content of evaluation.json.
        images: PNG files to embed, in order.
        path: file to write.
    """
    text = page.render(
        "facenet_tf.evaluation",
        "report.html.jinja",
        figures=figures,
        images=[(image.stem, page.embedded(image.read_bytes(), "png")) for image in images],
        svm_table=[table.svm_head(figures), *table.svm_rows(figures)],
        people_name=table.people_name(figures),
        set_name=table.set_name,
        verification_table=[table.verification_head(figures), *table.verification_rows(figures)],
        few_shot_table=[table.few_shot_head(), *table.few_shot_rows(figures)],
        few_shot_note=table.few_shot_note(figures),
    )
    path.write_text(text, encoding="utf-8")
