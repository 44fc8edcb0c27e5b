"""What is known of pictures or people beyond their names: a CSV of attributes."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facenet_tf.errors import InputError
from facenet_tf.evaluation.roster import Roster

MOST_GROUPS = 30
"""A column with more values is no grouping."""
UNKNOWN = ""
"""Group of a picture that the file says nothing of."""
_NAMES = ("key", "identity")


def read_attributes(
    path: Path, columns: Sequence[str], roster: Roster
) -> dict[str, NDArray[np.str_]]:
    """The group of every picture of a roster, by attribute.

    Args:
        path: CSV with a column `key` (a row for each picture) or `identity` (for each person), and
            a column for each attribute, whose values are the groups.
        columns: the attributes; none: all that the file has.
        roster: N pictures.

    Returns:
        str [N] by attribute; UNKNOWN for pictures of which the file or a cell says nothing.

    Raises:
        InputError: the file cannot be read or has no such columns; a row has another number of
            cells; a picture or person is there twice; no row is of the roster; an attribute has
            more than MOST_GROUPS groups.
    """
    head, rows = _read(path)
    by = next((name for name in _NAMES if name in head), None)
    if by is None:
        raise InputError(
            f"{path}: it needs a column `key` (pictures) or `identity` (people), separated by "
            f"commas; its first line is {','.join(head)[:40]!r}"
        )
    asked = list(columns) or [name for name in head if name not in _NAMES]
    missing = [name for name in asked if name not in head]
    if missing or not asked:
        known = ", ".join(name for name in head if name not in _NAMES) or "none"
        raise InputError(f"{path}: no column {', '.join(missing)}: its attributes are {known}")
    place = head.index(by)
    names = [row[place] for row in rows]
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        raise InputError(f"{path}: {by} {repeated[0]} is there more than once")
    groups = {}
    for attribute in asked:
        column = head.index(attribute)
        value_of = {row[place]: row[column].strip() for row in rows}
        of_roster = roster.keys if by == "key" else roster.identities
        groups[attribute] = np.array([value_of.get(str(n), UNKNOWN) for n in of_roster], np.str_)
        _check(path, attribute, groups[attribute], by)
    return groups


def _read(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            head, *rows = [row for row in csv.reader(file) if row] or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: it cannot be read as CSV ({error})") from error
    for number, row in enumerate(rows, start=2):
        if len(row) != len(head):
            raise InputError(f"{path}, row {number}: {len(row)} cells, the head has {len(head)}")
    return head, rows


def _check(path: Path, attribute: str, groups: NDArray[np.str_], by: str) -> None:
    found = set(groups.tolist()) - {UNKNOWN}
    if not found:
        raise InputError(f"{path}: its column {attribute} says nothing of these pictures by {by}")
    if len(found) > MOST_GROUPS:
        raise InputError(
            f"{path}: {attribute} has {len(found)} values: put them into {MOST_GROUPS} groups at "
            "most, for instance ages by decade"
        )
