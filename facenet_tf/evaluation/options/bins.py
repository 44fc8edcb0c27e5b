"""What the figures over ready-made crops can be told: `--bins.…`."""

import dataclasses
from pathlib import Path

from facenet_tf.errors import InputError
from facenet_tf.evaluation.options import Options


@dataclasses.dataclass(frozen=True)
class BinsOptions(Options):
    """insightface's .bin files: pairs of crops of 112 by 112 that others have aligned."""

    files: tuple[Path, ...] = ()
    """lfw.bin, cfp_fp.bin, agedb_30.bin …; the model must take such crops (five_points, 112)."""

    def check(self) -> None:
        """Raises InputError for the first option that cannot be meant."""
        names = [file.stem for file in self.files]
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"--bins.files: two are called {name}: give them other names")
