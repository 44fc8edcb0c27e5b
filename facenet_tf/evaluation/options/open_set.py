"""What the figures over unknown people can be told: `--open-set.…`."""

import dataclasses

from facenet_tf.errors import require
from facenet_tf.evaluation.options import Options


@dataclasses.dataclass(frozen=True)
class OpenSetOptions(Options):
    """Unknown people and the reject option."""

    fars: tuple[float, ...] = (0.1, 0.01)
    """Shares of unknown people's pictures that may get a name; validation people choose the
    threshold, where their pictures carry it (10 are to be expected)."""
    draws: int = 10
    """How often half of the test people are enrolled, drawn at random; 0: none of these figures."""

    def check(self) -> None:
        """Raises InputError for the first option that cannot be meant."""
        inside = all(0 < far < 1 for far in self.fars)
        require(inside, "--open-set.fars", self.fars, "each must lie between 0 and 1")
        fits = self.draws == 0 or self.draws >= 2
        require(fits, "--open-set.draws", self.draws, "give 2 or more, or 0 for none")
