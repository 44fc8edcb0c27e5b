"""Telling unseen people apart by an SVM on their vectors: closed-set identification.

The protocol "modelled-80-20" is that of the project this one is modelled on: one random split of
the pictures, 80 % to train the SVM and 20 % to test it, and scikit-learn's default `SVC()`.

That SVM sets its kernel's width by the variance around the mean of all *numbers*, and so is close
to blind on vectors in a narrow cone, as those of an untrained network are: it then names the person
with the most training pictures, however well the people are apart. The cross-validated choice of C
beside it shows whether a low figure is the SVM's or the vectors'.
"""

import dataclasses
import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import classification_report, confusion_matrix, f1_score
from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit, train_test_split
from sklearn.svm import SVC

from facenet_tf.evaluation.kernel_svm import KernelSvm, Rows
from facenet_tf.evaluation.roster import Vectors
from facenet_tf.metrics import wilson_interval

TEST_SHARE = 0.2
MODELLED_SEED = 42
INNER_FOLDS = 5

PROTOCOL = (
    "modelled-80-20: train_test_split(test_size=0.2, random_state=42), not stratified, over the "
    "pictures that have a record in the order (identity, key); scikit-learn's default SVC()"
)
REPEATED_PROTOCOL = (
    "StratifiedShuffleSplit(test_size=0.2), default SVC(), pictures that have a record; mean and "
    "sample deviation over the splits (the splits overlap: the deviation is no standard error)"
)
SELECTED_PROTOCOL = (
    "split of modelled-80-20; C and kernel by stratified cross-validation inside the training part"
)
LOST_PROTOCOL = (
    "modelled-80-20 with all pictures of these people that have no record added to its test part, "
    "as errors: none of them is in the training part, so that this is the most they can cost"
)


@dataclasses.dataclass(frozen=True)
class SvmChoice:
    """What the cross-validated choice tries."""

    c: tuple[float, ...]
    kernels: tuple[str, ...]


def svm_figures(vectors: Vectors, *, repeats: int, choice: SvmChoice, seed: int) -> dict[str, Any]:
    """All SVM figures over the people of `vectors`.

    Returns:
        JSON-ready figures; {"skipped": reason, …} when the pictures do not suffice.
    """
    names = vectors.roster.identities
    has_record = ~vectors.roster.lost
    reason = why_too_few(names[has_record])
    if reason:
        return {"skipped": reason, "accuracy": None, "macro_f1": None, "protocol": PROTOCOL}
    machine = KernelSvm(vectors.values[has_record], names[has_record])
    named = _named_split(machine)
    return {
        **named,
        "repeated": _repeated(machine, repeats, seed),
        "selected": _selected(machine, choice, seed),
        "lost_as_errors": _lost_as_errors(named, int(vectors.roster.lost.sum())),
    }


def fit_named_split(vectors: Vectors) -> SVC:
    """The SVM of the named split, whose classes are names; for pictures that suffice."""
    kept = vectors.where(~vectors.roster.lost)
    train, _ = modelled_split(len(kept.roster))
    return SVC().fit(kept.values[train], kept.roster.identities[train])


def modelled_split(count: int) -> tuple[Rows, Rows]:
    """Training and test rows of the modelled project's split of `count` pictures."""
    train, test = train_test_split(
        np.arange(count), test_size=TEST_SHARE, random_state=MODELLED_SEED
    )
    return train, test


def why_too_few(targets: NDArray[np.str_]) -> str | None:
    """Why these pictures, by the names on them, do not suffice for the splits; None if they do."""
    people, counts = np.unique(targets, return_counts=True)
    if len(people) < 2:
        return f"{len(people)} people with a record: an SVM needs two"
    if counts.min() < 2:
        return f"{people[counts.argmin()]} has a single picture with a record: two are needed"
    if np.ceil(TEST_SHARE * len(targets)) < len(people):
        return f"{len(targets)} pictures of {len(people)} people: a test share holds not all people"
    train, _ = modelled_split(len(targets))
    if len(np.unique(targets[train])) < 2:
        return f"{len(targets)} pictures: the training part of the named split shows one person"
    return None


