"""How long verification takes: LFW's 6,000 pairs from given embeddings, and all 87 million pairs.

    python benchmarks/verification.py [--quick] [--output FILE]

The embeddings are made up: 13,233 unit vectors of 128 numbers, as many for each of 5,749 people as
LFW has pictures (in spread: most have one, a few hundreds). Times are those of the calling process,
on the clock and summed over its threads; where other work runs beside it, the second is the one
that says what a quiet machine of two cores would need: at most that, at least half of it. Memory is
the highest that the process ever had. The peer keeps all distances in one array and sorts them.

`whole_process` is evaluate.py from its start to its end, on files of the same embeddings and pairs,
with report and plots.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import report
from numpy.typing import NDArray

from facenet_tf import metrics

EVALUATE = Path(__file__).parent.parent / "evaluate.py"
PICTURES, PEOPLE, NUMBERS = 13_233, 5_749, 128
NEAREST = 2_000_000
FARS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)


def embeddings(pictures: int, people: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Unit vectors of people, of whom the n-th has about 1 / n as many as the first."""
    random = np.random.default_rng(0)
    shares = 1 / np.arange(1, people + 1)
    more = random.choice(people, pictures - people, p=shares / shares.sum())
    labels = random.permutation(np.concatenate([np.arange(people), more]))
    rows = random.normal(size=(people, NUMBERS))[labels]
    rows += 1.3 * random.normal(size=(pictures, NUMBERS))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), labels


def listed(labels: NDArray[np.int64]) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """6,000 pairs in the order of View 2: left, right, genuine, fold."""
    random = np.random.default_rng(1)
    several = np.flatnonzero(np.bincount(labels)[labels] > 1)
    genuine = np.tile(np.repeat([True, False], 300), 10)
    left = np.where(genuine, random.choice(several, 6000), random.integers(len(labels), size=6000))
    right = []
    for row, same in zip(left, genuine, strict=True):
        alike = labels == labels[row]
        alike[row] = not same
        right.append(random.choice(np.flatnonzero(alike == same)))
    return left, np.array(right), genuine, np.repeat(np.arange(10), 600)


def six_thousand(rows: NDArray, labels: NDArray, pairs: tuple, draws: int) -> None:
    """Everything that is said of a list: folds, grid rule, TARs, intervals over people."""
    left, right, genuine, fold = pairs
    distance = metrics.listed_distances(rows, left, right)
    metrics.folded_accuracy(genuine, distance, fold)
    metrics.grid_lfw(genuine, distance)
    curve = metrics.roc_curve(genuine, distance)
    metrics.area_under_curve(curve)
    metrics.separation(genuine, distance)
    metrics.bootstrap_identities(
        genuine,
        distance,
        (labels[left], labels[right]),
        lambda drawn: [metrics.equal_error_rate(drawn), *metrics.tar_at(drawn, [1e-1, 1e-2])],
        draws=draws,
    )


def all_of_them(rows: NDArray, labels: NDArray) -> list[float]:
    """AUC, EER and TARs of all pairs, counted tile by tile."""
    curve = metrics.score_all_pairs(rows, labels, nearest=NEAREST).curve()
    return _figures(curve)


def all_sorted(rows: NDArray, labels: NDArray) -> list[float]:
    """The same from one array of all distances."""
    left, right = metrics.all_pairs(len(rows))
    genuine = labels[left] == labels[right]
    del left, right
    return _figures(metrics.roc_curve(genuine, metrics.all_pairs_distances(rows)))


def _figures(curve: metrics.RocCurve) -> list[float]:
    areas = [metrics.area_under_curve(curve), metrics.equal_error_rate(curve)]
    return [*areas, *metrics.tar_at(curve, FARS)]


def written(directory: Path, rows: NDArray, labels: NDArray, pairs: tuple) -> list[str]:
    """The call of evaluate.py for these embeddings and pairs, its files written."""
    keys = np.array([f"{label:05d}/{row:05d}.jpg" for row, label in enumerate(labels)])
    np.savez(directory / "embeddings.npz", embeddings=rows, identities=labels, keys=keys)
    left, right, genuine, _ = pairs
    lines = [f"{keys[a]} {keys[b]} {int(same)}" for a, b, same in zip(left, right, genuine)]
    (directory / "pairs.txt").write_text("\n".join(lines))
    return [
        *(sys.executable, str(EVALUATE), str(directory / "embeddings.npz"), "--list-only"),
        *("--protocol", "pairs", "--pairs", str(directory / "pairs.txt")),
        *("--output", str(directory / "evaluation")),
    ]


def process(call: list[str]) -> tuple[float, float]:
    """Seconds on the clock from start to end of a process, and those of its threads."""
    before, clock = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(call, check=True, capture_output=True)
    seconds, after = time.perf_counter() - clock, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds on the clock, those of all threads together, and what came out."""
    clock, threads = time.perf_counter(), time.process_time()
    result = work()
    return time.perf_counter() - clock, time.process_time() - threads, result


def highest_memory() -> float:
    """Of this process until now, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def main() -> None:
    """Measure, and print the report."""
    options = report.parser(__doc__ or "").parse_args()
    pictures, people = (3000, 1300) if options.quick else (PICTURES, PEOPLE)
    rounds = 1 if options.quick else 3
    rows, labels = embeddings(pictures, people)
    pairs = listed(labels)
    before = highest_memory()
    many = [timed(lambda: all_of_them(rows, labels)) for _ in range(rounds)]
    memory = highest_memory()
    few = [timed(lambda: six_thousand(rows, labels, pairs, 200)) for _ in range(rounds)]
    with tempfile.TemporaryDirectory() as directory:
        call = written(Path(directory), rows, labels, pairs)
        whole = [process(call) for _ in range(rounds)]
    # Kept to a size at which the peer's array fits into memory.
    part = rows[:3000], labels[:3000]
    ours, theirs = timed(lambda: all_of_them(*part)), timed(lambda: all_sorted(*part))
    figures = {
        "all_pairs_seconds": report.metric([clock for clock, _, _ in many], {}, "s", True),
        "all_pairs_thread_seconds": report.metric([cpu for _, cpu, _ in many], {}, "s", True),
        "listed_pairs_seconds": report.metric([clock for clock, _, _ in few], {}, "s", True),
        "listed_pairs_thread_seconds": report.metric([cpu for _, cpu, _ in few], {}, "s", True),
        "whole_process_seconds": report.metric([clock for clock, _ in whole], {}, "s", True),
        "whole_process_thread_seconds": report.metric([cpu for _, cpu in whole], {}, "s", True),
        "all_pairs_highest_memory": report.metric([memory], {}, "GB", True),
        "all_pairs_of_3000_thread_seconds": report.metric(
            [ours[1]], {"one sorted array": [theirs[1]]}, "s", True
        ),
    }
    report.publish(
        "verification",
        figures,
        options.output,
        pairs=pictures * (pictures - 1) // 2,
        memory_before=before,
        largest_difference_to_the_sorted_array=float(np.abs(np.subtract(ours[2], theirs[2])).max()),
        load_average=os.getloadavg(),
    )


if __name__ == "__main__":
    main()
