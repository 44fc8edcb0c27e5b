"""The errors of the validation people, person by person: for TensorBoard, and as a CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from facenet_tf.metrics import IdentityErrors
from facenet_tf.records import durable
from facenet_tf.training.validation import FAR, ValidationPeople

COLUMNS = (
    "identity",
    "images",
    "rank1_errors",
    "confused_with",
    "confused_images",
    "genuine_pairs",
    "rejected_pairs",
)
"""What a person's row says, as `IdentityErrors` does, with names for labels."""

_PEOPLE_SHOWN = 50


class IdentityTable(keras.callbacks.Callback):
    """Keeps a CSV of the errors that the best model so far makes, which is model.keras.

    Args:
        path: of the CSV; it is replaced whole.
        people: measured at the end of every epoch.
        is_best: whether the epoch that has just been measured is the best so far.
    """

    def __init__(self, path: Path, people: ValidationPeople, is_best: Callable[[], bool]) -> None:
        super().__init__()
        self.path, self.people, self.is_best = path, people, is_best

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.is_best():
            durable.write(self.path, as_csv(self.people, epoch + 1))


def as_csv(people: ValidationPeople, epoch: int) -> bytes:
    """A line per person, the worst first; each says the epoch, the FAR and the threshold too."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, "far", "threshold", "epoch"])
    for cells in _rows(people):
        writer.writerow([*cells, FAR, f"{people.threshold:.6g}", epoch])
    return text.getvalue().encode()


def as_markdown(people: ValidationPeople) -> str:
    """A table of the worst people, 50 at most, with a line above that says what it counts."""
    about = (
        f"{len(people.errors)} people, the worst first. Rejected: squared distance above "
        f"{people.threshold:.4g} (FAR {FAR:g})."
    )
    head = [" | ".join(COLUMNS), " | ".join("---" for _ in COLUMNS)]
    rows = [" | ".join(map(_cell, cells)) for cells in _rows(people)[:_PEOPLE_SHOWN]]
    return "\n".join([about, "", *(f"| {line} |" for line in [*head, *rows])])


def _rows(people: ValidationPeople) -> list[list[Any]]:
    names = people.dataset.class_names
    return [
        [
            names[one.label],
            one.images,
            one.rank1_errors,
            "" if one.confused_with is None else names[one.confused_with],
            one.confused_images,
            one.genuine_pairs,
            one.rejected_pairs,
        ]
        for one in sorted(people.errors, key=_worst_first)
    ]


def _worst_first(one: IdentityErrors) -> tuple[int, int, int]:
    return -one.rank1_errors, -one.rejected_pairs, one.label


def _cell(value: Any) -> str:
    return str(value).replace("|", r"\|")
