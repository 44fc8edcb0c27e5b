"""Several classifiers on unseen people's vectors, all by the same splits: closed-set figures.

The SVM whose C and kernel are chosen is measured by nested cross-validation: chosen inside the
training part of each outer fold, applied once to the fold that was held out. The mean over the
inner folds is no figure: it has been looked at to choose.

What the protocol "svm" measures of its two SVMs (named split, repeated splits) is not measured
again: here are their folds, and the table takes the rest from there.
"""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.methods.classifiers import DESCRIPTIONS, rules
from facenet_tf.evaluation.methods.closed_set import (
    Rule,
    Split,
    macro_f1,
    modelled_split,
    repeated_splits,
    spread,
    stratified_folds,
    usable_folds,
    why_too_few,
)
from facenet_tf.evaluation.methods.kernel_svm import KernelSvm, Rows
from facenet_tf.evaluation.methods.svm_choice import ChosenSvm, SvmChoice, choose_svm
from facenet_tf.evaluation.options.classification import ClassificationOptions
from facenet_tf.evaluation.protocol import Protocol
from facenet_tf.evaluation.roster import Vectors
from facenet_tf.evaluation.table import Table, share
from facenet_tf.metrics import wilson_interval

DEFAULT, CHOSEN = "svm", "svm_chosen"
"""Those of the protocol "svm"."""
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
    targets = machine.targets
    repeated = repeated_splits(targets, splits.repeats, splits.seed)
    folds = stratified_folds(targets, splits.folds, splits.seed)
    figures: dict[str, dict[str, Any]] = {}
    for name, rule in rules(machine).items():
        figures[name] = {"description": DESCRIPTIONS[name]}
        if name != DEFAULT:
            figures[name] |= _on_named_split(rule, targets, lost)
            figures[name]["repeated"] = spread(rule, targets, repeated)
        figures[name]["folds"] = spread(rule, targets, folds)
    return {**figures, CHOSEN: _chosen(machine, folds, splits.seed, choice)}


def _chosen(machine: KernelSvm, folds: list[Split], seed: int, choice: SvmChoice) -> dict[str, Any]:
    """The SVM whose C and kernel every fold's training part chooses for itself."""
    choices: list[ChosenSvm | None] = []

    def rule(train: Rows, test: Rows) -> NDArray:
        chosen = choose_svm(machine, train, choice, seed)
        choices.append(chosen)
        if chosen is None:  # a person has one training picture: nothing to hold out
            return machine.predict(train, test)
        return machine.predict(train, test, chosen.c, chosen.kernel)

    return {
        "description": "SVC(), C and kernel chosen by cross-validation inside each training part",
        "folds": spread(rule, machine.targets, folds),
        "choices_of_folds": [
            None if one is None else {"c": one.c, "kernel": one.kernel} for one in choices
        ],
    }


def _on_named_split(rule: Rule, targets: NDArray, lost: int) -> dict[str, Any]:
    train, test = modelled_split(len(targets))
    predicted = rule(train, test)
    correct = int(np.sum(predicted == targets[test]))
    return {
        "accuracy": correct / len(test),
        "accuracy_interval": wilson_interval(correct, len(test)),
        "macro_f1": macro_f1(targets[test], predicted),
        "lost_as_errors": correct / (len(test) + lost),
        "test_pictures": len(test),
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
    classifiers = with_those_of_svm(found["classifiers"], results["svm"])
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
            *(share(one.get(key)) for key in ("accuracy", "lost_as_errors", "macro_f1")),
            _mean(one.get("repeated")),
            _mean(one["folds"]),
        ]
        for name, one in classifiers.items()
    ]
    choices = ", ".join(map(_tried, classifiers[CHOSEN]["choices_of_folds"]))
    note = f"SVM chosen in the folds: {choices}"
    described = "; ".join(
        f"{name.replace('_', ' ')}: {one['description']}" for name, one in classifiers.items()
    )
    return [Table(head, rows, note, protocol=f"{found['protocol']}. {described}", terms=TERMS)]


def with_those_of_svm(
    classifiers: dict[str, dict[str, Any]], svm: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    """All classifiers with all their figures: of the two SVMs those that their own protocol has.

    Args:
        classifiers: those of evaluation.json.
        svm: the figures of the protocol "svm".
    """
    default = {key: svm.get(key) for key in ("accuracy", "macro_f1", "repeated")}
    default["lost_as_errors"] = svm.get("lost_as_errors", {}).get("accuracy")
    return {
        **classifiers,
        DEFAULT: classifiers[DEFAULT] | default,
        CHOSEN: svm.get("selected", {}) | classifiers[CHOSEN],
    }


def _mean(found: dict[str, float] | None) -> str:
    if found is None:
        return "-"
    return f"{found['accuracy_mean']:.4f} ± {found['accuracy_std']:.4f}"


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
