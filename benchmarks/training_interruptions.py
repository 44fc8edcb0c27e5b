"""What kills cost a training run: the steps since its last checkpoint, and no bit of its result.

    python benchmarks/training_interruptions.py [DATASET] [--kills N] [--quick] [--output FILE]

A small network is trained on a dataset directory (data/att) with --deterministic, once undisturbed.
Then it is trained again and killed (SIGKILL) at seeded random moments: at any time from its start
on, a while after a checkpoint, or while one is being written; each time it is taken up with
--resume. When a run has come to its end another one is begun, until there were enough kills. After
two of the kills a byte of the newest checkpoint is changed, and one run more is ended by SIGTERM,
which has to leave a checkpoint and the exit code 75. All of them have to end with the bits of the
undisturbed one: weights, optimiser, metrics, best model, table of people, and a history that
differs in nothing but its speed. All this is done with each of several options, which keep one
state and another (killed_training.OPTIONS). Exits with 1 if one does not.
"""

from __future__ import annotations

import collections
import sys
import tempfile
from pathlib import Path
from typing import Any

import disturbed
import killed_training
import report
from killed_training import Place, killed_runs, outcome, stopped_run

SEED = 20


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("dataset", type=Path, nargs="?", default=Path("data/att"))
    parser.add_argument("--kills", type=int, default=10, help="how many with each of the options")
    given = parser.parse_args()
    kills = 1 if given.quick else given.kills
    with tempfile.TemporaryDirectory() as scratch:
        found = {
            name: disturbances(
                Place(Path(scratch, name), given.dataset, options, disturbed.run), kills
            )
            for name, options in killed_training.OPTIONS.items()
        }
    runs = [killed for each in found.values() for killed in each["killed"]]
    stopped = [each["stopped"] for each in found.values()]
    starts = [start for killed in runs for start in killed["starts"]]
    kinds = collections.Counter(start["kind"] for start in starts if start["killed"])
    equal = sum(not killed["differs"] for killed in runs)
    left = sum(each["code"] == 75 and not each["differs"] for each in stopped)
    metrics = {
        "runs_killed": figure(equal, f"of {len(runs)} end with the bits of the undisturbed one"),
        "kills": figure(kinds.total(), "in all"),
        "half_written": figure(
            sum(start["unfinished"] for start in starts), "kills left a checkpoint unfinished"
        ),
        "damaged": figure(
            sum(start["damaged"] is not None for start in starts),
            f"checkpoints were damaged, {sum(map(went_back, starts))} starts told so and went back",
        ),
        "sigterm": figure(left, f"of {len(stopped)} leave the exit code 75 and end with the bits"),
    }
    report.publish(
        "training_interruptions",
        metrics,
        given.output,
        seed=SEED,
        options=killed_training.OPTIONS,
        kinds=kinds,
        runs=found,
    )
    sys.exit(0 if equal == len(runs) and left == len(stopped) else 1)


def disturbances(place: Place, kills: int) -> dict[str, Any]:
    """What became of the runs of a place."""
    undisturbed = place.train("undisturbed")
    assert undisturbed.code == 0, undisturbed.told
    expected = outcome(place.path("undisturbed"))
    return {
        "undisturbed": {"seconds": round(undisturbed.seconds, 1), "compared": len(expected)},
        "killed": killed_runs(place, kills, undisturbed.seconds, expected, SEED),
        "stopped": stopped_run(place, 60, expected),
    }


def went_back(start: dict[str, Any]) -> bool:
    return any("going back" in line for line in start["told"])


def figure(value: float, unit: str) -> dict[str, Any]:
    return {"ours": value, "peers": {}, "ratio": {}, "unit": unit}


if __name__ == "__main__":
    main()
