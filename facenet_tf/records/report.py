"""``report.html``: a dataset at a glance, outcomes, people and quality, in one file.

Like all of a dataset directory it names no time and no host: its bytes follow from the dataset and
its sources.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from facenet_tf import page
from facenet_tf.datasets.picture import Picture
from facenet_tf.records import durable
from facenet_tf.records.measures import QUANTILES, WORST, Distribution, distributions, worst
from facenet_tf.records.rows import Row, evenly
from facenet_tf.records.thumbnails import Thumbnails

# How much is shown; a report then has 100 to 500 kB.
_EXAMPLES, _PEOPLE, _FACES, _WORST = 8, 24, 8, 8


@dataclasses.dataclass(frozen=True)
class Shown:
    """A picture with what is said below it; `image` is what ``src`` takes, or empty."""

    image: str
    caption: str


@dataclasses.dataclass(frozen=True)
class Group:
    """Some pictures under one head."""

    title: str
    note: str
    shown: list[Shown]


def write_report(
    path: Path,
    manifest: Mapping[str, Any],
    shards: Sequence[Path],
    rows: Sequence[Row],
    pictures: Iterable[Picture],
) -> None:
    """Write the report of a dataset.

    Args:
        path: file to write.
        manifest: what ``dataset.json`` says.
        shards: the shard files by number.
        rows: of all pictures, sorted by key.
        pictures: the sources, of which examples without a record are shown.
    """
    thumbnail = Thumbnails(shards, rows, pictures)
    measured = distributions(rows)
    text = page.render(
        "facenet_tf.records",
        "report.html.jinja",
        manifest=manifest,
        splits=[
            [name, split["identities"], split["records"]]
            for name, split in manifest["splits"].items()
        ],
        outcomes=_outcomes(rows, thumbnail),
        distributions=measured,
        quantiles=_quantile_table(measured),
        worst=_worst(rows, thumbnail),
        people=_people(rows, thumbnail),
    )
    durable.write(path, text.encode())


def _outcomes(rows: Sequence[Row], thumbnail: Callable[[Row], str]) -> list[Group]:
    """Examples of each outcome, the most frequent first."""
    by_outcome: dict[str, list[Row]] = collections.defaultdict(list)
    for row in rows:
        by_outcome[row.outcome].append(row)
    ordered = sorted(by_outcome.items(), key=lambda item: (-len(item[1]), item[0]))
    return [
        Group(
            outcome,
            f"{len(members)} of {len(rows)} pictures, {len(members) / len(rows):.2%}",
            [Shown(thumbnail(row), _about(row)) for row in evenly(members, _EXAMPLES)],
        )
        for outcome, members in ordered
    ]


def _about(row: Row) -> str:
    return "; ".join(filter(None, (row.path, row.rung, row.detail)))


def _quantile_table(measured: Iterable[Distribution]) -> list[list[str]]:
    head = ["", *(f"{share:.0%}" for share in QUANTILES)]
    return [
        head,
        *([each.title, *(f"{value:.4g}" for value in each.quantiles)] for each in measured),
    ]


def _worst(rows: Sequence[Row], thumbnail: Callable[[Row], str]) -> list[Group]:
    groups = []
    for title, column, order in WORST:
        found = worst(rows, column, order, _WORST)
        captions = [f"{float(getattr(row, column)):.4g}, {row.path}" for row in found]
        shown = [Shown(thumbnail(row), caption) for row, caption in zip(found, captions)]
        groups.append(Group(title, column, shown))
    return groups


def _people(rows: Sequence[Row], thumbnail: Callable[[Row], str]) -> list[Group]:
    """The first people with their first faces."""
    pictures = collections.Counter(row.identity for row in rows)
    by_person: dict[str, list[Row]] = collections.defaultdict(list)
    for row in rows:
        if row.stored:
            by_person[row.identity].append(row)
    return [
        Group(
            name,
            f"{members[0].split}, {len(members)} records of {pictures[name]} pictures",
            [Shown(thumbnail(row), "") for row in members[:_FACES]],
        )
        for name, members in sorted(by_person.items())[:_PEOPLE]
    ]
