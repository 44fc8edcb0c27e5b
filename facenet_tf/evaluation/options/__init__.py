"""Option groups of evaluate.py, one file per protocol; they import nothing heavy."""

import dataclasses
from typing import Any

from facenet_tf.errors import InputError


@dataclasses.dataclass(frozen=True)
class Options:
    """What one protocol can be told."""

    def check(self) -> None:
        """Raises InputError for the first option that cannot be meant."""


def refuse_unused(options: Any, group: str, names: tuple[str, ...], needed: str) -> None:
    """Raise InputError for the first of these fields that is not its default, though nothing
    looks at it.

    Args:
        options: a dataclass of options.
        group: what leads to them on the command line.
        names: of fields.
        needed: what it takes for them to have an effect.
    """
    for field in dataclasses.fields(options):
        if field.name in names and getattr(options, field.name) != field.default:
            raise InputError(f"--{group}.{field.name} needs {needed}: it has no effect without")
