"""Commands that are disturbed: killed at any moment, or without room on the disk."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Run:
    """How a command ended: its exit code, what it told on stderr, how long it took."""

    code: int
    told: str
    seconds: float

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL

    @property
    def complaint(self) -> str:
        """The line that says why it failed."""
        lines = [line for line in self.told.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, self.told
        return lines[0]


def run(
    words: Sequence[object],
    directory: Path,
    wait: Callable[[subprocess.Popen[bytes]], object] | None = None,
) -> Run:
    """Run a command in a directory; with its children it is killed as soon as `wait` returns."""
    begun = time.monotonic()
    process = subprocess.Popen(
        list(map(str, words)),
        cwd=directory,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    told: list[bytes] = []
    pipe = process.stderr
    assert pipe is not None
    reader = threading.Thread(target=lambda: told.append(pipe.read()))
    reader.start()
    if wait:
        wait(process)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    code = process.wait()
    reader.join()
    pipe.close()
    return Run(code, b"".join(told).decode(errors="replace"), time.monotonic() - begun)


@contextlib.contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process and its children may become larger, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def contents(directory: Path) -> dict[str, bytes]:
    """The bytes of every file below a directory, by relative path."""
    files = (path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}
