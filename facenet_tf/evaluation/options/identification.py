"""What identification can be told: `--identification.…`."""

import dataclasses

from facenet_tf.errors import InputError, require_at_least
from facenet_tf.evaluation.options import Options


@dataclasses.dataclass(frozen=True)
class IdentificationOptions(Options):
    """Whom of a gallery of unseen people a picture shows; galleries are drawn --draws times."""

    enrolled: int = 1
    """Pictures of each person in the gallery; all others are probes."""
    unknown: float = 0.5
    """Open set: share of the people who are kept out of the gallery."""
    ranks: tuple[int, ...] = (1, 5, 10)
    """Ranks at which the share of matches is given; without a rank no figures."""

    def check(self) -> None:
        """Raises InputError for the first option that cannot be meant."""
        require_at_least(self, {"enrolled": 1}, "identification.")
        if not 0 < self.unknown < 1:
            raise InputError(
                f"--identification.unknown is {self.unknown}: give a share between 0 and 1"
            )
        if any(rank < 1 for rank in self.ranks):
            raise InputError("--identification.ranks: each must be 1 or more")
