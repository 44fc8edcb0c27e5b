"""Which part of every batch one of several readers decodes."""

from __future__ import annotations

from dataclasses import dataclass

from facenet_tf.errors import InputError


@dataclass(frozen=True)
class Share:
    """A batch is cut into parts of one size, one for each replica; a reader has some in a row.

    Attributes:
        parts: of a batch, ≥ 1.
        first: number of the first part that is the reader's, from 0.
        own: how many are the reader's, ≥ 1.
    """

    parts: int = 1
    first: int = 0
    own: int = 1

    def size(self, identities_per_batch: int, images_per_identity: int) -> int:
        """Pictures of a part.

        Raises:
            InputError: the batch does not divide into the parts.
        """
        size, rest = divmod(identities_per_batch * images_per_identity, self.parts)
        if rest:
            raise InputError(
                f"--identities-per-batch {identities_per_batch} x --images-per-identity "
                f"{images_per_identity}: a batch has to divide by the {self.parts} replicas"
            )
        return size


WHOLE = Share()
