"""What kills cost a training run: the steps since its last checkpoint, and no bit of its result.

    python benchmarks/training_interruptions.py [DATASET] [--kills N] [--quick] [--output FILE]

A small network is trained on a dataset directory (data/att) with --deterministic, once undisturbed.
Then it is trained again and killed (SIGKILL) at seeded random moments: at any time from its start
on, a while after a checkpoint, or while one is being written; each time it is taken up with
--resume. When a run has come to its end another one is begun, until there were enough kills. After
two of the kills a byte of the newest checkpoint is changed, and one run more is ended by SIGTERM,
which has to leave a checkpoint and the exit code 75. All of them have to end with the bits of the
undisturbed one: weights, optimiser, metrics, best model, and a history that differs in nothing but
its speed. Exits with 1 if one does not.
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
    parser.add_argument("--kills", type=int, default=20, help="how many there are to be")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        place = Place(Path(scratch), options.dataset, disturbed.run)
        undisturbed = place.train("undisturbed")
        assert undisturbed.code == 0, undisturbed.told
        expected = outcome(place.path("undisturbed"))
        kills = 2 if options.quick else options.kills
        runs = killed_runs(place, kills, undisturbed.seconds, expected, SEED)
        stopped = stopped_run(place, 60, expected)
    starts = [start for killed in runs for start in killed["starts"]]
    kinds = collections.Counter(start["kind"] for start in starts if start["killed"])
    equal = sum(not killed["differs"] for killed in runs)
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
        "sigterm": figure(stopped["code"], "is the exit code"),
    }
    report.publish(
        "training_interruptions",
        metrics,
        options.output,
        seed=SEED,
        options=killed_training.OPTIONS,
        undisturbed={"seconds": round(undisturbed.seconds, 1), "compared": len(expected)},
        kinds=kinds,
        killed=runs,
        stopped=stopped,
    )
    sys.exit(0 if equal == len(runs) and not stopped["differs"] and stopped["code"] == 75 else 1)


def went_back(start: dict[str, Any]) -> bool:
    return any("going back" in line for line in start["told"])


def figure(value: float, unit: str) -> dict[str, Any]:
    return {"ours": value, "peers": {}, "ratio": {}, "unit": unit}


if __name__ == "__main__":
    main()
