"""What the figures over templates can be told: `--templates.…`."""

import dataclasses
from pathlib import Path

from facenet_tf.errors import InputError
from facenet_tf.evaluation.options import Options


@dataclasses.dataclass(frozen=True)
class TemplatesOptions(Options):
    """Sets of pictures compared with sets of pictures, as in IJB-A, B and C."""

    members: tuple[Path, ...] = ()
    """Files that say which picture is in which template: PICTURE TEMPLATE MEDIUM, or CSV with
    TEMPLATE_ID, SUBJECT_ID and FILENAME; several files are read as one."""
    pairs: Path | None = None
    """File of the templates to compare: TEMPLATE TEMPLATE 0 or 1, or TEMPLATE,TEMPLATE."""
    quality: Path | None = None
    """File with a quality for each picture, its first word the picture, its last the quality; adds
    figures in which pictures count by it."""

    def check(self) -> None:
        """Raises InputError for the first option that cannot be meant."""
        if bool(self.members) != bool(self.pairs):
            raise InputError("--templates.members and --templates.pairs go together: give both")
        if self.quality and not self.members:
            raise InputError("--templates.quality needs --templates.members and --templates.pairs")
