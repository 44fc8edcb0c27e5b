"""Few-shot identification: a few pictures of each person are enrolled, all others named by them."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import SVC

from facenet_tf import metrics
from facenet_tf.evaluation.roster import Vectors

Rule = Callable[[NDArray, NDArray, NDArray], NDArray]
"""Enrolled vectors [E, D], their labels [E] and probes [P, D] to labels [P]."""


def svm(enrolled: NDArray, labels: NDArray, probes: NDArray) -> NDArray:
    """The labels that scikit-learn's default `SVC()`, trained on the enrolled, gives the probes."""
    return SVC().fit(enrolled, labels).predict(probes)


RULES: dict[str, Rule] = {
    "nearest_mean": metrics.nearest_mean,
    "nearest_neighbour": metrics.nearest_neighbour,
    "svm": svm,
}
PROTOCOL = (
    "closed set of the test people with enough pictures; of each the same number is enrolled, "
    "drawn at random from those with a record (a draw of more holds the draw of fewer); all their "
    "other pictures are probes, one without a record is an error in every draw; nearest mean: of "
    "the means scaled to length 1; nearest neighbour: of the enrolled pictures; svm: scikit-learn's "
    "default SVC(); accuracy: share of the probes named rightly; balanced: mean of the people's "
    "shares; mean and sample deviation over the draws"
)


def few_shot_figures(
    vectors: Vectors, *, shots: tuple[int, ...], draws: int, seed: int
) -> dict[str, Any]:
    """Figures of every rule at every number of enrolled pictures.

    The same people take part at all numbers: those with one picture more than the largest.

    Args:
        vectors: of the test people, duplicates left out.
        shots: numbers of pictures to enrol of each person, all >= 1.
        draws: how often pictures are drawn, >= 2.
        seed: of the draws.

    Returns:
        JSON-ready figures; {"skipped": reason, …} when fewer than two people take part.
    """
    roster = vectors.roster
    needed = max(shots) + 1
    people, pictures = np.unique(roster.identities[~roster.lost], return_counts=True)
    taking_part = people[pictures >= needed]
    kept = vectors.where(roster.of_people(taking_part))
    figures: dict[str, Any] = {
        "protocol": PROTOCOL,
        "draws": draws,
        "seed": seed,
        "people": len(taking_part),
        "pictures": len(kept.roster),
        "lost_pictures": int(kept.roster.lost.sum()),
        "left_out": {
            "rule": f"people with fewer than {needed} pictures that have a record",
            "people": len(np.unique(roster.identities)) - len(taking_part),
            "pictures": len(roster) - len(kept.roster),
        },
    }
    if len(taking_part) < 2:
        reason = f"{len(taking_part)} people with {needed} pictures or more: two are needed"
        return {**figures, "skipped": reason}
    figures["shots"] = {str(count): _figures(kept, count, draws, seed) for count in sorted(shots)}
    return figures


def _figures(vectors: Vectors, shots: int, draws: int, seed: int) -> dict[str, Any]:
    person = np.unique(vectors.roster.identities, return_inverse=True)[1]
    known = ~vectors.roster.lost
    values, labels = vectors.values[known], person[known]
    probes = np.bincount(person) - shots
    right: dict[str, list[NDArray[np.int64]]] = {name: [] for name in RULES}
    for draw in range(draws):
        random = np.random.default_rng([seed, draw])
        enrolled = metrics.places_among_own(labels, random) < shots
        for name, rule in RULES.items():
            named = rule(values[enrolled], labels[enrolled], values[~enrolled])
            own = labels[~enrolled][named == labels[~enrolled]]
            right[name].append(np.bincount(own, minlength=len(probes)))
    return {
        "probes": int(probes.sum()),
        **{name: _spread(np.array(counts), probes) for name, counts in right.items()},
    }


def _spread(right: NDArray[np.int64], probes: NDArray[np.int64]) -> dict[str, float]:
    """Mean and deviation over the draws; [draws, people] named rightly, of [people] probes."""
    accuracy, balanced = right.sum(axis=1) / probes.sum(), (right / probes).mean(axis=1)
    return {
        "accuracy_mean": float(accuracy.mean()),
        "accuracy_std": float(accuracy.std(ddof=1)),
        "balanced_mean": float(balanced.mean()),
        "balanced_std": float(balanced.std(ddof=1)),
    }
