"""Several classifiers on unseen people's vectors, all by the same splits: closed-set figures.

The SVM whose C and kernel are chosen is measured by nested cross-validation: chosen inside the
training part of each outer fold, applied once to the fold that was held out. The mean over the
inner folds is no figure: it has been looked at to choose.
"""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit
from threadpoolctl import threadpool_limits

from facenet_tf.evaluation.classifiers import DESCRIPTIONS, Rule, rules, usable_folds
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.kernel_svm import KernelSvm, Rows
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.options.classification import ClassificationOptions
from facenet_tf.evaluation.protocol import Protocol
from facenet_tf.evaluation.roster import Vectors
from facenet_tf.evaluation.svm import (
    TEST_SHARE,
    ChosenSvm,
    SvmChoice,
    choose_svm,
    macro_f1,
    modelled_split,
    why_too_few,
)
from facenet_tf.evaluation.table import Table, share
from facenet_tf.metrics import wilson_interval

CHOSEN = "svm_chosen"
PROTOCOL = (
    "closed set of the people and pictures of the SVM; accuracy and macro F1 on the split "
    "modelled-80-20; lost as errors: all of their pictures that have no record added to its test "
    "part; repeated: the stratified 80/20 splits of the repeated SVM; folds: stratified, each "
    "picture named once by the others; svm_chosen: C and kernel chosen by cross-validation inside "
    "each training part (over the folds this is nested cross-validation); mean and sample "
    "deviation over splits and folds, whose training parts overlap: no standard errors"
)

TERMS = {
    "accuracy": "share of the pictures that were held out and got the right name",
    "lost as errors": "the same, with every picture in which no face was found as an error",
    "macro F1": "mean over the people, each counting alike, of how complete and how pure a name is",
}

Split = tuple[Rows, Rows]


@dataclasses.dataclass(frozen=True)
class Splits:
    """The splits of all classifiers.

    Attributes:
        repeats: how many stratified 80/20 splits.
        folds: how many outer folds.
        seed: of both, and of the inner folds.
    """

    repeats: int
    folds: int
    seed: int


def classification_figures(
    vectors: Vectors, *, splits: Splits, choice: SvmChoice
) -> dict[str, Any]:
    """Figures of every classifier over the people of `vectors`.

    Args:
        vectors: pictures of these people, duplicates left out.
        splits: repeats and folds.
        choice: what the choice of C and kernel tries.

    Returns:
        JSON-ready figures; {"skipped": reason, …} when the pictures do not suffice.
    """
    kept = vectors.where(~vectors.roster.lost)
    names = kept.roster.identities
    reason = why_too_few(names)
    if reason:
        return {"protocol": PROTOCOL, "skipped": reason}
    people, targets = np.unique(names, return_inverse=True)
    machine = KernelSvm(kept.values, targets)
    # Several threads wait for each other longer than such small models take.
    with threadpool_limits(1):
        figures = _of_all(machine, splits, choice, lost=int(vectors.roster.lost.sum()))
    return {
        "protocol": PROTOCOL,
        "people": people.tolist(),
        "pictures": len(targets),
        "lost_pictures": int(vectors.roster.lost.sum()),
        "repeats": splits.repeats,
        "folds": usable_folds(targets, splits.folds),
        "seed": splits.seed,
        "classifiers": figures,
    }


def _of_all(
    machine: KernelSvm, splits: Splits, choice: SvmChoice, lost: int
) -> dict[str, dict[str, Any]]:
    named = modelled_split(len(machine.targets))
    repeated = list(
        StratifiedShuffleSplit(
            n_splits=splits.repeats, test_size=TEST_SHARE, random_state=splits.seed
        ).split(machine.features, machine.targets)
    )
    folds = outer_folds(machine.targets, splits.folds, splits.seed)
    figures = {
        name: {
            "description": DESCRIPTIONS[name],
            **_on_named_split(rule, machine.targets, named, lost),
            "repeated": _spread(rule, machine.targets, repeated),
            "folds": _spread(rule, machine.targets, folds),
        }
        for name, rule in rules(machine).items()
    }
    return {**figures, CHOSEN: _chosen(machine, named, folds, splits.seed, choice, lost)}


def outer_folds(targets: NDArray, folds: int, seed: int) -> list[Split]:
    """Stratified folds as rows to train and rows to test, as many as the pictures allow."""
    splitter = StratifiedKFold(usable_folds(targets, folds), shuffle=True, random_state=seed)
    return list(splitter.split(targets, targets))


