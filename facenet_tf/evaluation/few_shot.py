"""Few-shot identification: a few pictures of each person are enrolled, all others named by them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from facenet_tf import metrics
from facenet_tf.evaluation.classifiers import Rule, rules
from facenet_tf.evaluation.kernel_svm import KernelSvm
from facenet_tf.evaluation.roster import Vectors, drawn_people

RULES = ("nearest_mean", "nearest_neighbour", "svm")

MOST_PICTURES = 3000
"""Of more, whole people are drawn at random up to this number: an SVM of many people is slow."""

PROTOCOL = (
    "closed set of the test people with enough pictures; of each the same number is enrolled, "
    "drawn at random from those with a record (a draw of more holds the draw of fewer); all their "
    "other pictures are probes, one without a record is an error in every draw; nearest mean: of "
    "the means scaled to length 1; nearest neighbour: of the enrolled pictures; svm: default SVC() "
    "of scikit-learn; accuracy: share of the probes named rightly; balanced: mean of the people's "
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
    enough = people[pictures >= needed]
    able = int(roster.of_people(enough).sum())
    taking_part = drawn_people(roster.where(roster.of_people(enough)), MOST_PICTURES, seed)
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
            "people": len(np.unique(roster.identities)) - len(enough),
            "pictures": len(roster) - able,
        },
        "not_drawn": {
            "rule": f"people beyond the {MOST_PICTURES} pictures of those drawn at random",
            "people": len(enough) - len(taking_part),
            "pictures": able - len(kept.roster),
        },
    }
    if len(taking_part) < 2:
        reason = f"{len(taking_part)} people with {needed} pictures or more: two are needed"
        return {**figures, "skipped": reason}
    return {**figures, "shots": _by_shots(kept, shots, draws, seed)}


def _by_shots(
    vectors: Vectors, shots: tuple[int, ...], draws: int, seed: int
) -> dict[str, dict[str, Any]]:
    person = np.unique(vectors.roster.identities, return_inverse=True)[1]
    known = ~vectors.roster.lost
    labels = person[known]
    known_rules = rules(KernelSvm(vectors.values[known], labels))
    places = [
        metrics.places_among_own(labels, np.random.default_rng([seed, draw]))
        for draw in range(draws)
    ]
    figures = {}
    for count in sorted(shots):
        probes = np.bincount(person) - count
        figures[str(count)] = {"probes": int(probes.sum())} | {
            name: _spread(
                np.array([_right(known_rules[name], labels, of < count) for of in places]), probes
            )
            for name in RULES
        }
    return figures


def _right(rule: Rule, labels: NDArray[np.int64], enrolled: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many probes of each person are named rightly, int64 [people]."""
    probes = np.flatnonzero(~enrolled)
    named = rule(np.flatnonzero(enrolled), probes)
    own = labels[probes]
    return np.bincount(own[named == own], minlength=labels.max() + 1)


def _spread(right: NDArray[np.int64], probes: NDArray[np.int64]) -> dict[str, float]:
    """Mean and deviation over the draws; [draws, people] named rightly, of [people] probes."""
    accuracy, balanced = right.sum(axis=1) / probes.sum(), (right / probes).mean(axis=1)
    return {
        "accuracy_mean": float(accuracy.mean()),
        "accuracy_std": float(accuracy.std(ddof=1)),
        "balanced_mean": float(balanced.mean()),
        "balanced_std": float(balanced.std(ddof=1)),
    }
