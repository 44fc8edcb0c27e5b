"""What the figures of groups can be told: `--fairness.…`."""

import dataclasses
from pathlib import Path

from facenet_tf.errors import InputError, require_at_least
from facenet_tf.evaluation.options import Options


@dataclasses.dataclass(frozen=True)
class FairnessOptions(Options):
    """The figures group by group."""

    attributes: Path | None = None
    """CSV with a column key (pictures) or identity (people), and one for each attribute; without it
    no figures."""
    columns: tuple[str, ...] = ()
    """Attributes that group the pictures; without a name all that the file has."""
    smallest: int = 20
    """A group of fewer people gets a warning and takes no part in the comparison of groups."""

    def check(self) -> None:
        """Raises InputError for the first option that cannot be meant."""
        if self.attributes is not None and not self.attributes.is_file():
            raise InputError(f"--fairness.attributes {self.attributes}: there is no such file")
        if self.columns and self.attributes is None:
            raise InputError("--fairness.columns needs --fairness.attributes: give the CSV")
        require_at_least(self, {"smallest": 2}, "fairness.")
