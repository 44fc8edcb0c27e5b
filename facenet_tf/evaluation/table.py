"""Tables of figures: what the console shows and the report repeats."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

from facenet_tf import metrics


@dataclasses.dataclass(frozen=True)
class Table:
    """A table for console and report.

    Attributes:
        head: its columns.
        rows: as many cells each.
        note: what a reader has to know with it; alone where there are no rows.
        title: heading above it in the report.
        detail: only for the report, as are `protocol`, `terms` and `title`.
        protocol: how the figures came about, in small print.
        terms: column → what it says, a sentence for a reader who is no specialist.
    """

    head: list[str] = dataclasses.field(default_factory=list)
    rows: list[list[str]] = dataclasses.field(default_factory=list)
    note: str = ""
    title: str = ""
    detail: bool = False
    protocol: str = ""
    terms: dict[str, str] = dataclasses.field(default_factory=dict)

    def text(self) -> str:
        """The table in columns, for the console, with its note below."""
        parts = [columns([self.head, *self.rows])] if self.rows else []
        return "\n\n".join([*parts, *([self.note] if self.note else [])])


def by_vectors(figures: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The results of the measured network, of each baseline and each system compared, by name."""
    others, shown = figures["baselines"], shown_names(figures["baselines"])
    return {measured_name(figures): figures, **{shown[name]: others[name] for name in others}}


def measured_name(figures: dict[str, Any]) -> str:
    """What the measured system is called: with weights of others it was not trained here, and a
    file of any other kind goes by its name, unless it is compared with another use of itself."""
    if figures.get("weights"):
        return "pretrained"
    if figures.get("model", {}).get("kind", "run") == "run":
        return "trained"
    file: str = figures["config"]["run"]
    others = shown_names(figures.get("baselines", {})).values()
    return f"{file} (measured)" if file in others else file


def shown_names(baselines: dict[str, dict[str, Any]]) -> dict[str, str]:
    """What each baseline is called: another system by its source or, where several have that, as
    it was given."""
    sources = Counter(found.get("source") for found in baselines.values())
    return {name: _shown(name, found, sources) for name, found in baselines.items()}


def _shown(name: str, baseline: dict[str, Any], sources: Counter[str | None]) -> str:
    source = baseline.get("source")
    if source is None:
        return name.replace("_", " ")
    return source if sources[source] == 1 else name


def people_name(figures: dict[str, Any]) -> str:
    """What the test people are called: with weights of others they may not be unseen."""
    weights, people = figures.get("weights"), figures.get("seen_people", {})
    seen = weights["seen"] if weights else people.get("before")
    return f"people ({seen})" if seen else "unseen people"


def pairs_name(key: str) -> str:
    """What a set of pairs is called: weights of others may have seen the test people."""
    return "test people" if key == "unseen_people" else key


def told_pairs(figures: dict[str, Any]) -> str:
    """How many genuine and impostor pairs figures are of; nothing where older ones do not say."""
    if "genuine_pairs" not in figures:
        return ""
    return (
        f", {figures['genuine_pairs']:,} genuine and {figures['impostor_pairs']:,} impostor pairs"
    )


def columns(rows: list[list[str]]) -> str:
    """Rows of cells as lines of columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def share(value: float | None) -> str:
    """A share between 0 and 1, or "-" where there is none."""
    return "-" if value is None else f"{value:.4f}"


def percent(value: float) -> str:
    """A share in words, for the verdict."""
    return f"{100 * value:.1f} %"


def interval(pair: list[float] | tuple[float, float] | None) -> str:
    """An interval of shares, or "-" where there is none."""
    return "-" if pair is None else f"{pair[0]:.4f} – {pair[1]:.4f}"


def steered_people(figures: dict[str, Any]) -> str:
    """What a note says of validation people who had a say in the training, too; else nothing."""
    count = figures.get("steered_people")
    return f"; {count} of the validation people steered a training" if count else ""


def doubt_of_intervals(people: int) -> str:
    """What is to be said of intervals over so few people; nothing where they are enough."""
    sure = metrics.sureness_of_few(people)
    if sure is None:
        return ""
    return f"intervals over {people} people hold the truth in some {percent(sure)} of cases only"
