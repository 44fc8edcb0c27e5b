"""Tables of what pretrained weights bring: few-shot, fine-tuning, speed in use.

Few-shot figures are those of evaluation.json in docs/results/RUN, the others of the benchmarks.
"""

from __future__ import annotations

import statistics
from typing import Any

from figures import NotMeasuredError, benchmark, load, percent, table

# What the pictures are, who made the vectors, and the directory below docs/results.
FEW_SHOT = (
    ("PubFig83", "trained from scratch", "pubfig83"),
    ("PubFig83, likely seen in pretraining", "dlib's", "pubfig83_pretrained"),
    ("LFW, people of pairsDevTest", "trained from scratch", "lfw_view1"),
    ("LFW, people of pairsDevTest", "dlib's", "lfw_view1_pretrained"),
)
TUNED = {
    "pairs": "pairs [95 %]",
    "auc": "AUC [95 %]",
    "svm": "SVM [95 %]",
    "svm_repeated": "SVM, repeated",
    "one_shot": "1 enrolled, nearest mean",
}
CHANGES = ("accuracy", "auc", "eer")
RULES = ("nearest_mean", "nearest_neighbour", "svm")


def few_shot() -> str:
    rows = []
    for data, network, run in FEW_SHOT:
        try:
            figures = load(f"{run}/evaluation.json")["few_shot"]
        except (NotMeasuredError, KeyError):  # or measured before there were such figures
            continue
        for shots, figure in figures["shots"].items():
            people = f"{figures['people']} (left out: {figures['left_out']['people']})"
            cells = [_spread(figure[rule], "accuracy_mean", "accuracy_std") for rule in RULES]
            rows.append([data, network, people, shots, *cells])
    if not rows:
        raise NotMeasuredError("few-shot")
    head = ["pictures", "network", "people", "enrolled"]
    return table([*head, *(rule.replace("_", " ") for rule in RULES)], rows)


def fine_tuning() -> str:
    """The network as it was pretrained, then what it became, for each kind of crops."""
    report = benchmark("fine_tuning.json")
    experiments = report["experiments"].items()
    rows = []
    for people, crops in dict.fromkeys((each["people"], each["crops"]) for _, each in experiments):
        tuned = [
            (described, {figure: report["metrics"][f"{name}_{figure}"] for figure in TUNED})
            for name, described in experiments
            if (described["people"], described["crops"]) == (people, crops)
        ]
        described, figures = tuned[0]
        before = [
            _between(percent(each["peers"]["as_pretrained"]), described["intervals_before"], name)
            for name, each in figures.items()
        ]
        rows.append([people, crops, "none", *before, *("-" for _ in CHANGES)])
        for described, figures in tuned:
            cells = [_tuned(each, described["intervals"], name) for name, each in figures.items()]
            changes = [_change(described["differences"], name) for name in CHANGES]
            rows.append([people, crops, described["pictures"], *cells, *changes])
    head = ["people", "crops", "pictures of each training person", *TUNED.values()]
    return table([*head, *(f"{_title(name)} change [95 %]" for name in CHANGES)], rows)


def embedding() -> str:
    metrics = benchmark("embedding.json")["metrics"]
    rows = []
    for name in dict.fromkeys(each.rpartition("_batch")[0] for each in metrics):
        of_batches = [metrics[f"{name}_batch{batch}"] for batch in (1, 32)]
        speeds = [f"{_speed(each)} ({each['form']})" for each in of_batches]
        ratio = of_batches[1]["ratio"].get("dlib")
        rows.append([f"`{name}`", *speeds, "-" if ratio is None else f"{ratio:.1f}"])
    return table(["network", "batch 1, faces/s", "batch 32, faces/s", "times dlib, batch 32"], rows)


def _speed(metric: dict[str, Any]) -> str:
    return f"{metric['ours']:,.0f}" if metric["ours"] >= 100 else f"{metric['ours']:.3g}"


def _tuned(figures: dict[str, Any], intervals: list[dict[str, Any]], name: str) -> str:
    """A figure with its interval, or of several seeds with its deviation."""
    written = _spread(figures, "ours", "deviation")
    return written if len(intervals) > 1 else _between(written, intervals[0], name)


def _between(written: str, intervals: dict[str, Any], name: str) -> str:
    if name not in intervals:
        return written
    low, high = (100 * limit for limit in intervals[name])
    return f"{written} [{low:.2f}, {high:.2f}]"


def _change(differences: list[dict[str, Any]], name: str) -> str:
    """Paired differences in points: the interval of one seed's, or the deviation over several."""
    points = [100 * each[name]["difference"] for each in differences]
    if len(points) > 1:
        return f"{statistics.mean(points):+.2f} ± {statistics.stdev(points):.2f}"
    low, high = (100 * limit for limit in differences[0][name]["interval"])
    return f"{points[0]:+.2f} [{low:+.2f}, {high:+.2f}]"


def _title(figure: str) -> str:
    return figure if figure == "accuracy" else figure.upper()


def _spread(figures: dict[str, Any], mean: str, deviation: str) -> str:
    spread = figures[deviation]
    return percent(figures[mean]) + ("" if spread is None else f" ± {100 * spread:.2f}")
