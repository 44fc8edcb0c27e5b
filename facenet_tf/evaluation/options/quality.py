"""What the error-versus-reject curves can be told: `--quality.…`."""

import dataclasses

from facenet_tf.errors import InputError
from facenet_tf.evaluation.options import Options, refuse_unused


@dataclasses.dataclass(frozen=True)
class QualityOptions(Options):
    """Whether errors fall when the poorest pictures are rejected."""

    curves: bool = True
    """Draw error over rejected share for every score of quality that the pictures have."""
    limit: float = 0.2
    """The area is measured up to this share of rejected pairs."""

    def check(self) -> None:
        """Raises InputError for the first option that cannot be meant."""
        if not 0 < self.limit < 1:
            raise InputError(f"--quality.limit is {self.limit}: give a share between 0 and 1")
        if not self.curves:
            refuse_unused(self, "quality", ("limit",), "--quality.curves")
