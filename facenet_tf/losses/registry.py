"""Every loss by its name and, where one has several, its mining rule."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

# What a loss may ask for besides embeddings and labels; its other parameters are options.
TENSORS = ("prototypes", "norms", "state", "seed", "sources", "memory")

SUB_CENTRES = 3

_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclasses.dataclass(frozen=True)
class Loss:
    """A loss function and what it takes.

    Attributes:
        name, mining: as in `find_loss`; mining is None where the loss has no choice of rules.
        function: `(embeddings, labels, …) → ` per-example losses float32 [B] or a `Weighted`; with
            `state` among its tensors `(…, new state)`.
        tensors: which of `TENSORS` it takes, by keyword.
        options: its other parameters with their defaults.
        types: of each option, as annotated: `float`, `Literal["plain", …]`, one or the other.
        initial_state: `(classes, embedding_size) →` the first `state`, where it has one.
        sub_centres: whether its prototypes are [C, K, D], several of each class.
    """

    name: str
    mining: str | None
    function: Callable[..., Any]
    tensors: frozenset[str]
    options: Mapping[str, Any]
    types: Mapping[str, Any]
    initial_state: Callable[[int, int], Any] | None = None
    sub_centres: bool = False

    @property
    def title(self) -> str:
        """`name`, or `name/mining`."""
        return f"{self.name}/{self.mining}" if self.mining else self.name

    def prototype_shape(
        self, classes: int, embedding_size: int, sub_centres: int | None = None
    ) -> tuple[int, ...] | None:
        """Shape of the prototypes of so many classes; None for a loss that has none.

        `sub_centres` of each class, where it has several; None: 3, as in Deng et al. 2020.
        """
        if "prototypes" not in self.tensors:
            return None
        several = (sub_centres or SUB_CENTRES,) if self.sub_centres else ()
        return (classes, *several, embedding_size)


_LOSSES: dict[tuple[str, str | None], Loss] = {}


def register(
    name: str,
    mining: str | None = None,
    *,
    initial_state: Callable[[int, int], Any] | None = None,
    sub_centres: bool = False,
) -> Callable[[_Function], _Function]:
    """Enter a loss function under a name, and a mining rule where the loss has several."""

    def enter(function: _Function) -> _Function:
        given = list(inspect.signature(function, eval_str=True).parameters.values())[2:]
        tensors = frozenset(each.name for each in given if each.name in TENSORS)
        options = {each.name: each.default for each in given if each.name not in TENSORS}
        types = {each.name: each.annotation for each in given if each.name in options}
        _LOSSES[name, mining] = Loss(
            name, mining, function, tensors, options, types, initial_state, sub_centres
        )
        return function

    return enter


def losses() -> list[Loss]:
    """All losses, by name and mining rule."""
    return [_LOSSES[key] for key in sorted(_LOSSES, key=str)]


def find_loss(name: str, mining: str | None = None) -> Loss:
    """The loss of a name; of several mining rules the one asked for.

    Raises:
        ValueError: there is no such loss, it has no mining rules, or not this one, or it has
            several and none is asked for.
    """
    rules = {loss.mining: loss for loss in losses() if loss.name == name}
    if not rules:
        known = ", ".join(sorted({loss.name for loss in losses()}))
        raise ValueError(f"no loss {name!r}: choose one of {known}")
    if mining in rules:
        return rules[mining]
    if None in rules:
        raise ValueError(f"{name} mines nothing: give no mining rule with it")
    known = ", ".join(sorted(str(rule) for rule in rules))
    if mining is None:
        raise ValueError(f"{name} needs a mining rule: choose one of {known}")
    raise ValueError(f"{name} has no mining rule {mining!r}: choose one of {known}")
