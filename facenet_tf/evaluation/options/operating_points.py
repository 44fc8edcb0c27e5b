"""What the operating points can be told: `--operating-points.…`."""

import dataclasses
from pathlib import Path
from typing import Literal

from facenet_tf.errors import InputError
from facenet_tf.evaluation.options import Options


@dataclasses.dataclass(frozen=True)
class ThresholdOptions(Options):
    """Thresholds for each of --fars, chosen by the validation people."""

    transfer: Path | None = None
    """Thresholds of the same model from an evaluation on another dataset, to see what they do here;
    without it those beside the model, if they are from another dataset."""
    save: Literal["own", "always", "never"] = "own"
    """When to write the thresholds beside the model too, where the other commands find them: own:
    of a run's own model, if it was trained on this dataset; always; never. Those are for one look
    at each crop, also with --flip-average or --jitter; with --degrade there are none."""

    def check(self) -> None:
        """Raises InputError where the thresholds to check are missing."""
        if self.transfer is not None and not self.transfer.is_file():
            raise InputError(
                f"--operating-points.transfer {self.transfer} is missing: give a thresholds.json "
                "of an evaluation"
            )
