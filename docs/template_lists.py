"""Writes lists of templates, in IJB's form, over the test people of a dataset.

    python docs/template_lists.py DATASET DIRECTORY

For data that no published lists are of. DIRECTORY gets members.csv, pairs.csv and quality.csv, for
--templates.members, --templates.pairs and --templates.quality. The pictures of a person are dealt
out, in the order of their keys, to as few templates of at most PICTURES as hold them, but to two
where there are two pictures; each picture is a medium of its own, and counts by its place among
all pictures in ascending order of sharpness. All pairs of templates of one person are compared, and
IMPOSTORS pairs of two people, drawn at random, or all where there are no more. The same dataset
gives the same files.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import numpy as np

from facenet_tf.records.rows import Row, read_rows

FILES = ("members", "pairs", "quality")
"""Written with the ending .csv; also the options of evaluate.py that take them."""
PICTURES = 3
IMPOSTORS = 200_000
NOT_FOUND = 0.0
"""Sharpness of a picture whose face was not found, and that may have a crop all the same."""


def write(dataset: Path, directory: Path) -> None:
    """Write the FILES of a dataset."""
    rows = [
        row
        for row in read_rows(dataset / "images.csv")
        if row.split == "test" and row.outcome not in ("duplicate", "excluded")
    ]
    templates = list(dealt_out(rows))
    members = [
        [number, template[0].identity, row.path, row.path]
        for number, template in enumerate(templates)
        for row in template
    ]
    subjects = [template[0].identity for template in templates]
    sharpness = np.array([float(row.sharpness or NOT_FOUND) for row in rows])
    places = np.searchsorted(np.sort(sharpness), sharpness, side="right") / max(len(rows), 1)
    qualities = [[row.path, f"{place:.4f}"] for row, place in zip(rows, places, strict=True)]
    head = ["TEMPLATE_ID", "SUBJECT_ID", "FILENAME", "MEDIA_ID"]
    tables = ([head, *members], compared(subjects), [["FILENAME", "QUALITY"], *qualities])
    directory.mkdir(parents=True, exist_ok=True)
    for name, lines in zip(FILES, tables, strict=True):
        with (directory / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(lines)


def dealt_out(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Templates, person by person."""
    in_order = sorted(rows, key=lambda row: (row.identity, row.path))
    for _, group in groupby(in_order, key=lambda row: row.identity):
        pictures = list(group)
        count = max(-(-len(pictures) // PICTURES), min(2, len(pictures)))
        yield from (pictures[first::count] for first in range(count))


def compared(subjects: list[str]) -> Iterable[list[int]]:
    """Pairs of templates: all of one person, and no more than IMPOSTORS of two."""
    people = np.unique(subjects, return_inverse=True)[1]
    left, right = np.tril_indices(len(people), -1)
    genuine = people[left] == people[right]
    impostor = np.flatnonzero(~genuine)
    if len(impostor) > IMPOSTORS:
        impostor = np.sort(np.random.default_rng(0).choice(impostor, IMPOSTORS, replace=False))
    chosen = np.concatenate([np.flatnonzero(genuine), impostor])
    return np.stack([left[chosen], right[chosen]], axis=1).tolist()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path, help="dataset directory")
    parser.add_argument("directory", type=Path, help="where the lists are written")
    given = parser.parse_args()
    write(given.dataset, given.directory)
