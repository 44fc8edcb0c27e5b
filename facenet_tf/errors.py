"""What ends a command early: what the user can mend, and what can be taken up again."""


class InputError(Exception):
    """Bad usage or input; the message is one line that names the file or option and what to do."""


class Interrupted(Exception):
    """The work was interrupted and can be resumed; the message says how."""


def require(fulfilled: bool, option: str, value: object, advice: str) -> None:
    """Raise `InputError` with the option, its value and what to give instead, unless fulfilled."""
    if not fulfilled:
        raise InputError(f"{option} {value}: {advice}")
