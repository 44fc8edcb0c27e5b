"""What the comparison with other systems can be told: `--comparison.…`."""

import dataclasses

from facenet_tf.errors import InputError
from facenet_tf.evaluation.options import Options


@dataclasses.dataclass(frozen=True)
class ComparisonOptions(Options):
    """How the differences to the systems of --compare are judged."""

    draws: int = 1000
    """Draws of people behind each interval and p-value."""
    level: float = 0.05
    """A difference is called significant where its p-value, adjusted for the number of pairs of
    systems, is at most this."""
    pictures: int = 1000
    """Of more test pictures, whole people are drawn at random up to this number."""

    def check(self) -> None:
        """Raises InputError for the first option that cannot be meant."""
        if self.draws < 20:
            raise InputError(f"--comparison.draws is {self.draws}: give 20 or more")
        if not 0 < self.level < 1:
            raise InputError(f"--comparison.level is {self.level}: give a share such as 0.05")
        if self.pictures < 2:
            raise InputError(f"--comparison.pictures is {self.pictures}: give 2 or more")
