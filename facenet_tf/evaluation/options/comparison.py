"""What the comparison with other systems can be told: `--comparison.…`."""

import dataclasses
import math

from facenet_tf.errors import InputError, require_at_least
from facenet_tf.evaluation.options import Options, refuse_unused


@dataclasses.dataclass(frozen=True)
class ComparisonOptions(Options):
    """How the differences to the systems of --compare are judged."""

    draws: int = 1000
    """Draws of people behind each interval and p-value."""
    level: float = 0.05
    """A difference is called significant where its p-value, adjusted for the number of pairs of
    systems, is at most this."""
    pictures: int = 1000
    """Of more test pictures so many are drawn at random, as for the test people's pairs."""

    def check(self) -> None:
        """Raises InputError for the first option that cannot be meant."""
        require_at_least(self, {"draws": 1, "pictures": 2}, "comparison.")
        if not 0 < self.level < 1:
            raise InputError(f"--comparison.level is {self.level}: give a share such as 0.05")

    def check_for(self, systems: int) -> None:
        """Raises InputError where nothing is compared, or where no difference of so many systems
        could become significant: a p-value from n draws is 2 / (n + 1) at least, and is multiplied
        by the number of pairs."""
        if systems < 2:
            refuse_unused(self, "comparison", ("draws", "level", "pictures"), "--compare")
        pairs = systems * (systems - 1) // 2
        needed = math.ceil(2 * max(pairs, 1) / self.level) - 1
        if pairs and self.draws < needed:
            raise InputError(
                f"--comparison.draws is {self.draws}: with {systems} systems no difference could "
                f"be significant at {self.level:g}; give {needed} or more"
            )
