"""Peak memory and time of a piece of work above what was there before it, in its own process.

Standard library only, so that a contender's script may run in any environment:

    import memory                                  # contender.py
    inputs = …                                     # libraries and inputs are loaded first
    memory.publish(memory.measured(lambda: work(inputs)))

    memory.in_process([python, "contender.py", "1800"])       # the benchmark
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

MIB = 2**20


def measured(work: Callable[[], object]) -> dict[str, Any]:
    """Peak resident memory above the present, in MiB, and the seconds of one call.

    To be called once in a process: memory that the work frees but the allocator keeps would
    hide the peak of the next. What a first call compiles is part of both figures. Linux only.
    """
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
    before = _status("VmRSS")
    start = time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    return {"peak_mib": (_status("VmHWM") - before) / MIB, "seconds": seconds}


def publish(figures: dict[str, Any]) -> None:
    """Print figures as the last line, where `in_process` finds them."""
    print(json.dumps(figures), flush=True)


def in_process(command: Sequence[str], timeout: float = 3600.0) -> dict[str, Any]:
    """The figures that a command publishes, or `failure`: how it ended instead."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return {"failure": f"not done after {timeout:.0f} s"}
    if done.returncode < 0:
        return {"failure": f"ended by signal {-done.returncode}"}
    if done.returncode:
        return {"failure": (done.stderr.strip().splitlines() or ["no message"])[-1]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def _status(field: str) -> int:
    """A figure of this process in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no {field}")
