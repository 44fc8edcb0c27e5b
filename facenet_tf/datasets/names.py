"""Names of people, as they are compared between datasets."""

import re


def normalized(name: str) -> str:
    """A person's name as it is compared between datasets: letters and digits only, lower case."""
    return re.sub(r"[\W_]+", "", name).casefold()
