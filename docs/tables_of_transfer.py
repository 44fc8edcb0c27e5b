"""Tables of what pretrained weights bring: few-shot, fine-tuning, speed in use.

Few-shot figures are those of evaluation.json in docs/results/RUN, the others of the benchmarks.
"""

from __future__ import annotations

from typing import Any

from figures import NotMeasuredError, benchmark, load, percent, table

# What the pictures are, who made the vectors, and the directory below docs/results.
FEW_SHOT = (
    ("PubFig83", "trained from scratch", "pubfig83"),
    ("PubFig83, likely seen in pretraining", "dlib's", "pubfig83_pretrained"),
    ("LFW, people of pairsDevTest", "trained from scratch", "lfw_view1"),
    ("LFW, people of pairsDevTest", "dlib's", "lfw_view1_pretrained"),
)
TUNED = ("pairs", "auc", "svm", "svm_repeated", "one_shot")
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
            (described, [report["metrics"][f"{name}_{figure}"] for figure in TUNED])
            for name, described in experiments
            if (described["people"], described["crops"]) == (people, crops)
        ]
        before = [percent(figure["peers"]["as_pretrained"]) for figure in tuned[0][1]]
        rows.append([people, crops, "none", *before, "-", "-"])
        for described, figures in tuned:
            cells = [_spread(figure, "ours", "deviation") for figure in figures]
            differences = described["judged"][0]["differences"]
            changes = [_change(differences[name]) for name in ("auc", "eer")]
            rows.append([people, crops, described["pictures"], *cells, *changes])
    head = ["people", "crops", "pictures of each training person"]
    figures_of = ["pairs", "AUC", "SVM", "SVM, repeated", "1 enrolled, nearest mean"]
    return table([*head, *figures_of, "AUC change [95 %]", "EER change [95 %]"], rows)


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


def _change(judged: dict[str, Any]) -> str:
    """A paired difference in points, with its interval."""
    low, high = (100 * limit for limit in judged["interval"])
    return f"{100 * judged['difference']:+.2f} [{low:+.2f}, {high:+.2f}]"


def _spread(figures: dict[str, Any], mean: str, deviation: str) -> str:
    spread = figures[deviation]
    return percent(figures[mean]) + ("" if spread is None else f" ± {100 * spread:.2f}")
