"""All tables that an evaluation shows on the console, of what is in docs/results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from figures import load, number, percent, table

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


SYSTEMS = {
    "AT&T": "att",
    "PubFig83": "pubfig83",
    "PubFig83, dlib": "pubfig83_pretrained",
    "LFW View 1": "lfw_view1",
    "LFW View 1, dlib": "lfw_view1_pretrained",
    "all of LFW, dlib": "lfw_everyone_dlib",
}
"""Whose pages stand side by side: the name of the column, and that of the page and its results."""


def side_by_side() -> str:
    """What says most of each system, a column each."""
    columns = [_outstanding(load(f"{run}/evaluation.json")) for run in SYSTEMS.values()]
    pages = [f"[{name}](protocols/{run}.md)" for name, run in SYSTEMS.items()]
    rows = [[name, *(each[name] for each in columns)] for name in columns[0]]
    return table(["figure", *pages], rows)


def _outstanding(figures: dict[str, Any]) -> dict[str, str]:
    lbp = figures["baselines"].get("lbp", {})
    pairs, their_pairs = (_pairs(each) for each in (figures, lbp))
    unknown = _found(figures, "open_set", "rules", "nearest_mean", "fars", "0.1") or {}
    crowd = _found(figures, "distractors", "sizes", "1000", "rank", "1", "mean")
    sorted_by = figures.get("clustering", {}).get("algorithms", {})
    preferred = max(sorted_by.values(), key=lambda each: each["validation_bcubed_f"], default={})
    return {
        "people, pictures": f"{figures['identification']['people']:,}, "
        f"{figures['identification']['pictures']:,}",
        "AUC of their pairs": number(pairs.get("auc")),
        "AUC, LBP": number(their_pairs.get("auc")),
        "EER": number(pairs.get("eer")),
        "TAR at a FAR of 0.01": number(pairs.get("tar", {}).get("0.01")),
        "TAR at a FAR of 0.0001": number(pairs.get("tar", {}).get("0.0001")),
        "SVM": percent(_found(figures, "svm", "accuracy")),
        "SVM, LBP": percent(_found(lbp, "svm", "accuracy")),
        "rank 1, one enrolled picture": percent(_rank_1(figures)),
        "rank 1, LBP": percent(_rank_1(lbp)),
        "rank 1 among 1,000 strangers": percent(crowd),
        "unknown people turned away, FAR 0.1 asked": percent(unknown.get("detected_mean")),
        "known people named all the same": percent(unknown.get("named_mean")),
        "sorted into people, BCubed F": number(_found(preferred, "bcubed", "f")),
        **_in_poor_pictures(figures.get("robustness", {})),
    }


def _in_poor_pictures(robustness: dict[str, Any]) -> dict[str, str]:
    """EER of pairs whose pictures are both degraded."""
    eers = {
        step["degraded"]: step["both"]["eer"]["value"]
        for curve in robustness.get("kinds", {}).values()
        for step in curve["steps"]
    }
    eers["as they are"] = _found(robustness, "plain", "eer", "value")
    shown = {
        "as they are": "as they are",
        "32 pixels": "low_resolution:32",
        "16 pixels": "low_resolution:16",
        "noise of 20 grey levels": "noise:20",
    }
    return {f"EER, pictures {name}": number(eers.get(key)) for name, key in shown.items()}


def _pairs(figures: dict[str, Any]) -> dict[str, Any]:
    """All pairs of the test people, or of those drawn of them."""
    drawn: dict[str, Any] = figures.get("verification", {}).get("unseen_people", {})
    return figures.get("all_pairs") or drawn


def _rank_1(figures: dict[str, Any]) -> float | None:
    share: float | None = _found(figures, "identification", "closed_set", "rank", "1", "mean")
    return share


def _found(figures: Any, *keys: str) -> Any:
    """What stands under these keys; None where a protocol gave no figures."""
    for key in keys:
        figures = figures.get(key) if isinstance(figures, dict) else None
    return figures


def _is_shown(each: Table) -> bool:
    return not each.detail and each.title != "Person by person"
