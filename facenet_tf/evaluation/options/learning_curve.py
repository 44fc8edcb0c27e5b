"""What the learning curve can be told: `--learning-curve.…`."""

import dataclasses

from facenet_tf.errors import require
from facenet_tf.evaluation.options import Options, refuse_unused


@dataclasses.dataclass(frozen=True)
class LearningCurveOptions(Options):
    """Accuracy over the number of pictures that each person is enrolled with."""

    shots: tuple[int, ...] = (1, 2, 5, 10, 20, 50, 100, 200)
    """Numbers of pictures; those that too few people have are left out."""
    draws: int = 0
    """How often the pictures are drawn; 0: no curve."""

    def check(self) -> None:
        """Raises InputError for the first option that cannot be meant."""
        fits = bool(self.shots) and min(self.shots) >= 1
        require(fits, "--learning-curve.shots", self.shots, "give numbers of 1 or more")
        fits = self.draws == 0 or self.draws >= 2
        require(fits, "--learning-curve.draws", self.draws, "give 2 or more, or 0 for none")
        if not self.draws:
            refuse_unused(self, "learning-curve", ("shots",), "--learning-curve.draws")
