"""What a kill or a full disk costs a build: nothing but what was being done at that moment.

    python benchmarks/interruptions.py [DIRECTORY] [--minutes M] [--quick] [--output FILE]

A folder of person/picture files is built once undisturbed: without a DIRECTORY that of the first
AT&T faces (--people). Then it is built again and again, each time killed (SIGKILL to the command
and its workers) at seeded random moments, and started anew with 1 and 2 workers in turn until it is
done. Half of the moments are of an undisturbed run's time, half of them lie between two pictures
that the detector is shown. Then with no room for files above several sizes, and once more with
room. Every dataset has to be the undisturbed one, byte for byte; exits with 1 if one is not.
"""

from __future__ import annotations

import contextlib
import functools
import json
import math
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import report
from att_pictures import write_pictures
from counted_build import pictures_shown
from disturbed import Run, contents, largest_file, run

SEED = 20
HERE = Path(__file__).parent


class Place:
    """Where the builds are made: each in a directory of its own, its options in the same words."""

    def __init__(self, scratch: Path, pictures: Path) -> None:
        self._scratch = scratch
        self._pictures = pictures.resolve()

    def build(self, name: str, workers: int, wait: Any = None) -> Run:
        words = [sys.executable, HERE / "counted_build.py", f"{name}.notes", self._pictures]
        options = ["--name", "pictures", "--output", name, "--workers", workers]
        return run([*words, *options], self._scratch, wait)

    def contents(self, name: str) -> dict[str, bytes]:
        return contents(self._scratch / name)

    def shown(self, name: str) -> int:
        return pictures_shown(self._scratch / f"{name}.notes")


class Moments:
    """When to kill: seeded functions that wait for it, or until a process ends.

    Args:
        seconds: what an undisturbed build takes.
        pictures: how many of them its detector is shown.
    """

    def __init__(self, seconds: float, pictures: int) -> None:
        self._seconds, self._pictures = seconds, pictures
        self._chance = random.Random(SEED)

    def next(self, shown: Callable[[], int]) -> Callable[[subprocess.Popen[bytes]], None]:
        moment = self._chance.uniform(0, self._seconds)
        if self._chance.random() < 0.5:
            return functools.partial(ended, seconds=moment)
        pictures, pause = self._chance.randint(1, self._pictures), self._chance.uniform(0, 0.5)
        known = shown()

        def wait(process: subprocess.Popen[bytes]) -> None:
            while shown() < known + pictures and not ended(process, 0.05):
                pass
            ended(process, pause)

        return wait


def ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait so long for the end of a process, and say whether it has come."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    return process.returncode is not None


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("directory", type=Path, nargs="?", help="folder of person/picture files")
    parser.add_argument("--builds", type=int, default=20, help="how many builds are killed")
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="after so many no further build is killed"
    )
    parser.add_argument("--people", type=int, default=40, help="how many of the AT&T faces")
    options = parser.parse_args()
    builds = 2 if options.quick else options.builds
    with tempfile.TemporaryDirectory() as scratch:
        pictures = options.directory or write_pictures(Path(scratch, "att"), options.people)
        place = Place(Path(scratch), pictures)
        undisturbed = place.build("undisturbed", 2)
        assert undisturbed.code == 0, undisturbed.told
        expected, shown = place.contents("undisturbed"), place.shown("undisturbed")
        moments = Moments(undisturbed.seconds, shown)
        end = time.monotonic() + 60 * options.minutes
        killed: list[dict[str, Any]] = []
        while len(killed) < builds and time.monotonic() < end:
            killed.append(killed_build(place, len(killed), moments, expected))
        full = [full_disk(place, f"full{size}", size, expected) for size in sizes(expected)]
    again = [build["pictures_shown"] / shown - 1 for build in killed]
    times = [build["seconds"] / undisturbed.seconds for build in killed]
    metrics = {
        "builds_killed": figure(
            sum(build["equal"] for build in killed), f"of {len(killed)} are the undisturbed one"
        ),
        "kills": figure(sum(build["kills"] for build in killed), "in all"),
        "pictures_again": spread(again, "of the pictures are shown to the detector once more"),
        "time": spread(times, "times that of an undisturbed build, all starts included"),
        "full_disks": figure(
            sum(disk["equal"] for disk in full), f"of {len(full)} are the undisturbed one, later"
        ),
    }
    report.publish(
        "interruptions",
        metrics,
        options.output,
        seed=SEED,
        undisturbed={
            "seconds": round(undisturbed.seconds, 1),
            "pictures": json.loads(expected["dataset.json"])["pictures"],
            "pictures_shown": shown,
        },
        killed=killed,
        full=full,
    )
    sys.exit(0 if all(build["equal"] for build in [*killed, *full]) else 1)


def killed_build(
    place: Place, number: int, moments: Moments, expected: dict[str, bytes]
) -> dict[str, Any]:
    """A build that is killed until it is done before the random moment comes."""
    name, runs = f"killed{number}", list[Run]()
    while not runs or runs[-1].killed:
        wait = moments.next(lambda: place.shown(name))
        runs.append(place.build(name, 1 + (number + len(runs)) % 2, wait))
        print(
            f"{name}: run {len(runs)}, {runs[-1].seconds:.1f} s, code {runs[-1].code}", flush=True
        )
    assert runs[-1].code == 0, runs[-1].told
    return {
        "kills": len(runs) - 1,
        "seconds": round(sum(one.seconds for one in runs), 1),
        "pictures_shown": place.shown(name),
        "equal": place.contents(name) == expected,
    }


def sizes(files: dict[str, bytes]) -> list[int]:
    """Largest files for which the room ends at a note, in a shard, in the last one, in a table."""
    lengths = {name: len(data) for name, data in files.items()}
    shards = sorted(length for name, length in lengths.items() if name.startswith("shard"))
    return [1_000, shards[0] // 2, shards[-1] - 1, max(lengths.values()) - 1]


def full_disk(place: Place, name: str, size: int, expected: dict[str, bytes]) -> dict[str, Any]:
    with largest_file(size):
        stopped = place.build(name, 2)
    continued = place.build(name, 1)
    return {
        "largest_file": size,
        "code": stopped.code,
        "told": stopped.complaint,
        "code_with_room": continued.code,
        "equal": place.contents(name) == expected,
    }


def figure(value: float, unit: str) -> dict[str, Any]:
    return {"ours": value, "peers": {}, "ratio": {}, "unit": unit}


def spread(values: list[float], unit: str) -> dict[str, Any]:
    rounded = [round(value, 3) for value in values]
    within = {"range": {"ours": [min(rounded), max(rounded)]}}
    return {**figure(statistics.median(rounded), unit), **within}


if __name__ == "__main__":
    main()
