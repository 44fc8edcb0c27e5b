"""What the list of errors can be told: `--errors.…`."""

import dataclasses

from facenet_tf.errors import require_at_least
from facenet_tf.evaluation.options import Options


@dataclasses.dataclass(frozen=True)
class ErrorsOptions(Options):
    """The worst errors, with their pictures in the report."""

    worst: int = 6
    """How many of each kind; 0: none."""

    def check(self) -> None:
        """Raises InputError for the first option that cannot be meant."""
        require_at_least(self, {"worst": 0}, "errors.")
