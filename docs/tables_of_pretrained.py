"""Tables of what networks with weights of others reach, from docs/results."""

from __future__ import annotations

from typing import Any

from figures import NotMeasuredError, between, load, number, percent, table

VIEW2 = (
    ("single crop", "lfw_view2_dlib_single"),
    ("crop and mirrored crop", "lfw_view2_dlib"),
    ("{jitter} moved crops", "lfw_view2_dlib_jitter"),
    ("{jitter} moved crops", "lfw_view2_dlib_jitter20"),
)


def view2() -> str:
    """LFW's ten folds by the single crop, flip-averaged and jittered, as far as measured."""
    head = ["embedding of", "accuracy ± SEM", "deviation of the folds", "by the grid rule"]
    head += ["VAL at FAR 1e-3", "AUC", "EER", "TAR@1e-2", "TAR@4e-3", "pairs"]
    rows = []
    for label, name in VIEW2:
        try:
            figures = load(f"{name}/evaluation.json")
        except NotMeasuredError:
            continue
        rows.append([label.format(**figures["model"]), *_view2_row(figures)])
    if not rows:
        raise NotMeasuredError("lfw_view2_dlib")
    return table(head, rows)


def _view2_row(figures: dict[str, Any]) -> list[str]:
    pairs = figures["verification"]["lfw_view2"]
    grid = pairs["grid"]
    sem = pairs["accuracy_sem"]
    return [
        f"{percent(pairs['accuracy_mean'])} ± {100 * sem:.2f}",
        f"{100 * sem * len(pairs['accuracy_per_fold']) ** 0.5:.2f}",
        percent(grid["accuracy_mean"]),
        f"{number(grid['val_mean'])} ± {grid['val_std']:.3f}",
        f"{pairs['auc']:.4f}",
        f"{pairs['eer']:.4f}",
        number(pairs["tar"].get("0.01")),
        number(pairs["tar"].get("0.004")),
        str(pairs["pairs"]),
    ]


def seen_people(name: str) -> str:
    """The SVM of the modelled experiment on people that the network may know."""
    figures = load(f"{name}/evaluation.json")
    svm, pairs = figures["svm"], figures["verification"]["unseen_people"]
    head = ["people", "SVM accuracy [95 %]", "macro F1", "repeated", "lost as errors", "AUC", "EER"]
    repeated = svm["repeated"]
    row = [
        f"{len(svm['people'])}, {figures['weights']['seen']}",
        between(percent(svm["accuracy"]), svm["accuracy_interval"]),
        number(svm["macro_f1"]),
        f"{percent(repeated['accuracy_mean'])} ± {100 * repeated['accuracy_std']:.2f}",
        percent(svm["lost_as_errors"]["accuracy"]),
        f"{pairs['auc']:.4f}",
        f"{pairs['eer']:.4f}",
    ]
    return table(head, [row])
