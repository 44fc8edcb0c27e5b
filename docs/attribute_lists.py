"""Writes attributes of a dataset's test pictures: pose, light and sharpness, in thirds.

    python docs/attribute_lists.py DATASET FILE.csv

For data of which nobody has published who is in what group: these say when a system fails, not for
whom. The CSV is one for --fairness.attributes, with a row for each picture whose face was measured;
a third of the pictures is in each group. The same dataset gives the same file.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from facenet_tf.records.rows import Row, read_rows

ATTRIBUTES: dict[str, tuple[Callable[[Row], float], tuple[str, str, str]]] = {
    "pose": (lambda row: abs(float(row.yaw)), ("1 frontal", "2 between", "3 turned away")),
    "light": (lambda row: float(row.exposure), ("1 dark", "2 between", "3 bright")),
    "sharpness": (lambda row: float(row.sharpness), ("1 blurred", "2 between", "3 sharp")),
}
"""By name: what is measured (`facenet_tf.quality.Quality`), and the groups by ascending value."""


def write(dataset: Path, file: Path) -> None:
    """Write the attributes of a dataset's test pictures."""
    rows = [row for row in read_rows(dataset / "images.csv") if row.split == "test" and row.yaw]
    columns = [
        thirds([measured(row) for row in rows], names) for measured, names in ATTRIBUTES.values()
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["key", *ATTRIBUTES])
        writer.writerows(zip((row.path for row in rows), *columns, strict=True))


def thirds(values: Sequence[float], names: Sequence[str]) -> list[str]:
    """The name of the third of ascending values to which each belongs; equal ones share it."""
    limits = np.quantile(values, [1 / 3, 2 / 3])
    return [names[third] for third in np.searchsorted(limits, values)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path, help="dataset directory")
    parser.add_argument("file", type=Path, help="CSV to write")
    given = parser.parse_args()
    write(given.dataset, given.file)
