"""What ends a command early: what the user can mend, and what can be taken up again."""


class InputError(Exception):
    """Bad usage or input; the message is one line that names the file or option and what to do."""


class Interrupted(Exception):
    """The work was interrupted and can be resumed; the message says how."""
