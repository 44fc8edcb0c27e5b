"""Telling unseen people apart by an SVM on their vectors: closed-set identification.

The protocol "modelled-80-20" is that of the project this one is modelled on: one random split of
the pictures, 80 % to train the SVM and 20 % to test it, and scikit-learn's default `SVC()`.

That SVM sets its kernel's width by the variance around the mean of all *numbers*, and so is close
to blind on vectors in a narrow cone, as those of an untrained network are: it then names the person
with the most training pictures, however well the people are apart. The cross-validated choice of C
beside it shows whether a low figure is the SVM's or the vectors'.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.methods import plots
from facenet_tf.evaluation.methods.closed_set import (
    macro_f1,
    modelled_split,
    repeated_splits,
    spread,
    why_too_few,
)
from facenet_tf.evaluation.methods.kernel_svm import KernelSvm
from facenet_tf.evaluation.methods.svm_choice import SvmChoice, choose_svm
from facenet_tf.evaluation.protocol import Plot, Protocol, Results
from facenet_tf.evaluation.roster import Vectors
from facenet_tf.evaluation.table import Table, by_vectors, interval, people_name, percent, share
from facenet_tf.metrics import wilson_interval

if TYPE_CHECKING:
    from sklearn.svm import SVC

FILE = "svm.skops"

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
TERMS = {
    "SVM accuracy": "share of the test pictures that are given the right name, on one named split",
    "macro F1": "the same with every person counting alike, however many pictures they have",
    "repeated splits": "mean and deviation over many splits: what chance moves",
    "chosen C, kernel": "accuracy when the SVM's own settings were chosen on the training part",
}
CONFUSION = "The numbered columns: how many of a person's test pictures were given whose name"


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
    named, lost = _named_split(machine), int(vectors.roster.lost.sum())
    repeated = spread(
        machine.predict, machine.targets, repeated_splits(machine.targets, repeats, seed)
    )
    return {
        **named,
        "repeated": {"protocol": REPEATED_PROTOCOL, "repeats": repeats, **repeated},
        "selected": _selected(machine, choice, seed, lost),
        "lost_as_errors": _lost_as_errors(named, lost),
    }


def fit_named_split(vectors: Vectors) -> SVC:
    """The SVM of the named split, whose classes are names; for pictures that suffice."""
    from sklearn.svm import SVC

    kept = vectors.where(~vectors.roster.lost)
    train, _ = modelled_split(len(kept.roster))
    return SVC().fit(kept.values[train], kept.roster.identities[train])


def _named_split(machine: KernelSvm) -> dict[str, Any]:
    from sklearn.metrics import classification_report, confusion_matrix

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


def _selected(machine: KernelSvm, choice: SvmChoice, seed: int, lost: int) -> dict[str, Any]:
    train, test = modelled_split(len(machine.targets))
    chosen = choose_svm(machine, train, choice, seed)
    if chosen is None:
        return {"skipped": "a person has one training picture", "accuracy": None}
    predicted = machine.predict(train, test, chosen.c, chosen.kernel)
    correct = int(np.sum(predicted == machine.targets[test]))
    return {
        "protocol": SELECTED_PROTOCOL,
        "c": chosen.c,
        "kernel": chosen.kernel,
        "inner_folds": chosen.folds,
        "inner_accuracy": chosen.accuracy,
        "accuracy": correct / len(test),
        "macro_f1": macro_f1(machine.targets[test], predicted),
        "lost_as_errors": correct / (len(test) + lost),
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


def figures(vectors: Vectors, measured: Measured, config: EvaluateConfig) -> dict[str, Any] | None:
    """Figures over the people that the config asks for; None for a list of pairs alone."""
    if config.list_only:
        return None
    return svm_figures(
        vectors.where(measured.people_rows),
        repeats=config.repeats,
        choice=SvmChoice(config.svm_c, config.svm_kernels),
        seed=config.seed,
    )


def tables(results: dict[str, Any]) -> list[Table]:
    """Person by person with the confusion matrix, and all networks side by side."""
    svm, errors = results["svm"], results["svm"].get("lost_as_errors", {})
    head = [people_name(results), "SVM accuracy", "macro F1", "repeated splits", "chosen C, kernel"]
    rows = [_row(name, result["svm"]) for name, result in by_vectors(results).items()]
    note = ""
    if errors.get("lost_pictures"):
        note = f"with the pictures without a record as errors: {share(errors['accuracy'])}"
    numbers = [str(number + 1) for number in range(len(svm["people"]))]
    person_head = ["", "person", "precision", "recall", "F1", "pictures", *numbers]
    return [
        Table(head, rows, note, protocol=_protocol(svm), terms=TERMS),
        Table(person_head, _person_rows(svm), title="Person by person", protocol=CONFUSION),
    ]


def _row(name: str, svm: dict[str, Any]) -> list[str]:
    """Name, accuracy, macro F1, repeated mean ± deviation, chosen SVM."""
    repeated, spread = svm.get("repeated"), "-"
    if repeated:
        spread = f"{repeated['accuracy_mean']:.4f} ± {repeated['accuracy_std']:.4f}"
    chosen = share(svm.get("selected", {}).get("accuracy"))
    return [name, share(svm["accuracy"]), share(svm["macro_f1"]), spread, chosen]


def _person_rows(svm: dict[str, Any]) -> list[list[str]]:
    """Per person: name, precision, recall, F1, test pictures, and how many of these were given each
    person's number."""
    rows = []
    for number, (name, confused) in enumerate(zip(svm["people"], svm["confusion_matrix"]), start=1):
        scores = svm["classification_report"].get(name)
        shares = ["-", "-", "-", "0"]
        if scores:
            shares = [share(scores[kind]) for kind in ("precision", "recall", "f1-score")]
            shares.append(f"{scores['support']:.0f}")
        rows.append([str(number), name, *shares, *map(str, confused)])
    return rows


