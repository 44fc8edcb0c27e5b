"""What the figures over probabilities can be told: `--probabilities.…`."""

import dataclasses

from facenet_tf.errors import require
from facenet_tf.evaluation.options import Options


@dataclasses.dataclass(frozen=True)
class ProbabilitiesOptions(Options):
    """Whether probabilities mean what they say."""

    folds: int = 5
    """Each picture gets its probabilities from the other folds; 0: none of these figures."""

    def check(self) -> None:
        """Raises InputError for a number of folds that cannot be meant."""
        fits = self.folds == 0 or self.folds >= 2
        require(fits, "--probabilities.folds", self.folds, "give 2 or more, or 0 for none")
