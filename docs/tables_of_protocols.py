"""All tables of an evaluation but those of single people, of what is in docs/results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from figures import load, table

if TYPE_CHECKING:
    from facenet_tf.evaluation.table import Table


def every_protocol(run: str) -> str:
    """The tables of every protocol that this run was measured under, each with its meaning."""
    figures = load(f"{run}/evaluation.json")
    from facenet_tf.evaluation import registry  # seconds, which the other tables do without

    parts = []
    for protocol in registry.with_figures(figures):
        shown = [each for each in protocol.tables(figures) if each.rows and not _names(each)]
        if shown:
            parts.append(f"**{protocol.title}.** {protocol.meaning}\n")
        for each in shown:
            if each.detail and each.title:
                parts.append(f"*{each.title}*\n")
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
    pairs, their_pairs = (
        _found(each, "verification", "unseen_people") or {} for each in (figures, lbp)
    )
    unknown = _found(figures, "open_set", "rules", "nearest_mean", "fars", "0.1") or {}
    sorted_by = figures.get("clustering", {}).get("algorithms", {})
    preferred = max(sorted_by.values(), key=lambda each: each["validation_bcubed_f"], default={})
    people, pictures = (figures.get("identification", {}).get(of, 0) for of in _COUNTED)
    return {
        "people, pictures": f"{people:,}, {pictures:,}",
        "AUC of their pairs": _with_interval(pairs, "auc", digits=4),
        "AUC, LBP": _with_interval(their_pairs, "auc", digits=4),
        "EER": _with_interval(pairs, "eer"),
        "TAR at a FAR of 0.01": _with_interval(pairs, "tar", "0.01"),
        "TAR at a FAR of 0.0001": _with_interval(pairs, "tar", "0.0001"),
        "SVM, ten people, 80 % of their pictures": _svm(figures),
        "SVM, LBP": _svm(lbp),
        "one picture each (of so many people)": _one_shot(figures),
        "rank 1 among all, one picture each": _of_draws(_rank_1(figures)),
        "rank 1, LBP": _of_draws(_rank_1(lbp)),
        "rank 1, 1,000 pictures of strangers added": _of_draws(
            _found(figures, "distractors", "sizes", "1000", "rank", "1")
        ),
        "unknown people turned away, FAR 0.1 asked": _told(
            unknown.get("detected_mean"), unknown.get("detected_interval")
        ),
        "known people named all the same": _told(
            unknown.get("named_mean"), unknown.get("named_interval")
        ),
        "sorted into people, BCubed F": _told(
            _found(preferred, "bcubed", "f"), _found(preferred, "bcubed", "interval")
        ),
        **_in_poor_pictures(figures.get("robustness", {})),
    }


_COUNTED = ("people", "pictures")


def _in_poor_pictures(robustness: dict[str, Any]) -> dict[str, str]:
    """EER of pairs whose pictures are both degraded."""
    eers = {
        step["degraded"]: step["both"]["eer"]
        for curve in robustness.get("kinds", {}).values()
        for step in curve["steps"]
    }
    eers["as they are"] = _found(robustness, "plain", "eer")
    shown = {
        "as they are": "as they are",
        "32 pixels": "low_resolution:32",
        "16 pixels": "low_resolution:16",
        "noise of 20 grey levels": "noise:20",
    }
    found = {name: eers.get(key) or {} for name, key in shown.items()}
    return {
        f"EER, pictures {name}": _told(eer.get("value"), eer.get("interval"))
        for name, eer in found.items()
    }


def _with_interval(pairs: dict[str, Any], *keys: str, digits: int = 3) -> str:
    """A figure of pairs, with its interval over people where they were drawn."""
    return _told(_found(pairs, *keys), _found(pairs, "bootstrap", *keys), digits)


def _svm(figures: dict[str, Any]) -> str:
    svm = figures.get("svm", {})
    return _told(svm.get("accuracy"), svm.get("accuracy_interval"))


def _one_shot(figures: dict[str, Any]) -> str:
    people = _found(figures, "few_shot", "people")
    rule = _found(figures, "few_shot", "shots", "1", "nearest_mean") or {}
    if not rule:
        return _told(None)
    return f"{rule['accuracy_mean']:.3f} ± {rule['accuracy_std']:.3f} ({people})"


def _of_draws(found: dict[str, Any] | None) -> str:
    """A mean over draws with its interval over people."""
    return _told(found.get("mean"), found.get("interval")) if found else _told(None)


def _rank_1(figures: dict[str, Any]) -> dict[str, Any] | None:
    rank: dict[str, Any] | None = _found(figures, "identification", "closed_set", "rank", "1")
    return rank


def _told(value: float | None, interval: list[float] | None = None, digits: int = 3) -> str:
    if value is None:
        return "-"
    if interval is None:
        return f"{value:.{digits}f}"
    low, high = (f"{limit:.{digits}f}" for limit in interval)
    return f"{value:.{digits}f} [{low}, {high}]"


def _found(figures: Any, *keys: str) -> Any:
    """What stands under these keys; None where a protocol gave no figures."""
    for key in keys:
        figures = figures.get(key) if isinstance(figures, dict) else None
    return figures


def _names(each: Table) -> bool:
    """Whether it is about people and pictures by name, which the report is for."""
    return each.title in ("Person by person", "Worst pairs", "Confused", "Doubtful names")
