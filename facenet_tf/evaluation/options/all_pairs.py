"""What the exact figures over very many pairs can be told: `--all-pairs.…`."""

import dataclasses
from typing import Literal

from facenet_tf.errors import require_at_least
from facenet_tf.evaluation.options import Options


@dataclasses.dataclass(frozen=True)
class AllPairsOptions(Options):
    """All pairs of the test people's pictures, however many they are."""

    when: Literal["many", "always", "never"] = "many"
    """many: where the test people have more pictures than all pairs are listed of (3,000), and so
    only some of the people are in `unseen_people`."""
    nearest: int = 2_000_000
    """Impostor pairs to keep, the nearest, for intervals over people: they carry FARs up to half
    their share of all impostor pairs. Each takes 48 bytes."""

    def check(self) -> None:
        """Raises InputError for the first option that cannot be meant."""
        require_at_least(self, {"nearest": 0}, "all-pairs.")
