"""What the export for TensorBoard's Projector can be told: `--projector.…`."""

import dataclasses

from facenet_tf.errors import require_at_least
from facenet_tf.evaluation.options import Options


@dataclasses.dataclass(frozen=True)
class ProjectorOptions(Options):
    """Embeddings and crops for TensorBoard's Projector."""

    pictures: int = 0
    """At most so many of the test people's pictures, drawn at random; 0: no export."""

    def check(self) -> None:
        """Raises InputError for the first option that cannot be meant."""
        require_at_least(self, {"pictures": 0}, "projector.")
