"""Writes the tables of README.md and docs/results.md from the JSON under docs/results.

    python docs/tables.py [--check]

A table stands between ``<!-- table: NAME -->`` and ``<!-- end -->``. docs/results/RUN holds
evaluation.json, config.json and history.csv as the commands wrote them; without that directory, or
the JSON of a benchmark, the table says that it was not measured yet. --check writes nothing and
fails where a document and its figures differ.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
RESULTS, BENCHMARKS = DOCS / "results", DOCS.parent / "benchmarks" / "results"
DOCUMENTS = [DOCS.parent / "README.md", DOCS / "results.md"]
BLOCK = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


class NotMeasuredError(Exception):
    """The directory of a run, or the JSON of a benchmark, is not there yet."""


def load(name: str) -> Any:
    return json.loads(file_of(name).read_text())


def file_of(name: str) -> Path:
    path = RESULTS / name
    if not path.parent.exists():
        raise NotMeasuredError(name)
    return path


def benchmark(name: str) -> Any:
    path = BENCHMARKS / name
    if not path.exists():
        raise NotMeasuredError(name)
    return json.loads(path.read_text())


def vectors(run: str) -> dict[str, dict[str, Any]]:
    figures = load(f"{run}/evaluation.json")
    return {"trained": figures, **figures["baselines"]}


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.2%}".replace("%", " %")


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def between(value: str, low_high: list[float] | None) -> str:
    return value if low_high is None else f"{value} [{low_high[0]:.3f}, {low_high[1]:.3f}]"


def tar(pairs: dict[str, Any], far: float) -> str:
    return number(pairs["tar"].get(str(far)))


def repeated(svm: dict[str, Any]) -> str:
    figures = svm["repeated"]
    return f"{percent(figures['accuracy_mean'])} ± {100 * figures['accuracy_std']:.2f}"


def identification(run: str) -> str:
    head = ["vectors", "SVM accuracy [95 %]", "macro F1", "repeated", "chosen", "lost as errors"]
    head += ["AUC [95 %]", "EER", "TAR@1e-2", "TAR@1e-2, TAR@1e-3 lost apart"]
    rows = []
    for name, figures in vectors(run).items():
        svm, pairs = figures["svm"], figures["verification"]["unseen_people"]
        apart = pairs.get("without_lost") or pairs
        boot = pairs.get("bootstrap", {}).get("auc")
        rows.append(
            [
                name.replace("_", " "),
                between(percent(svm["accuracy"]), svm["accuracy_interval"]),
                number(svm["macro_f1"]),
                repeated(svm),
                percent(svm["selected"]["accuracy"]),
                percent(svm["lost_as_errors"]["accuracy"]),
                between(number(pairs["auc"]), boot),
                number(pairs["eer"]),
                tar(pairs, 0.01),
                f"{tar(apart, 0.01)}, {tar(apart, 0.001)}",
            ]
        )
    return table(head, rows)


def demonstration_readme() -> str:
    head = ["unseen people", "SVM accuracy", "macro F1", "repeated splits", "chosen C, kernel"]
    rows = []
    for name, figures in vectors("att").items():
        svm, pairs = figures["svm"], figures["verification"]["unseen_people"]
        shares = [percent(svm["accuracy"]), number(svm["macro_f1"]), repeated(svm)]
        more = [percent(svm["selected"]["accuracy"]), number(pairs["auc"]), number(pairs["eer"])]
        rows.append([name.replace("_", " "), *shares, *more])
    return table([*head, "pairs: AUC", "EER"], rows)


def stages() -> str:
    head = ["stages", "training", "commit", "SVM accuracy", "repeated"]
    head += ["AUC", "EER", "TAR@1e-2", "validation AUC"]
    rows = []
    for label, run in (
        ("CosFace alone", "pubfig83_cosface"),
        ("CosFace, then batch-hard", "pubfig83"),
    ):
        figures, config = vectors(run)["trained"], load(f"{run}/config.json")
        pairs = figures["verification"]["unseen_people"]
        rows.append(
            [
                label,
                duration(run),
                config["git_revision"],
                percent(figures["svm"]["accuracy"]),
                repeated(figures["svm"]),
                number(pairs["auc"]),
                number(pairs["eer"]),
                tar(pairs, 0.01),
                number(max(float(row["val_auc"]) for row in history(run))),
            ]
        )
    return table(head, rows)


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
    rows = [
        [
            "PubFig83, 10 unseen people, default SVM, 80/20 split",
            f"65 people (8 more validate), from scratch, {duration('pubfig83')} on 2 CPU cores",
            f"{svm['trained']} (untrained {svm['untrained']}, raw pixels {svm['raw_pixels']})",
        ],
        [
            "LFW View 1, `pairsDevTest.txt`, threshold from validation people",
            f"LFW's development people, from scratch, {duration('lfw_view1')}",
            f"accuracy {percent(lfw['accuracy_mean'])}, AUC {number(lfw['auc'])}",
        ],
    ]
    return table(["data, protocol", "trained on", "figure"], rows)


def first_steps(run: str) -> str:
    rows = history(run)
    names = ["loss", "mean_distance", "effective_rank", "active_triplets", "images_per_second"]
    body = [[row["epoch"], *(f"{float(row[name]):.4g}" for name in names)] for row in rows]
    return table(["epoch", *(name.replace("_", " ") for name in names)], body)


def train_step() -> str:
    metrics = benchmark("train_step.json")["metrics"]
    metrics |= benchmark("train_step_nn2.json")["metrics"]
    rows = []
    for name, metric in metrics.items():
        speeds = {"mixed_bfloat16_loss": metric["ours"], **metric["peers"]}
        for precision in ("mixed_bfloat16", "float32"):
            cells = [f"{speeds[f'{precision}_{jit}']:.0f}" for jit in ("off", "loss", "on")]
            rows.append([name.replace("_", " "), precision, *cells])
    head = ["network, side", "precision", "XLA off", "XLA for the loss", "XLA for the whole step"]
    return table(head, rows)


def input_pipeline() -> str:
    report = benchmark("input_pipeline.json")
    rows = []
    for name, metric in report["metrics"].items():
        peer = metric["peers"]["opencv_decode_only"]
        ratio = metric["ratio"]["opencv_decode_only"]
        rows.append(
            [name.replace("_", " "), f"{metric['ours']:.0f}", f"{peer:.0f}", f"{ratio:.2f}"]
        )
    return table(["", "images/s", "OpenCV, decoding only", "ratio"], rows)


def triplet_losses() -> str:
    metrics = benchmark("losses.json")["metrics"]
    contenders = ["ours", "ours_tiled", "ours_graph", "addons", "addons_xla", "pml"]
    rows = []
    for name in metrics:
        loss, figure = name.rsplit("_", 1)
        if figure == "memory":
            time, memory = (
                {"ours": metric["ours"], **metric["peers"], **metric["failed"]}
                for metric in (metrics[f"{loss}_cpu_time"], metrics[name])
            )
            cells = [
                f"{time[each]:.3g} ms, {memory[each]:.0f} MiB"
                if each in metrics[name]["range"]
                else time.get(each, "-")
                for each in contenders
            ]
            rows.append([loss.replace("_", " "), *cells])
    return table(["loss, B", *(each.replace("_", " ") for each in contenders)], rows)


def detection() -> str:
    metrics = benchmark("detection.json")["metrics"]
    rows = []
    for size in ("250x250", "640x480"):
        for kind, name in (("clock", size), ("processor", f"{size}_cpu")):
            metric = metrics[name]
            peers = [metric["peers"][peer] for peer in ("mtcnn_1.0.0", "mtcnn_1.0.0_lists")]
            ratios = [metric["ratio"][peer] for peer in ("mtcnn_1.0.0", "mtcnn_1.0.0_lists")]
            low, high = metric["range"]["ours"]
            speeds = [
                f"{metric['ours']:.1f} ({low:.0f} to {high:.0f})",
                *(f"{p:.1f}" for p in peers),
            ]
            rows.append([size, kind, *speeds, *(f"{ratio:.1f}" for ratio in ratios)])
    head = ["picture", "time of the", "ours, pictures/s (range)", "`mtcnn`", "`mtcnn`, lists of 8"]
    return table([*head, "ratio", "ratio, lists"], rows)


def parity() -> str:
    report = benchmark("detection_parity.json")
    counts = report["pictures"]
    rows = [[name.replace("_", " of "), str(count)] for name, count in counts.items()]
    worst = f"{report['largest_difference']:.4f} px"
    rows.append(["**all**", f"**{sum(counts.values())}**"])
    rows.append(["faces", str(report["faces"])])
    rows.append(["pictures that differ by more than 0.05 px", str(len(report["mismatches"]))])
    return table(["pictures", "count"], [*rows, ["largest difference", worst]])


def label_noise() -> str:
    report = benchmark("label_noise.json")
    rows = []
    for group, label in (("unseen", "unseen by the model"), ("all", "all, most of them seen")):
        counts = report["counts"][group]
        cells = [label, str(counts["people"]), str(counts["pictures"])]
        for figure in ("precision", "recall"):
            metric = report["metrics"][f"{group}_{figure}"]
            low, high = metric["range"]["ours"]
            cells.append(f"{metric['ours']:.2f} ({low:.2f} to {high:.2f})")
        flagged = report["metrics"][f"{group}_flagged_without_swaps"]["ours"]
        rows.append([*cells, percent(flagged)])
    head = ["people", "people", "pictures", "precision (range)", "recall (range)"]
    return table([*head, "flagged without swaps"], rows)


def runs() -> str:
    head = ["run", "training commit", "seed", "epochs × steps", "training", "evaluation commit"]
    rows = []
    for run in ("att", "pubfig83", "pubfig83_cosface", "lfw_view1_first", "lfw_view1"):
        try:
            record, figures = load(f"{run}/config.json"), load(f"{run}/evaluation.json")
        except NotMeasuredError:
            continue
        config = record["config"]
        epochs = f"{len(history(run))} × {config['steps_per_epoch']}"
        commits = [record["git_revision"], figures.get("git_revision") or "not recorded"]
        rows.append([run, commits[0], str(config["seed"]), epochs, duration(run), commits[1]])
    if not rows:
        raise NotMeasuredError("runs")
    return table(head, rows)


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


def false_faces() -> str:
    report = benchmark("false_faces.json")
    metric = report["metrics"]["accepted"]
    low, high = metric["range"]["ours"]
    counts = [f"{metric['ours']:.0f} ({low} to {high})", f"{metric['peers']['first_sight']:.0f}"]
    head = ["pictures a seed", "seeds", "accepted, median (range)", "of them at first sight"]
    count = metric["unit"].split()[1]
    return table(head, [[count, str(len(report["seeds"])), *counts]])


def recovery() -> str:
    rows = []
    for size, found in benchmark("recovery.json")["sizes"].items():
        count, first = found["pictures"], found["rungs"]["first_sight"]
        off = found["distances"]["all"]["of_eye_distance"]
        shares = [percent(first / count), percent(found["found"] / count)]
        distances = [f"{off[share]:.3f}" for share in ("0.5", "0.9", "0.99")]
        rows.append([size, str(count), *shares, str(count - found["found"]), " / ".join(distances)])
    head = ["longer side, px", "pictures", "at first sight", "with the second look", "missing"]
    return table([*head, "landmarks off, 50 / 90 / 99 % of the faces"], rows)


def build() -> str:
    rows = []
    for name, file in (("LFW", "build_lfw.json"), ("PubFig83", "build_pubfig83.json")):
        report = benchmark(file)
        metrics, memory = report["metrics"], report["metrics"]["memory"]
        parts = " / ".join(f"{memory[f'at_{share}_percent']:.0f}" for share in (10, 50, 100))
        counts = [f"{count} {outcome}" for outcome, count in report["outcomes"].items()]
        rates = [f"{metrics['time']['ours']:.0f} s", f"{metrics['speed']['ours']:.0f}", parts]
        rows.append([name, ", ".join(counts), str(report["workers"]), *rates])
    head = ["data", "outcomes", "workers", "time", "pictures/s", "MiB at 10 / 50 / 100 %"]
    return table(head, rows)


def interruptions() -> str:
    report = benchmark("interruptions.json")
    killed, full = report["killed"], report["full"]
    again = sorted(run["pictures_shown"] / report["undisturbed"]["pictures"] - 1 for run in killed)
    middle = f"{percent(again[len(again) // 2])} ({percent(again[0])} to {percent(again[-1])})"
    equal = [sum(run["equal"] for run in runs) for runs in (killed, full)]
    rows = [
        [
            "killed",
            str(len(killed)),
            str(sum(run["kills"] for run in killed)),
            str(equal[0]),
            middle,
        ],
        ["disk full", str(len(full)), str(len(full)), str(equal[1]), "-"],
    ]
    head = ["builds", "count", "interruptions", "same bytes in the end", "pictures detected again"]
    return table(head, rows)


def corruption() -> str:
    rows = []
    for damage, metric in benchmark("corruption.json")["metrics"].items():
        told = [metric["ours"], metric["told_where"], metric.get("read"), metric.get("read_where")]
        cells = ["-" if count is None else str(count) for count in told]
        rows.append([damage, metric["unit"].removeprefix("of "), *cells])
    head = ["damage", "times", "verified: noticed", "and named", "read: noticed", "and named"]
    return table(head, rows)


def duration(run: str) -> str:
    """Training time: of the whole run where it was recorded, or from the epochs' own speeds."""
    record = load(f"{run}/config.json")
    if "finished" in record:
        return f"{record['finished']['seconds'] / 60:.0f} min"
    config = record["config"]
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


