"""How fast a folder of pictures becomes a dataset, and in how much memory.

    python benchmarks/build.py DIRECTORY [--workers N] [--quick] [--output FILE] [-- OPTIONS]

Runs data_prep/build_tfrecords.py as it is, with the OPTIONS after `--`, into a directory that is
thrown away. Memory is the resident size of the command and all its workers, sampled twice a second
(Linux): with bounded memory the last half of a run needs no more than the first. --quick takes 500
pictures. Exits with 1 if a picture has no row.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import report

from facenet_tf.datasets.folder import list_pictures
from facenet_tf.records.dataset import FaceDataset

COMMAND = Path(__file__).parents[1] / "data_prep" / "build_tfrecords.py"
MIB = 2**20
Sample = tuple[float, int]


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("directory", type=Path, help="folder of person/picture files")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes")
    ours = list(itertools.takewhile(lambda word: word != "--", sys.argv[1:]))
    of_build = sys.argv[len(ours) + 2 :]
    options = parser.parse_args(ours)
    with tempfile.TemporaryDirectory() as scratch:
        pictures = options.directory.resolve()
        if options.quick:
            pictures = some_of(pictures, 500, Path(scratch, "some"))
        output = Path(scratch, "dataset")
        words = [sys.executable, COMMAND, pictures, "--output", output]
        words += ["--workers", options.workers, *of_build]
        load = os.getloadavg()[0]
        seconds, samples = watched([str(word) for word in words])
        manifest = FaceDataset.open(output).manifest
    count = manifest["pictures"]
    metrics = {
        "speed": figure(count / seconds, "pictures/s, all starts included"),
        "time": figure(seconds, "s"),
        "records": figure(manifest["records"], f"of {count} pictures"),
        "memory": {
            **figure(max(size for _, size in samples) / MIB, "MiB at most, all processes"),
            **{f"at_{share}_percent": round(memory(samples, share), 1) for share in (10, 50, 100)},
        },
    }
    report.publish(
        "build",
        metrics,
        options.output,
        workers=options.workers,
        options=of_build,
        outcomes=manifest["outcomes"],
        rungs=manifest["rungs"],
        load_average={"before": round(load, 1), "after": round(os.getloadavg()[0], 1)},
    )
    listed = len(list_pictures(options.directory).pictures)
    sys.exit(0 if options.quick or count == listed else 1)


def some_of(directory: Path, count: int, place: Path) -> Path:
    """A folder of links to the first people, until they have so many pictures."""
    place.mkdir()
    for person in sorted(directory.iterdir()):
        if sum(1 for _ in place.glob("*/*")) >= count:
            break
        (place / person.name).symlink_to(person)
    return place


def watched(words: list[str]) -> tuple[float, list[Sample]]:
    """Run a command; its seconds, and what was resident after how many of them."""
    begun = time.monotonic()
    samples: list[Sample] = []
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            samples.append((time.monotonic() - begun, sum(map(resident, family(process.pid)))))
            time.sleep(0.5)
    if process.returncode:
        sys.exit(process.returncode)
    return time.monotonic() - begun, samples


def memory(samples: list[Sample], share: int) -> float:
    """MiB when a share of the time was over; at 100 % the median of the last tenth, as workers end
    one by one."""
    end = samples[-1][0]
    if share < 100:
        return next(size for at, size in samples if at >= end * share / 100) / MIB
    last = sorted(size for at, size in samples if at >= 0.9 * end)
    return last[len(last) // 2] / MIB


def family(process: int) -> Iterator[int]:
    """A process and all that it has started."""
    yield process
    for thread in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # it has ended
            for child in thread.read_text().split():
                yield from family(int(child))


def resident(process: int) -> int:
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, IndexError):  # it has ended
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def figure(value: float, unit: str) -> dict[str, Any]:
    return {"ours": round(value, 2), "peers": {}, "ratio": {}, "unit": unit}


if __name__ == "__main__":
    main()