def _protocol(svm: dict[str, Any]) -> str:
    if "repeated" not in svm:
        return svm["protocol"]
    selected, errors = svm["selected"], svm["lost_as_errors"]
    chosen = "no choice"
    if selected["accuracy"] is not None:
        chosen = (
            f"chosen C = {selected['c']}, {selected['kernel']}, macro F1 "
            f"{share(selected['macro_f1'])}: {selected['protocol']}"
        )
    return (
        f"{svm['protocol']}. {svm['test_pictures']} test pictures of {len(svm['people'])} people; "
        f"95 % interval of the accuracy {interval(svm['accuracy_interval'])} (Wilson). Repeated "
        f"splits: {svm['repeated']['repeats']} times {svm['repeated']['protocol']}. {chosen}. With "
        f"lost pictures as errors ({errors['lost_pictures']} of {errors['test_pictures']}): "
        f"{errors['protocol']}"
    )


def verdict(results: dict[str, Any]) -> list[str]:
    """The named split's accuracy beside that of guessing and of the baselines."""
    svm = results["svm"]
    guessed = percent(1 / len(svm["people"]))
    others = [
        f"{name} {percent(result['svm']['accuracy'])}"
        for name, result in by_vectors(results).items()
        if result is not results and result["svm"]["accuracy"] is not None
    ]
    return [
        f"Who is it: an SVM gives {percent(svm['accuracy'])} of the pictures of "
        f"{len(svm['people'])} {people_name(results)} the right name "
        f"({', '.join([f'guessing {guessed}', *others])})."
    ]


def draw(results: Results) -> list[Plot]:
    """The confusion matrix of the named split."""
    svm = results.figures["svm"]
    drawing = plots.confusion(svm["confusion_matrix"], svm["people"])
    description = "Confusion matrix: a row for each person, and whose name the SVM gave them"
    return [Plot("confusion", description, drawing)]


def save(results: Results, directory: Path) -> None:
    """Write the SVM of the named split."""
    import skops.io  # a second

    skops.io.dump(
        fit_named_split(results.trained.where(results.measured.people_rows)), directory / FILE
    )


SVM = Protocol(
    "svm",
    "Identification by an SVM",
    "How often a simple classifier, shown some pictures of each person, names the right one of "
    "these people on pictures that it was not shown.",
    figures,
    tables,
    verdict,
    plots=draw,
    save=save,
    files=(FILE, "confusion.png"),
    for_baselines=True,
)
