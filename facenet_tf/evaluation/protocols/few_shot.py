"""Few-shot identification: a few pictures of each person are enrolled, all others named by them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from facenet_tf import metrics
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.methods.classifiers import rules
from facenet_tf.evaluation.methods.closed_set import Rule
from facenet_tf.evaluation.methods.kernel_svm import KernelSvm
from facenet_tf.evaluation.protocol import Protocol
from facenet_tf.evaluation.roster import Vectors, drawn_people
from facenet_tf.evaluation.table import Table, by_vectors

RULES = ("nearest_mean", "nearest_neighbour", "svm")

TERMS = {
    "enrolled": "pictures of each person that the system is given",
    "nearest mean": "share named rightly, by the nearest of the people's mean embeddings",
    "nearest neighbour": "the same, by the nearest enrolled picture",
    "svm": "the same, by an SVM",
}

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


def figures(vectors: Vectors, measured: Measured, config: EvaluateConfig) -> dict[str, Any] | None:
    """Figures over the test people; None where the config asks for none."""
    if not config.few_shot or config.list_only:
        return None
    test = vectors.where(measured.test_rows)
    return few_shot_figures(test, shots=config.few_shot, draws=config.draws, seed=config.seed)


def tables(results: dict[str, Any]) -> list[Table]:
    """Per number of enrolled pictures and network: accuracy ± deviation of each rule."""
    few_shot = results["few_shot"]
    head, rows = shot_rows(results, "few_shot")
    return [Table(head, rows, _note(few_shot), protocol=few_shot["protocol"], terms=TERMS)]


def shot_rows(results: dict[str, Any], key: str) -> tuple[list[str], list[list[str]]]:
    """Head and rows of a table of such figures.

    Args:
        results: content of evaluation.json.
        key: where they are in it.
    """
    rows = []
    for name, result in by_vectors(results).items():
        for shots, figure in result.get(key, {}).get("shots", {}).items():
            cells = [
                f"{figure[rule]['accuracy_mean']:.4f} ± {figure[rule]['accuracy_std']:.4f}"
                for rule in RULES
            ]
            rows.append([shots, name, *cells, str(figure["probes"])])
    head = ["enrolled", "vectors", *(rule.replace("_", " ") for rule in RULES), "probes"]
    return head, sorted(rows, key=lambda row: int(row[0]))


def _note(few_shot: dict[str, Any]) -> str:
    """Who took part, who did not and why."""
    left_out = "".join(
        f"; left out: {out['people']} {out['rule']} ({out['pictures']} pictures)"
        for out in (few_shot["left_out"], few_shot["not_drawn"])
        if out["people"]
    )
    return (
        f"few-shot: {few_shot['people']} people, {few_shot['draws']} draws{left_out}; "
        f"pictures without a record, errors in every draw: {few_shot['lost_pictures']}"
    )


FEW_SHOT = Protocol(
    "few_shot",
    "Few-shot identification",
    "How often a person is named rightly when the system has only so few pictures of everybody.",
    figures,
    tables,
    for_baselines=True,
)
