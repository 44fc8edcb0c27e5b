"""The most memory that a piece of work takes above what its process had before.

Standard library only, so that it can be measured in any environment. Linux only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

MIB = 2**20


def peak_memory(work: Callable[[], object]) -> float:
    """Most resident memory during a call above that before it, in MiB.

    To be asked once for a piece of work: allocators keep what a call has freed, and the next finds
    it. What a first call compiles is part of it.
    """
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
    before = status("VmRSS")
    work()
    return (status("VmHWM") - before) / MIB


def status(field: str) -> int:
    """A figure of this process in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":"))
