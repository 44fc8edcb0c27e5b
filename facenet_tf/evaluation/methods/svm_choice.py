"""C and kernel of an SVM, chosen by cross-validation inside its training rows."""

import dataclasses
import itertools

import numpy as np

from facenet_tf.evaluation.methods.closed_set import stratified_folds, usable_folds
from facenet_tf.evaluation.methods.kernel_svm import KernelSvm, Rows

INNER_FOLDS = 5


@dataclasses.dataclass(frozen=True)
class SvmChoice:
    """What the cross-validated choice tries."""

    c: tuple[float, ...]
    kernels: tuple[str, ...]


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
    targets = machine.targets[train]
    folds = usable_folds(targets, INNER_FOLDS)
    if folds < 2:
        return None
    inner = [
        (train[fit], train[held_out]) for fit, held_out in stratified_folds(targets, folds, seed)
    ]
    scores = {
        (c, kernel): float(np.mean([machine.accuracy(*rows, c, kernel) for rows in inner]))
        for c, kernel in itertools.product(choice.c, choice.kernels)
    }
    c, kernel = max(scores, key=lambda tried: scores[tried])
    return ChosenSvm(c, kernel, folds, scores[c, kernel])