def _named_split(machine: KernelSvm) -> dict[str, Any]:
    train, test = modelled_split(len(machine.targets))
    predicted, true = machine.predict(train, test), machine.targets[test]
    people = np.unique(machine.targets)
    correct = int(np.sum(predicted == true))
    return {
        "protocol": PROTOCOL,
        "accuracy": correct / len(test),
        "accuracy_interval": wilson_interval(correct, len(test)),
        "accuracy_interval_protocol": "Wilson, 95 %",
        "macro_f1": macro_f1(true, predicted),
        "people": people.tolist(),
        "train_pictures": len(train),
        "test_pictures": len(test),
        "classification_report": classification_report(
            true, predicted, output_dict=True, zero_division=0
        ),
        "confusion_matrix": confusion_matrix(true, predicted, labels=people).tolist(),
    }


def _repeated(machine: KernelSvm, repeats: int, seed: int) -> dict[str, Any]:
    splits = StratifiedShuffleSplit(n_splits=repeats, test_size=TEST_SHARE, random_state=seed)
    accuracies, f1s = [], []
    for train, test in splits.split(machine.features, machine.targets):
        predicted = machine.predict(train, test)
        accuracies.append(np.mean(predicted == machine.targets[test]))
        f1s.append(macro_f1(machine.targets[test], predicted))
    return {
        "protocol": REPEATED_PROTOCOL,
        "repeats": repeats,
        "accuracy_mean": float(np.mean(accuracies)),
        "accuracy_std": float(np.std(accuracies, ddof=1)),
        "macro_f1_mean": float(np.mean(f1s)),
        "macro_f1_std": float(np.std(f1s, ddof=1)),
    }


@dataclasses.dataclass(frozen=True)
class ChosenSvm:
    """C and kernel of the highest mean accuracy over so many inner folds."""

    c: float
    kernel: str
    folds: int
    accuracy: float


def choose_svm(machine: KernelSvm, train: Rows, choice: SvmChoice, seed: int) -> ChosenSvm | None:
    """C and kernel by stratified cross-validation inside some rows.

    Returns:
        The first of the best, in the order of `choice`; None where a person has one of the rows.
    """
    folds = min(INNER_FOLDS, int(np.unique(machine.targets[train], return_counts=True)[1].min()))
    if folds < 2:
        return None
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    inner = [
        (train[fit], train[held_out])
        for fit, held_out in splitter.split(train, machine.targets[train])
    ]
    scores = {
        (c, kernel): float(np.mean([machine.accuracy(*rows, c, kernel) for rows in inner]))
        for c, kernel in itertools.product(choice.c, choice.kernels)
    }
    c, kernel = max(scores, key=lambda tried: scores[tried])
    return ChosenSvm(c, kernel, folds, scores[c, kernel])


def _selected(machine: KernelSvm, choice: SvmChoice, seed: int) -> dict[str, Any]:
    train, test = modelled_split(len(machine.targets))
    chosen = choose_svm(machine, train, choice, seed)
    if chosen is None:
        return {"skipped": "a person has one training picture", "accuracy": None}
    predicted = machine.predict(train, test, chosen.c, chosen.kernel)
    return {
        "protocol": SELECTED_PROTOCOL,
        "c": chosen.c,
        "kernel": chosen.kernel,
        "inner_folds": chosen.folds,
        "inner_accuracy": chosen.accuracy,
        "accuracy": float(np.mean(predicted == machine.targets[test])),
        "macro_f1": macro_f1(machine.targets[test], predicted),
    }


def _lost_as_errors(named: dict[str, Any], lost: int) -> dict[str, Any]:
    """The named split's accuracy with every lost picture added to its test part, as an error."""
    tested = named["test_pictures"] + lost
    correct = named["accuracy"] * named["test_pictures"]
    return {
        "protocol": LOST_PROTOCOL,
        "accuracy": correct / tested,
        "lost_pictures": lost,
        "test_pictures": tested,
    }


def macro_f1(true: NDArray[np.str_], predicted: NDArray[np.str_]) -> float:
    """Mean F1 of the people who occur in the test part or are predicted: scikit-learn's default."""
    return float(f1_score(true, predicted, average="macro", zero_division=0))
