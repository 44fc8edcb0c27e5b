"""The figures in columns, for the console."""

from __future__ import annotations

from typing import Any

from facenet_tf.evaluation import registry


def console_table(figures: dict[str, Any]) -> str:
    """All tables of all protocols that have figures, and why others have none.

    Args:
        figures: content of evaluation.json.
    """
    parts = []
    for protocol in registry.with_figures(figures):
        texts = [table.text() for table in protocol.tables(figures) if not table.detail]
        parts.extend([f"{protocol.title.upper()}", *filter(None, texts)] if any(texts) else [])
    parts.extend(f"{title}: no figures: {why}" for title, why in registry.skipped(figures).items())
    if figures["pictures"].get("degraded"):
        parts.append(f"all crops degraded: {', '.join(figures['pictures']['degraded'])}")
    lost = figures["pictures"]["lost_count"]
    if lost:
        parts.append(f"test pictures without a record: {lost} (named in the report)")
    return "\n\n".join(parts)
