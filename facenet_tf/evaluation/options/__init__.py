"""Option groups of evaluate.py, one file per protocol; they import nothing heavy."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Options:
    """What one protocol can be told."""

    def check(self) -> None:
        """Raises InputError for the first option that cannot be meant."""
