"""What fine-tuning brings to dlib's pretrained network, measured on people it was not tuned on.

    python benchmarks/fine_tuning.py [--lfw DATASET --pairs FILE] [--pubfig83 DATASET] --runs DIR
        [--seeds 0] [--threads N] [--quick] [--output FILE]

The recipes are configs/lfw_view1_dlib.py (tuned on peopleDevTrain, measured on pairsDevTest and on
ten of its people) and configs/pubfig83_dlib.py (its ten held-out people, who were likely seen in
pretraining); the datasets are built as they say. Tuned with 5, 20 and all pictures of each training
person; with all of them also on crops of 32x32 pixels and on grey ones, and measured on such. The
peer is the network as it was pretrained, on the same crops. "intervals" has the 95 % intervals of
the figures, seed by seed, "intervals_before" those of the peer, and "differences" what was changed
on the same pairs (paired bootstrap). Every training has a process and a run directory of its own;
what has been done is taken as it is, what was interrupted goes on. --quick tunes for a moment with
5 pictures, on the first dataset given.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
from pathlib import Path
from typing import Any

import report
from trainings import evaluate_once, train_once

from facenet_tf import cli
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.options.projection import ProjectionOptions
from facenet_tf.training.config import TrainConfig

CONFIGS = Path(__file__).parents[1] / "configs"
CROPS: dict[str, tuple[str, ...]] = {
    "clean": (),
    "32x32": ("low_resolution:32",),
    "grey": ("grey",),
}
TUNED = ((5, "clean"), (20, "clean"), (0, "clean"), (0, "32x32"), (0, "grey"))
"""Pictures of each training person (0: all), and the crops that are tuned and measured on."""


@dataclasses.dataclass(frozen=True)
class Data:
    """People who are tuned on, and others who are measured."""

    name: str
    recipe: str
    trained_on: str
    people: str
    pairs: str
    """Set of pairs in evaluation.json whose accuracy and AUC are quoted."""
    compared: str
    """The same pairs where evaluation.json compares systems."""


LFW = Data(
    "lfw",
    "lfw_view1_dlib.py",
    "LFW, peopleDevTrain",
    "LFW, people of pairsDevTest",
    "lfw_view1",
    "listed_pairs",
)
PUBFIG83 = Data(
    "pubfig83",
    "pubfig83_dlib.py",
    "PubFig83, 65 people",
    "PubFig83, ten people, likely seen in pretraining",
    "unseen_people",
    "unseen_people",
)
DRAWS = 200
"""Of people, behind the intervals of one network."""


def main() -> None:
    given = options()
    chosen = [(LFW, given.lfw)] if given.lfw else []
    chosen += [(PUBFIG83, given.pubfig83)] if given.pubfig83 else []
    metrics: dict[str, Any] = {}
    experiments: dict[str, Any] = {}
    for data, dataset in chosen[:1] if given.quick else chosen:
        before = {
            crops: evaluate_once(as_pretrained(data, dataset, crops, given))
            for crops in (["clean"] if given.quick else CROPS)
        }
        for pictures, crops in TUNED[:1] if given.quick else TUNED:
            name = f"{data.name}_{pictures or 'all'}_{crops}"
            after = []
            for seed in given.seeds:
                run = train_once(tuned(data, dataset, pictures, crops, seed, given))
                after.append(evaluate_once(as_tuned(data, dataset, run, crops, given)))
            quoted = [figures(each, data) for each in after]
            metrics |= {
                f"{name}_{figure}": spread([each[figure] for each in quoted], value)
                for figure, value in figures(before[crops], data).items()
            }
            experiments[name] = {
                "people": data.people,
                "trained_on": data.trained_on,
                "pictures": str(pictures or "all"),
                "crops": crops,
                "commits": [each["run"]["git_revision"] for each in after],
                "intervals_before": intervals(before[crops], data),
                "intervals": [intervals(each, data) for each in after],
                "differences": [differences(each, data) for each in after],
            }
    report.publish("fine_tuning", metrics, given.output, seeds=given.seeds, experiments=experiments)


def options() -> argparse.Namespace:
    parser = report.parser(__doc__)
    parser.add_argument("--lfw", type=Path, help="dataset directory of configs/lfw_view1_dlib.py")
    parser.add_argument("--pairs", type=Path, help="LFW's pairsDevTest.txt")
    parser.add_argument("--pubfig83", type=Path, help="that of configs/pubfig83_dlib.py")
    parser.add_argument("--runs", type=Path, required=True, help="directory for the trainings")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--threads", type=int, default=0, help="of each training; 0: all cores")
    given = parser.parse_args()
    if not (given.lfw or given.pubfig83):
        parser.error("give --lfw, --pubfig83 or both")
    if given.lfw and not given.pairs:
        parser.error("--lfw needs --pairs, LFW's pairsDevTest.txt")
    return given


def tuned(
    data: Data, dataset: Path, pictures: int, crops: str, seed: int, given: argparse.Namespace
) -> TrainConfig:
    """The recipe for so many pictures of each training person, in such crops."""
    config = cli.load(TrainConfig, "train", ["--config", str(CONFIGS / data.recipe)])
    if given.quick:
        small = {"epochs": 1, "identities_per_batch": 4}
        config = dataclasses.replace(
            config,
            steps_per_epoch=2,
            warm_up=dataclasses.replace(config.warm_up, **small),
            main=dataclasses.replace(config.main, **small),
        )
    return dataclasses.replace(
        config,
        dataset=dataset,
        output=given.runs / f"{data.name}_{pictures or 'all'}_{crops}_{seed}",
        pictures_per_person=pictures,
        degrade=CROPS[crops],
        seed=seed,
        threads=given.threads,
    )


def of_run(
    data: Data, dataset: Path, run: Path, crops: str, given: argparse.Namespace
) -> EvaluateConfig:
    """How a network is measured."""
    config = cli.load(EvaluateConfig, "evaluate", ["--config", str(CONFIGS / data.recipe)])
    return dataclasses.replace(
        config,
        run=run,
        dataset=dataset,
        pairs=given.pairs if data is LFW else None,
        degrade=CROPS[crops],
        baselines=False,
        bootstrap=DRAWS,
        projection=ProjectionOptions(()),
    )


def as_pretrained(
    data: Data, dataset: Path, crops: str, given: argparse.Namespace
) -> EvaluateConfig:
    """How the network is measured as it was pretrained."""
    config = of_run(data, dataset, EvaluateConfig.run, crops, given)
    return dataclasses.replace(config, weights="dlib", output=pretrained(data, crops, given))


def as_tuned(
    data: Data, dataset: Path, run: Path, crops: str, given: argparse.Namespace
) -> EvaluateConfig:
    """How a tuned network is measured, beside what the pretrained one made of the same crops."""
    before = pretrained(data, crops, given) / "embeddings.npz"
    config = of_run(data, dataset, run, crops, given)
    return dataclasses.replace(config, compare=(str(before),))


def pretrained(data: Data, crops: str, given: argparse.Namespace) -> Path:
    return given.runs / f"{data.name}_pretrained_{crops}"


def figures(evaluation: dict[str, Any], data: Data) -> dict[str, float]:
    """What is quoted of an evaluation."""
    pairs, svm = evaluation["verification"][data.pairs], evaluation["svm"]
    return {
        "pairs": pairs["accuracy_mean"],
        "auc": pairs["auc"],
        "svm": svm["accuracy"],
        "svm_repeated": svm["repeated"]["accuracy_mean"],
        "one_shot": evaluation["few_shot"]["shots"]["1"]["nearest_mean"]["accuracy_mean"],
    }


def intervals(evaluation: dict[str, Any], data: Data) -> dict[str, list[float]]:
    """95 % intervals of figures that are quoted: of all that have one."""
    pairs, svm = evaluation["verification"][data.pairs], evaluation["svm"]
    return {
        "pairs": pairs["accuracy_interval"],
        "auc": pairs["bootstrap"]["auc"],
        "svm": svm["accuracy_interval"],
    }


def differences(evaluation: dict[str, Any], data: Data) -> dict[str, dict[str, Any]]:
    """Tuned minus pretrained on the same pairs, of the accuracy in folds of its own."""
    compared = evaluation["comparison"]["sets"][data.compared]["figures"]
    kept = ("difference", "interval", "p")
    return {
        figure: {name: compared[figure][0][name] for name in kept}
        for figure in ("accuracy", "auc", "eer")
    }


def spread(after: list[float], before: float) -> dict[str, Any]:
    """Mean and deviation over the seeds, beside the figure before the tuning."""
    mean = statistics.mean(after)
    return {
        "ours": mean,
        "deviation": statistics.stdev(after) if len(after) > 1 else None,
        "peers": {"as_pretrained": before},
        "ratio": {"as_pretrained": mean / before},
        "range": {"ours": [min(after), max(after)]},
        "unit": "share",
    }


if __name__ == "__main__":
    main()
