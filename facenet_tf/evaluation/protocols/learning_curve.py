"""The learning curve: how accuracy grows with the number of pictures that are enrolled."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.options.learning_curve import LearningCurveOptions
from facenet_tf.evaluation.protocol import Plot, Protocol, Results
from facenet_tf.evaluation.protocols.few_shot import RULES, TERMS, few_shot_figures, shot_rows
from facenet_tf.evaluation.roster import Roster, Vectors
from facenet_tf.evaluation.table import Table, by_vectors


def figures(vectors: Vectors, measured: Measured, config: EvaluateConfig) -> dict[str, Any] | None:
    """Few-shot figures at the numbers of pictures that the people have; None where not asked."""
    options = config.learning_curve
    if not options.draws or config.list_only:
        return None
    test = vectors.where(measured.test_rows)
    shots = shots_within(test.roster, options.shots, config.unseen_people)
    if not shots:
        return {"skipped": f"too few people have more than {min(options.shots)} pictures"}
    return few_shot_figures(test, shots=shots, draws=options.draws, seed=config.seed)


def shots_within(roster: Roster, shots: tuple[int, ...], people: int) -> tuple[int, ...]:
    """The numbers of pictures that enough people have, and one picture more.

    The same people take part at all numbers, so that a large one leaves few people.

    Args:
        roster: pictures of the people.
        shots: numbers of pictures to enrol.
        people: how many are enough; all of them, if there are not so many.
    """
    counts = np.unique(roster.identities[~roster.lost], return_counts=True)[1]
    needed = max(2, min(people, len(np.unique(roster.identities))))
    return tuple(sorted(shot for shot in shots if np.sum(counts > shot) >= needed))


def tables(results: dict[str, Any]) -> list[Table]:
    """Accuracy of each rule by the number of pictures."""
    found = results["learning_curve"]
    note = f"{found['people']} people, {found['draws']} draws"
    head, rows = shot_rows(results, "learning_curve")
    return [Table(head, rows, note, protocol=found["protocol"], terms=TERMS)]


def draw(results: Results) -> list[Plot]:
    """Mean and deviation over the number of pictures: every rule of the network, and of each
    baseline the nearest mean."""
    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.add_subplot(
        xscale="log", xlabel="pictures of each person", ylabel="accuracy", title="Learning curve"
    )
    for number, (name, result) in enumerate(by_vectors(results.figures).items()):
        found = result.get("learning_curve", {}).get("shots", {})
        for rule in RULES[:1] if number else RULES:
            means, spreads = (
                np.array([one[rule][key] for one in found.values()])
                for key in ("accuracy_mean", "accuracy_std")
            )
            label = f"{name}, {rule.replace('_', ' ')}"
            shots = [int(number) for number in found]
            axes.plot(shots, means, "o-", markersize=4, label=label)
            axes.fill_between(shots, means - spreads, means + spreads, alpha=0.2)
    axes.set_xticks([int(number) for number in results.figures["learning_curve"]["shots"]])
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", fontsize="small")
    text = (
        "Learning curve: the share of pictures that are named rightly, over the number of pictures "
        "of each person that the system was shown; bands: deviation over the draws"
    )
    return [Plot("learning_curve", text, figure)]


LEARNING_CURVE = Protocol(
    "learning_curve",
    "Learning curve",
    "How many pictures of each person are worth collecting: where the curve is flat, more of them "
    "do not help.",
    figures,
    tables,
    plots=draw,
    files=("learning_curve.png",),
    options=LearningCurveOptions,
    for_baselines=True,
)
