"""Contenders in processes of their own, that take turns."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from limited_process import LimitedProcess, Limits


@dataclasses.dataclass
class Turns:
    """What one contender came to: what it said when it was ready, its turns, why it failed."""

    ready: dict[str, Any]
    turns: list[dict[str, float]] = dataclasses.field(default_factory=list)
    failed: str | None = None


def take_turns(
    commands: Mapping[str, list[str]],
    rounds: int,
    limits: Limits,
    shortest: float,
    **environment: str,
) -> dict[str, Turns]:
    """Start all at once; when all are ready, they work in every round, one at a time.

    Args:
        commands: of each contender; it prints a line of JSON when it is ready, then reads numbers
            of calls to make and answers each with the `seconds` of one call.
        rounds: how many turns count; the one before them says how many calls fill a turn.
        limits: what a contender may take; one that takes more is ended.
        shortest: seconds that a turn has at least.
        environment: variables that all of them get besides.
    """
    with ExitStack() as stack:
        running, results = {}, {}
        for name, command in commands.items():
            running[name] = stack.enter_context(LimitedProcess(command, limits, **environment))
        for name, process in running.items():
            ready = process.answer()
            results[name] = Turns(ready, failed=ready.get("failed"))
            print(name, ready, file=sys.stderr, flush=True)
        calls = dict.fromkeys(running, 1)
        for number in range(rounds + 1):
            for name, process in running.items():
                result = results[name]
                if result.failed:
                    continue
                turn = process.ask(calls[name])
                result.failed = turn.get("failed")
                if number == 0 and not result.failed:
                    calls[name] = math.ceil(shortest / turn["seconds"])
                elif not result.failed:
                    result.turns.append(turn)
    return results
