"""Ranges of options: beyond them a loss is no number, or learns the opposite."""

from __future__ import annotations

from typing import Any


def check_positive(**options: Any) -> None:
    """Raise ValueError for a number that is not above 0, naming it. Tensors are not looked at."""
    for name, value in options.items():
        if isinstance(value, int | float) and not value > 0:
            raise ValueError(f"{name} must be above 0, not {value}")


def check_fraction(**options: Any) -> None:
    """Raise ValueError for a number that is not in [0, 1], naming it. Tensors are not looked at."""
    for name, value in options.items():
        if isinstance(value, int | float) and not 0 <= value <= 1:
            raise ValueError(f"{name} must be from 0 to 1, not {value}")
