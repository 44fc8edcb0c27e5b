"""All tables that an evaluation shows on the console, of what is in docs/results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from figures import between, load, number, percent, table

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
    for title, why in registry.skipped(figures).items():
        parts.append(f"**{title}.** No figures: {why}.\n")
    return "\n".join(parts)


def standing_out() -> str:
    """What says most of the networks trained here, beside LBP histograms."""
    head = ["figure", "PubFig83", "LBP there", "LFW View 1", "LBP there"]
    columns = [
        column
        for run in ("pubfig83", "lfw_view1")
        for figures in [load(f"{run}/evaluation.json")]
        for column in (_outstanding(figures), _outstanding(figures["baselines"]["lbp"]))
    ]
    return table(head, [[name, *(each[name] for each in columns)] for name in columns[0]])


def _outstanding(figures: dict[str, Any]) -> dict[str, str]:
    pairs = figures.get("all_pairs") or figures["verification"]["unseen_people"]
    first = figures["identification"]["closed_set"]["rank"]["1"]
    strangers = figures.get("distractors", {}).get("sizes", {})
    poor = figures.get("robustness", {})
    steps = {
        step["degraded"]: step["both"]["eer"]["value"]
        for curve in poor.get("kinds", {}).values()
        for step in curve["steps"]
    }
    crowd = strangers.get("1000", {}).get("rank", {}).get("1")
    plain = poor["plain"]["eer"]["value"] if poor else None
    return {
        "SVM, unseen people": percent(figures["svm"]["accuracy"]),
        "AUC, their pairs": number(pairs["auc"]),
        "rank 1, one enrolled picture": between(percent(first["mean"]), first["interval"]),
        "the same among 1,000 strangers": percent(crowd["mean"]) if crowd else "-",
        "EER, pictures as they are": number(plain),
        "EER at 32 pixels": number(steps.get("low_resolution:32")),
        "EER at 16 pixels": number(steps.get("low_resolution:16")),
        "EER with noise of 20 grey levels": number(steps.get("noise:20")),
    }


def _is_shown(each: Table) -> bool:
    return not each.detail and each.title != "Person by person"
