"""How a stage's loss is written: a loss by its name, or a weighted sum of several."""

from __future__ import annotations

import re

TERM = re.compile(
    r"(?:(?P<weight>(?:\d+\.?\d*|\.\d+)(?:[eE]-?\d+)?)\s*\*\s*)?"
    r"(?P<name>\w+)(?:/(?P<mining>\w+))?"
)
"""One of the sum: ``0.01*centre``, ``triplet/semi_hard``."""


def names_of(loss: str) -> set[str]:
    """Names of the losses in a sum, without what is no term of one."""
    terms = (TERM.fullmatch(text.strip()) for text in loss.split("+"))
    return {term["name"] for term in terms if term}


def names_a_rule(loss: str) -> bool:
    """Whether a loss of the sum says its mining rule itself."""
    return "/" in loss