def _chosen(
    machine: KernelSvm,
    named: Split,
    folds: list[Split],
    seed: int,
    choice: SvmChoice,
    lost: int,
) -> dict[str, Any]:
    """The SVM whose C and kernel every training part chooses for itself."""
    choices: list[ChosenSvm | None] = []

    def rule(train: Rows, test: Rows) -> NDArray:
        chosen = choose_svm(machine, train, choice, seed)
        choices.append(chosen)
        if chosen is None:  # a person has one training picture: nothing to hold out
            return machine.predict(train, test)
        return machine.predict(train, test, chosen.c, chosen.kernel)

    figures = {
        "description": "SVC(), C and kernel chosen by cross-validation inside each training part",
        **_on_named_split(rule, machine.targets, named, lost),
        "repeated": None,
        "folds": _spread(rule, machine.targets, folds),
    }
    tried = [None if one is None else {"c": one.c, "kernel": one.kernel} for one in choices]
    return {**figures, "choice": tried[0], "choices_of_folds": tried[1:]}


def _on_named_split(rule: Rule, targets: NDArray, split: Split, lost: int) -> dict[str, Any]:
    train, test = split
    predicted = rule(train, test)
    correct = int(np.sum(predicted == targets[test]))
    return {
        "accuracy": correct / len(test),
        "accuracy_interval": wilson_interval(correct, len(test)),
        "macro_f1": macro_f1(targets[test], predicted),
        "lost_as_errors": correct / (len(test) + lost),
        "test_pictures": len(test),
    }


def _spread(rule: Rule, targets: NDArray, splits: list[Split]) -> dict[str, float]:
    """Mean and deviation of accuracy and macro F1 over splits."""
    scores = []
    for train, test in splits:
        predicted = rule(train, test)
        scores.append((np.mean(predicted == targets[test]), macro_f1(targets[test], predicted)))
    means, deviations = np.mean(scores, axis=0), np.std(scores, axis=0, ddof=1)
    return {
        "accuracy_mean": float(means[0]),
        "accuracy_std": float(deviations[0]),
        "macro_f1_mean": float(means[1]),
        "macro_f1_std": float(deviations[1]),
    }


def figures(vectors: Vectors, measured: Measured, config: EvaluateConfig) -> dict[str, Any] | None:
    """Figures over the SVM's people; None where the config asks for none."""
    folds = config.classification.folds
    if not folds or config.list_only:
        return None
    return classification_figures(
        vectors.where(measured.people_rows),
        splits=Splits(config.repeats, folds, config.seed),
        choice=SvmChoice(config.svm_c, config.svm_kernels),
    )


def tables(results: dict[str, Any]) -> list[Table]:
    """A row for each classifier."""
    found = results["classification"]
    head = [
        "classifier",
        "accuracy",
        "lost as errors",
        "macro F1",
        f"{found['repeats']} repeated splits",
        f"{found['folds']} folds",
    ]
    rows = [
        [
            name.replace("_", " "),
            *(share(one[key]) for key in ("accuracy", "lost_as_errors", "macro_f1")),
            _mean(one["repeated"]),
            _mean(one["folds"]),
        ]
        for name, one in found["classifiers"].items()
    ]
    choices = ", ".join(map(_tried, found["classifiers"][CHOSEN]["choices_of_folds"]))
    note = f"SVM chosen in the folds: {choices}"
    described = "; ".join(
        f"{name.replace('_', ' ')}: {one['description']}"
        for name, one in found["classifiers"].items()
    )
    return [Table(head, rows, note, protocol=f"{found['protocol']}. {described}", terms=TERMS)]


def _mean(spread: dict[str, float] | None) -> str:
    if spread is None:
        return "-"
    return f"{spread['accuracy_mean']:.4f} ± {spread['accuracy_std']:.4f}"


def _tried(choice: dict[str, Any] | None) -> str:
    return "none" if choice is None else f"C = {choice['c']:g} {choice['kernel']}"


CLASSIFICATION = Protocol(
    "classification",
    "Classifiers side by side",
    "Whether the people are told apart by simple rules as well as by an SVM: if so, it is the "
    "network that does the work.",
    figures,
    tables,
    options=ClassificationOptions,
)