TABLES = {
    "att-readme": demonstration_readme,
    "att": lambda: identification("att"),
    "pubfig83": lambda: identification("pubfig83"),
    "stages": stages,
    "lfw-view1": view1,
    "headlines": headlines,
    "runs": runs,
    "outcomes": outcomes,
    "false-faces": false_faces,
    "detection": detection,
    "parity": parity,
    "recovery": recovery,
    "build": build,
    "interruptions": interruptions,
    "corruption": corruption,
    "label-noise": label_noise,
    "nn2": lambda: first_steps("nn2_pubfig83"),
    "nn2-cosface": lambda: first_steps("nn2_pubfig83_cosface"),
    "train-step": train_step,
    "input-pipeline": input_pipeline,
    "triplet-losses": triplet_losses,
}


def filled(text: str) -> str:
    """A document with all its tables as the files of the results have them."""
    return BLOCK.sub(lambda match: match[1] + written(match[2]) + match[3], text)


def written(name: str) -> str:
    try:
        return TABLES[name]()
    except NotMeasuredError:
        return "*not measured yet*\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail on a difference")
    check = parser.parse_args().check
    stale = []
    for document in DOCUMENTS:
        text = document.read_text()
        if filled(text) != text:
            stale.append(document.name)
            if not check:
                document.write_text(filled(text))
    if check and stale:
        print(f"{', '.join(stale)}: run python docs/tables.py", file=sys.stderr)
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
