"""The errors of the validation people, person by person: for TensorBoard, and as a CSV."""

from __future__ import annotations

import csv
import io
from typing import Any

import keras

from facenet_tf.metrics import IdentityErrors
from facenet_tf.training.keeper import RunState
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
    """Keeps the errors that the best model so far makes, which is model.keras.

    Args:
        state: has the table, as the next checkpoint writes it to identity_errors.csv, and says
            whether an epoch is the best so far.
        people: measured at the end of every epoch.
    """

    def __init__(self, state: RunState, people: ValidationPeople) -> None:
        super().__init__()
        self.state, self.people = state, people

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.state.since_best == 0:
            self.state.identity_errors = as_csv(self.people, epoch + 1)


def as_csv(people: ValidationPeople, epoch: int) -> str:
    """A line per person, the worst first; each says the epoch, the FAR and the threshold too."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, "far", "threshold", "epoch"])
    for cells in _rows(people):
        writer.writerow([*cells, FAR, f"{people.threshold:.6g}", epoch])
    return text.getvalue()


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
