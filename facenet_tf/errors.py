"""What ends a command early: what the user can mend, and what can be taken up again."""

from collections.abc import Mapping


class InputError(Exception):
    """Bad usage or input; the message is one line that names the file or option and what to do."""


class Interrupted(Exception):
    """The work was interrupted and can be resumed; the message says how."""


def require(fulfilled: bool, option: str, value: object, advice: str) -> None:
    """Raise `InputError` with the option, its value and what to give instead, unless fulfilled."""
    if not fulfilled:
        raise InputError(f"{option} {value}: {advice}")


def require_at_least(options: object, least: Mapping[str, float], prefix: str = "") -> None:
    """Raise `InputError` for the first of these fields that is below its limit, or NaN.

    Args:
        options: a dataclass of options.
        least: field to limit.
        prefix: what leads to these options on the command line, such as "main.".
    """
    for field, limit in least.items():
        value, option = getattr(options, field), f"--{prefix}{field.replace('_', '-')}"
        require(value >= limit, option, value, f"give {limit} or more")
