"""What each part of the recipe brings: short trainings without it, several seeds each.

    python benchmarks/ablation.py DATASET --runs DIR [--seeds 0 1 2] [--earlier FILE]
        [--threads N] [--quick] [--output FILE]

The recipe is that of configs/pubfig83.py in an eighth of its steps. All variants see as many
pictures and are measured on the validation people alone: the test people's pictures are not looked
at. What counts is the last epoch; the best one of its stage stands beside it. An earlier stage's is
none of it, or variants that differ in the last stage alone could be one and the same epoch.

Every training has a process and a run directory of its own; one that has finished is taken as it
is, one that was interrupted goes on, so that the whole can be spread over several days. It can be
spread over several machines, too: the seeds of an earlier report (--earlier, what --output wrote)
are taken as they are, with the commits that trained them, and the seeds it lacks are trained.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import report
from trainings import train_once

from facenet_tf import cli
from facenet_tf.training.config import TrainConfig

RECIPE = Path(__file__).parents[1] / "configs" / "pubfig83.py"
STEPS_PER_EPOCH, WARM_UP, MAIN = 55, 5, 3
PROTOCOL = (
    "all pairs of the validation people, the last epoch of each training; best_: the best epoch by "
    "AUC of its last stage"
)
FIGURES = ("val_auc", "val_eer", "val_tar")
BEST = "best_{}"
Variant = Callable[[TrainConfig], TrainConfig]
Outcomes = dict[str, list[dict[str, Any]]]


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("dataset", type=Path, help="dataset directory with validation people")
    parser.add_argument("--runs", type=Path, required=True, help="directory for the trainings")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--earlier", type=Path, help="report whose seeds are not trained again")
    parser.add_argument("--threads", type=int, default=0, help="of each training; 0: all cores")
    given = parser.parse_args()
    base = dataclasses.replace(recipe(given.dataset, given.quick), threads=given.threads)
    kind = {"protocol": PROTOCOL, "recipe": lengths(base)}
    outcomes: Outcomes = {name: [] for name in VARIANTS}
    if given.earlier:
        outcomes = earlier_outcomes(given.earlier, kind)
    train_the_rest(outcomes, given.seeds, base, given.runs)
    metrics = {
        f"{name}_{figure}": spread([each[figure] for each in runs])
        for name, runs in outcomes.items()
        for figure in (*FIGURES, *map(BEST.format, FIGURES))
    }
    report.publish(
        "ablation",
        metrics,
        given.output,
        **kind,
        seeds=[run["seed"] for run in outcomes["recipe"]],
        runs=outcomes,
    )


def earlier_outcomes(file: Path, kind: dict[str, Any]) -> Outcomes:
    """The trainings of an earlier report, by variant.

    SystemExit says what keeps them from standing beside those of today: its protocol, the length
    of its recipe, its variants, or a variant without one of its seeds.

    Args:
        file: that report.
        kind: its entries that have to be these.
    """
    found = json.loads(file.read_text())
    outcomes = found.get("runs", {})
    theirs = {**found, "variants": [*outcomes]}
    for name, ours in {**kind, "variants": [*VARIANTS]}.items():
        if theirs.get(name) != ours:
            raise SystemExit(f"{file}: {name} {theirs.get(name)}, but those of today are {ours}")
    for name, runs in outcomes.items():
        if [run.get("seed") for run in runs] != found["seeds"]:
            raise SystemExit(f"{file}: {name} was not trained with its seeds {found['seeds']}")
    return outcomes


def train_the_rest(outcomes: Outcomes, seeds: list[int], base: TrainConfig, runs: Path) -> None:
    """Add the seeds that are missing to the outcomes of all variants, which are then in order."""
    there = {run["seed"] for run in outcomes["recipe"]}
    for seed in sorted({*seeds} - there):  # the variants in turn: an early end leaves whole seeds
        for name, variant in VARIANTS.items():
            run = runs / f"{name}_{seed}"
            train_once(dataclasses.replace(variant(base), seed=seed, output=run))
            outcomes[name].append({"seed": seed, **outcome(run)})
    for trained in outcomes.values():
        trained.sort(key=lambda run: run["seed"])


def recipe(dataset: Path, quick: bool) -> TrainConfig:
    """The recipe of PubFig83, shorter."""
    whole = cli.load(TrainConfig, "train", ["--config", str(RECIPE)])
    steps = 2 if quick else STEPS_PER_EPOCH
    return with_epochs(
        dataclasses.replace(whole, dataset=dataset, steps_per_epoch=steps), WARM_UP, MAIN
    )


def lengths(config: TrainConfig) -> dict[str, int]:
    """How long the recipe trains."""
    return {
        "steps_per_epoch": config.steps_per_epoch,
        "warm_up_epochs": config.warm_up.epochs,
        "main_epochs": config.main.epochs,
    }


def with_epochs(config: TrainConfig, warm_up: int, main: int) -> TrainConfig:
    return dataclasses.replace(
        config,
        warm_up=dataclasses.replace(config.warm_up, epochs=warm_up),
        main=dataclasses.replace(config.main, epochs=main),
    )


def with_main(**changes: Any) -> Variant:
    return lambda config: dataclasses.replace(
        config, main=dataclasses.replace(config.main, **changes)
    )


def with_batches(people: int, pictures: int) -> Variant:
    """Both stages on batches of another shape and the same size."""
    shape = {"identities_per_batch": people, "images_per_identity": pictures}
    return lambda config: dataclasses.replace(
        config,
        warm_up=dataclasses.replace(config.warm_up, **shape),
        main=dataclasses.replace(config.main, **shape),
    )


VARIANTS: dict[str, Variant] = {
    "recipe": lambda config: config,
    "no_warm_up": lambda config: with_epochs(config, 0, WARM_UP + MAIN),
    "no_batch_hard": lambda config: with_epochs(config, WARM_UP + MAIN, 0),
    "hinge_0.2": with_main(margin=0.2),
    "16x8": with_batches(16, 8),
    "64x2": with_batches(64, 2),
    "no_augmentation": lambda config: dataclasses.replace(
        config, augmentation=dataclasses.replace(config.augmentation, enabled=False)
    ),
}


def outcome(run: Path) -> dict[str, Any]:
    """The last epoch of a training, the best one of its stage, and which code made them."""
    with (run / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    last = rows[-1]
    of_stage = [row for row in rows if row["stage"] == last["stage"]]
    best = max(of_stage, key=lambda row: float(row["val_auc"]))
    return {
        "commit": json.loads((run / "config.json").read_text())["git_revision"],
        "stage": last["stage"],
        "best_epoch": int(best["epoch"]),
        **{figure: float(last[figure]) for figure in FIGURES},
        **{BEST.format(figure): float(best[figure]) for figure in FIGURES},
    }


def spread(values: list[float]) -> dict[str, Any]:
    """Mean and deviation over the seeds."""
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return {
        "ours": statistics.mean(values),
        "deviation": deviation,
        "range": {"ours": [min(values), max(values)]},
        "unit": "over validation people",
    }


if __name__ == "__main__":
    main()
