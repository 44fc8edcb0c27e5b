"""Tables of what trained models reach, from docs/results."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Iterator
from typing import Any

from figures import NotMeasuredError, between, file_of, load, number, percent, table

TRAINED = (
    "att",
    "pubfig83_before",
    "pubfig83_cosface",
    "pubfig83",
    "pubfig83_regularised",
    "pubfig83_fourfold",
    "lfw_view1_first",
    "lfw_view1_before",
    "lfw_view1",
    "lfw_view1_fourfold",
)
PRETRAINED = (
    "lfw_view2_dlib_single",
    "lfw_view2_dlib",
    "lfw_view2_dlib_jitter",
    "lfw_view2_dlib_jitter20",
    "lfw_view1_pretrained",
    "pubfig83_pretrained",
)
"""Directories in docs/results."""

BUDGETS = (
    ("PubFig83", "as before", "`configs/pubfig83.py`", "pubfig83_before"),
    ("PubFig83", "as before", "the same once more", "pubfig83"),
    ("PubFig83", "as before", "64×2 and half the augmentation first, averages", "pubfig83_tried_a"),
    ("PubFig83", "as before", "the same, shorter first stage, hard people", "pubfig83_tried_b"),
    (
        "PubFig83",
        "as before",
        "CosFace alone, more augmentation and dropout, averages",
        "pubfig83_regularised",
    ),
    ("PubFig83", "as before", "the same, then batch-hard", "pubfig83_tried_d"),
    ("PubFig83", "twice", "the same, more steps", "pubfig83_tried_c"),
    ("PubFig83", "four times", "the same, longer first stage", "pubfig83_fourfold"),
    ("LFW View 1", "as before", "the plain recipe", "lfw_view1_before"),
    ("LFW View 1", "as before", "`configs/lfw_view1.py`", "lfw_view1"),
    ("LFW View 1", "four times", "stronger augmentation and averages", "lfw_view1_fourfold"),
)
"""Trainings of the same and of four times the steps: people, budget, recipe, directory."""


def vectors(run: str) -> dict[str, dict[str, Any]]:
    figures = load(f"{run}/evaluation.json")
    return {"trained": figures, **figures["baselines"]}


def tar(pairs: dict[str, Any], far: float) -> str:
    return number(pairs["tar"].get(str(far)))


def repeated(svm: dict[str, Any]) -> str:
    figures = svm["repeated"]
    return f"{percent(figures['accuracy_mean'])} ± {100 * figures['accuracy_std']:.2f}"


def shown(run: str, pretrained: bool = False) -> Iterator[tuple[str, Any]]:
    """The network and the two baselines of every evaluation, and weights of others if asked for;
    the rest has a page of its own."""
    for name, figures in vectors(run).items():
        if name in ("trained", "untrained", "raw_pixels"):
            yield name.replace("_", " "), figures
        elif pretrained and "weights" in figures:
            yield f"{figures['weights']['source']}, pretrained", figures


def identification(run: str, pretrained: bool = False) -> str:
    head = ["vectors", "SVM accuracy [95 %]", "macro F1", "repeated", "chosen", "lost as errors"]
    head += ["AUC [95 %]", "EER", "TAR@1e-2", "TAR@1e-2 lost apart", "TAR@1e-3 lost apart"]
    rows = []
    for name, figures in shown(run, pretrained):
        svm, pairs = figures["svm"], figures["verification"]["unseen_people"]
        apart = pairs.get("without_lost") or pairs
        boot = pairs.get("bootstrap", {}).get("auc")
        rows.append(
            [
                name,
                between(percent(svm["accuracy"]), svm["accuracy_interval"]),
                number(svm["macro_f1"]),
                repeated(svm),
                percent(svm["selected"]["accuracy"]),
                percent(svm["lost_as_errors"]["accuracy"]),
                between(number(pairs["auc"]), boot),
                number(pairs["eer"]),
                tar(pairs, 0.01),
                tar(apart, 0.01),
                tar(apart, 0.001),
            ]
        )
    return table(head, rows)


def demonstration_readme() -> str:
    head = ["unseen people", "SVM accuracy", "macro F1", "repeated splits", "chosen C, kernel"]
    rows = []
    for name, figures in shown("att", pretrained=True):
        svm, pairs = figures["svm"], figures["verification"]["unseen_people"]
        shares = [percent(svm["accuracy"]), number(svm["macro_f1"]), repeated(svm)]
        more = [percent(svm["selected"]["accuracy"]), number(pairs["auc"]), number(pairs["eer"])]
        rows.append([name, *shares, *more])
    return table([*head, "pairs: AUC", "EER"], rows)


def stages() -> str:
    head = ["stages", "training", "commit", "SVM accuracy", "repeated"]
    head += ["AUC", "EER", "TAR@1e-2", "validation AUC"]
    rows = []
    for label, run in (
        ("CosFace alone", "pubfig83_cosface"),
        ("CosFace, then batch-hard", "pubfig83_before"),
    ):
        figures, config = vectors(run)["trained"], load(f"{run}/config.json")
        pairs = figures["verification"]["unseen_people"]
        rows.append(
            [
                label,
                duration(run),
                commits(config),
                percent(figures["svm"]["accuracy"]),
                repeated(figures["svm"]),
                number(pairs["auc"]),
                number(pairs["eer"]),
                tar(pairs, 0.01),
                number(max(float(row["val_auc"]) for row in history(run))),
            ]
        )
    return table(head, rows)


def budgets() -> str:
    """What more steps, and other means in as many, bring the validation and the test people."""
    rows = []
    for people, budget, recipe, run in BUDGETS:
        with contextlib.suppress(NotMeasuredError):
            config, trained = load(f"{run}/config.json"), history(run)
            steps = f"{len(trained) * config['config']['steps_per_epoch']:,}"
            best = number(max(float(row["val_auc"]) for row in trained))
            rows.append([people, budget, recipe, run, steps, duration(run), best, _on_test(run)])
    if not rows:
        raise NotMeasuredError("budgets")
    head = ["people", "budget", "recipe", "run", "steps", "training", "validation AUC"]
    return table([*head, "test people"], rows)


def _on_test(run: str) -> str:
    """The headline figure of a run, where it was scored."""
    if not file_of(f"{run}/evaluation.json").exists():
        return "not scored"
    figures = load(f"{run}/evaluation.json")
    listed = figures["verification"].get("lfw_view1")
    if listed is None:
        svm, pairs = figures["svm"], figures["verification"]["unseen_people"]
        auc = number((pairs.get("without_lost") or pairs)["auc"])
        share = between(percent(svm["accuracy"]), svm["accuracy_interval"])
        return f"SVM {share}, repeated {repeated(svm)}, AUC lost apart {auc}"
    accuracy = between(percent(listed["accuracy_mean"]), listed["accuracy_interval"])
    return f"accuracy {accuracy}, AUC {number(listed['auc'])}"


def view1() -> str:
    sets = vectors("lfw_view1")["trained"]["verification"]
    rows = []
    for label, name in (
        ("chosen on the validation people, applied once", "lfw_view1"),
        ("ten contiguous folds of the list, from the other nine", "lfw_view1_10fold"),
    ):
        pairs = sets[name]
        interval = pairs.get("accuracy_interval")
        accuracy = between(percent(pairs["accuracy_mean"]), interval)
        if pairs.get("accuracy_sem") is not None:
            accuracy += f" ± {100 * pairs['accuracy_sem']:.2f} (SEM)"
        rows.append([label, accuracy, number(pairs["auc"]), number(pairs["eer"]), tar(pairs, 0.1)])
    return table(["threshold", "accuracy [95 %]", "AUC", "EER", "TAR@1e-1"], rows)


def headlines() -> str:
    pubfig, lfw = vectors("pubfig83"), vectors("lfw_view1")["trained"]["verification"]["lfw_view1"]
    svm = {name: percent(figures["svm"]["accuracy"]) for name, figures in pubfig.items()}
    pretrained = load("lfw_view2_dlib/evaluation.json")["verification"]["lfw_view2"]
    rows = [
        [
            "PubFig83, 10 unseen people, default SVM, 80/20 split",
            f"65 people (8 more validate), from scratch, {duration('pubfig83')}",
            f"{svm['trained']} (untrained {svm['untrained']}, raw pixels {svm['raw_pixels']})",
        ],
        [
            "LFW View 1, `pairsDevTest.txt`, threshold from validation people",
            f"LFW's development people, from scratch, {duration('lfw_view1')}",
            f"accuracy {percent(lfw['accuracy_mean'])}, AUC {number(lfw['auc'])}",
        ],
        [
            "LFW View 2, 6,000 pairs, ten folds",
            "nothing here: dlib's weights, `--weights dlib`",
            f"accuracy {percent(pretrained['accuracy_mean'])}, AUC {pretrained['auc']:.4f}",
        ],
    ]
    return table(["data, protocol", "trained on", "figure"], rows)


def first_steps(run: str) -> str:
    rows = history(run)
    names = ["loss", "mean_distance", "effective_rank", "active_triplets", "images_per_second"]
    body = [[row["epoch"], *(f"{float(row[name] or 'nan'):.4g}" for name in names)] for row in rows]
    return table(["epoch", *(name.replace("_", " ") for name in names)], body)


def runs() -> str:
    head = ["run", "training commit", "seed", "epochs × steps", "training", "evaluation commit"]
    rows = []
    for run in TRAINED:
        try:
            record, figures = load(f"{run}/config.json"), load(f"{run}/evaluation.json")
        except NotMeasuredError:
            continue
        config = record["config"]
        epochs = f"{len(history(run))} × {config['steps_per_epoch']}"
        measured = figures.get("git_revision") or "not recorded"
        trained = commits(record)
        rows.append([run, trained, str(config["seed"]), epochs, duration(run), measured])
    for run in PRETRAINED:
        with contextlib.suppress(NotMeasuredError):
            figures = load(f"{run}/evaluation.json")
            weights = figures["weights"]["source"]
            rows.append([run, f"weights {weights}", "-", "-", "-", figures["git_revision"]])
    if not rows:
        raise NotMeasuredError("runs")
    return table(head, rows)


def commits(record: dict[str, Any]) -> str:
    """The commit that began a run, and how many others it went on with."""
    first = record["git_revision"]
    others = {sitting["git_revision"] for sitting in record.get("sittings", [])} - {first}
    return f"{first} + {len(others)} more" if others else first


def architectures() -> str:
    """The table as ``python -m facenet_tf.models`` wrote it."""
    return file_of("architectures/table.md").read_text()


def outcomes() -> str:
    kinds = ["ok", "recovered", "repaired", "fallback", "no_face"]
    rows = []
    for label, run in (
        ("AT&T", "att"),
        ("PubFig83", "pubfig83"),
        ("LFW, all pictures", "lfw_view1"),
    ):
        data = load(f"{run}/evaluation.json")["dataset"]
        counts = [data["outcomes"].get(kind, 0) for kind in kinds]
        others = data["pictures"] - sum(counts)
        share = f"{counts[0]} ({percent(counts[0] / data['pictures'])})"
        cells = [str(data["pictures"]), share, *map(str, counts[1:]), str(others)]
        rows.append([label, *cells, str(data["records"])])
    head = ["data", "pictures", *(kind.replace("_", " ") for kind in kinds), "others", "records"]
    return table(head, rows)


def duration(run: str) -> str:
    """Training time: of the whole run where it was recorded, or from the epochs' own speeds."""
    record = load(f"{run}/config.json")
    config = record["config"]
    if "finished" in record:
        cores = ", one core" if config.get("threads") == 1 else ""
        return f"{record['finished']['seconds'] / 60:.0f} min{cores}"
    stages = {_title(stage): stage for stage in (config["warm_up"], config["main"])}
    seconds = 0.0
    for row in history(run):
        stage = stages[row["stage"]]
        images = stage["identities_per_batch"] * stage["images_per_identity"]
        seconds += config["steps_per_epoch"] * images / float(row["images_per_second"])
    return f"{seconds / 60:.0f} min (training steps only)"


def _title(stage: dict[str, Any]) -> str:
    """What a stage is called in the history; older runs name its loss as its objective."""
    if "objective" in stage:
        return stage["objective"]
    return "/".join(filter(None, (stage["loss"], stage.get("mining"))))


def history(run: str) -> list[dict[str, str]]:
    with file_of(f"{run}/history.csv").open(newline="") as file:
        return list(csv.DictReader(file))
