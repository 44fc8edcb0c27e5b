"""What the curves against poor pictures can be told: `--robustness.…`."""

import dataclasses
from typing import Literal

from facenet_tf.errors import require_at_least
from facenet_tf.evaluation.options import Options, refuse_unused

DegradationKind = Literal[
    "low_resolution", "blur", "jpeg", "noise", "rotation", "occlusion", "grey"
]


@dataclasses.dataclass(frozen=True)
class RobustnessOptions(Options):
    """Curves against pictures that are made worse."""

    kinds: tuple[DegradationKind, ...] = ()
    """Kinds of degradation, a curve each; without one no figures. Every step embeds the pictures
    anew."""
    pictures: int = 1000
    """Of more test pictures so many are drawn at random: up to four of a person, or more where
    these are not enough."""
    bootstrap: int = 200
    """Draws of people behind each interval, at least; 0: none."""

    def check(self) -> None:
        """Raises InputError for the first option that cannot be meant."""
        require_at_least(self, {"pictures": 2, "bootstrap": 0}, "robustness.")
        if not self.kinds:
            refuse_unused(self, "robustness", ("pictures", "bootstrap"), "--robustness.kinds")
