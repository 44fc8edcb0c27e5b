"""A loss that is NaN or infinite: what is written down of it, and whether the run goes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from facenet_tf.errors import require
from facenet_tf.records import durable

if TYPE_CHECKING:
    from facenet_tf.records.dataset import FaceDataset


@dataclass(frozen=True)
class Recovery:
    """What follows when the loss or the gradient of a step is not finite."""

    rollbacks: int = 0
    """go back to the last checkpoint, at most so many times in a run; 0: the run ends"""
    rate: float = 0.5
    """what the learning rates of the rest of the run are multiplied by each time"""

    def check(self) -> None:
        """Raise `InputError` for values that make no sense, naming the option."""
        require(self.rollbacks >= 0, "--recovery.rollbacks", self.rollbacks, "give 0 or more")
        sensible = 0 < self.rate <= 1
        require(sensible, "--recovery.rate", self.rate, "give more than 0 and at most 1")
        used = self.rollbacks > 0 or self.rate == Recovery.rate
        require(used, "--recovery.rate", self.rate, "give --recovery.rollbacks too")


class NotFinite(Exception):
    """A step gave a number that is not finite, or one was found after it.

    Attributes:
        epoch: of the run, from 0 on.
        first, last: steps of the epoch, from 0 on: those of the execution that gave it.
        name: of the figure, or of the variable.
        value: NaN or infinite; None of what is not looked at after each step.
    """

    def __init__(
        self, epoch: int, first: int, last: int, name: str, value: float | None = None
    ) -> None:
        super().__init__(f"{name} {value}")
        self.epoch, self.first, self.last = epoch, first, last
        self.name, self.value = name, value

    @property
    def what(self) -> str:
        """What became of which figure, and when, in words."""
        if self.value is None:
            return (
                f"a number in {self.name} was not finite after step {self.last + 1} of epoch "
                f"{self.epoch + 1} (an earlier step may have done it)"
            )
        steps = f"step {self.first + 1}"
        if self.last > self.first:
            steps = f"one of the steps {self.first + 1} to {self.last + 1}"
        return f"the {self.name.replace('_', ' ')} became {self.value} at {steps} of epoch " + str(
            self.epoch + 1
        )


def write_batches(
    path: Path,
    found: NotFinite,
    dataset: FaceDataset,
    batches: Mapping[int, Mapping[str, np.ndarray]],
    **facts: Any,
) -> None:
    """Write the batches that did it, or after which it was found.

    Args:
        path: of the JSON.
        found: what became of which figure.
        dataset: of whose records the batches are.
        batches: step of the stage → its batch, with ``record`` and ``label`` int [B].
        facts: further ones; with the stage's seed and the step, what was drawn can be drawn again.
    """
    content = {
        "what": found.what,
        "epoch": found.epoch + 1,
        **facts,
        "steps": [
            {"stage_step": step, "pictures": _pictures(dataset, batch["record"], batch["label"])}
            for step, batch in batches.items()
        ],
    }
    durable.write_json(path, content)


def _pictures(
    dataset: FaceDataset, records: Sequence[int] | np.ndarray, labels: Sequence[int] | np.ndarray
) -> list[dict[str, Any]]:
    keys = dataset.keys()
    return [
        {
            "path": keys[record],
            "identity": dataset.class_names[dataset.labels[record]],
            "record": int(record),
            "label": int(label),
        }
        for record, label in zip(records, labels, strict=True)
    ]
