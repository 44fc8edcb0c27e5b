"""A signal that asks a run to stop is heeded when the step under way is done."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopRequest:
    """Whether a run is asked to stop.

    Attributes:
        by: name of the signal; None: nobody asked.
    """

    def __init__(self) -> None:
        self.by: str | None = None

    def note(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal: note the first one, raise KeyboardInterrupt at the second.

        It may come while a line is being written, into which no other can be: nothing is logged.
        """
        if self.by is not None:
            raise KeyboardInterrupt
        self.by = signal.Signals(number).name


@contextlib.contextmanager
def signals_noted() -> Iterator[StopRequest]:
    """Note SIGTERM and SIGINT instead of being ended by them; outside the main thread, nothing."""
    request = StopRequest()
    before = {}
    with contextlib.suppress(ValueError):  # only the main thread may
        for number in _SIGNALS:
            before[number] = signal.signal(number, request.note)
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
