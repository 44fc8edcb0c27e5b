"""Every loss spelt out a second time: float64 NumPy, one example and one candidate at a time.

A twin takes what the loss takes and returns the mean that a batch is trained on, a float. The
variants are the options it is compared under; the first is that of all other checks.
"""

import dataclasses
from collections.abc import Callable
from importlib import import_module
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Twin:
    function: Callable[..., float]
    variants: tuple[dict, ...]


TWINS: dict[str, Twin] = {}


def twin(title: str, *variants: dict):
    """Enter a twin for a loss by its title."""

    def enter(function):
        TWINS[title] = Twin(function, variants or ({},))
        return function

    return enter


for _file in sorted(Path(__file__).parent.glob("*.py")):
    if _file.stem != "__init__":
        import_module(f"{__name__}.{_file.stem}")
