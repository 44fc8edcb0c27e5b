"""What the user can mend."""


class InputError(Exception):
    """Bad usage or input; the message is one line that names the file or option and what to do."""
