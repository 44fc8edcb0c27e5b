"""All tables that an evaluation shows on the console, of what is in docs/results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from figures import load, table

if TYPE_CHECKING:
    from facenet_tf.evaluation.table import Table


def every_protocol(run: str) -> str:
    """The tables of every protocol that this run was measured under, each with its meaning."""
    figures = load(f"{run}/evaluation.json")
    from facenet_tf.evaluation import registry  # seconds, which the other tables do without

    parts = []
    for protocol in registry.with_figures(figures):
        shown = [each for each in protocol.tables(figures) if each.rows and _is_shown(each)]
        if shown:
            parts.append(f"**{protocol.title}.** {protocol.meaning}\n")
        for each in shown:
            parts.append(table(each.head, each.rows))
            if each.note:
                parts.append(f"{each.note[0].upper()}{each.note[1:]}.\n")
    return "\n".join(parts)


def _is_shown(each: Table) -> bool:
    return not each.detail and each.title != "Person by person"
