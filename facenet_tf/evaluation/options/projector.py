"""What the export for TensorBoard's Projector can be told: `--projector.…`."""

import dataclasses

from facenet_tf.errors import InputError
from facenet_tf.evaluation.options import Options


@dataclasses.dataclass(frozen=True)
class ProjectorOptions(Options):
    """Embeddings and crops for TensorBoard's Projector."""

    pictures: int = 0
    """At most so many of the test people's pictures, drawn at random; 0: no export."""

    def check(self) -> None:
        """Raises InputError for the first option that cannot be meant."""
        if self.pictures < 0:
            raise InputError(f"--projector.pictures is {self.pictures}: give 0 or more")
