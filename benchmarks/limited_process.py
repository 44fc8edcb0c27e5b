"""A process that answers in lines of JSON, and is ended when it takes too much."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import select
import subprocess
import time
from pathlib import Path
from typing import Any


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a process may take: resident bytes, and seconds for one answer."""

    memory: float
    seconds: float


class LimitedProcess:
    """A command that prints one line of JSON for what it is asked, `failed` among it or not."""

    def __init__(self, command: list[str], limits: Limits, **environment: str) -> None:
        self._limits = limits
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | environment,
        )

    def __enter__(self) -> LimitedProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self, question: object) -> dict[str, Any]:
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):  # it is gone: the answer says so
            self._process.stdin.write(f"{question}\n".encode())
            self._process.stdin.flush()
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """The next line of JSON; `failed` says why there is none."""
        output, start = self._process.stdout, time.monotonic()
        assert output
        while not select.select([output], [], [], 0.02)[0]:
            taken = resident(self._process.pid)
            if taken > self._limits.memory:
                return self._ended(f"out of memory at {taken / 1e9:.1f} GB")
            if time.monotonic() - start > self._limits.seconds:
                return self._ended(f"out of time after {self._limits.seconds:.0f} s")
        line = output.readline()
        return json.loads(line) if line else {"failed": f"exit code {self._process.wait()}"}

    def _ended(self, reason: str) -> dict[str, str]:
        self._process.kill()
        self._process.wait()
        return {"failed": reason}


def resident(process: int) -> int:
    """Bytes of memory that a process has; 0 once it is gone."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return 0
    sizes = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(sizes[0]) * 1024 if sizes else 0
