"""Do probabilities mean what they say: of classifiers, and of "the same person" from a distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from facenet_tf import metrics
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.methods.classifiers import logistic_model
from facenet_tf.evaluation.methods.closed_set import stratified_folds, usable_folds, why_too_few
from facenet_tf.evaluation.methods.pair_figures import sides_of
from facenet_tf.evaluation.methods.svm_choice import INNER_FOLDS
from facenet_tf.evaluation.methods.threshold_figures import has_both_kinds, of_records
from facenet_tf.evaluation.options.probabilities import ProbabilitiesOptions
from facenet_tf.evaluation.pair_sets import MOST_PICTURES_PAIRED, ScoredPairs
from facenet_tf.evaluation.protocol import Plot, Protocol, Results
from facenet_tf.evaluation.protocols.operating_points import pair_sets
from facenet_tf.evaluation.roster import Vectors
from facenet_tf.evaluation.table import Table, interval, pairs_name, share
from facenet_tf.thresholds import Thresholds

if TYPE_CHECKING:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.linear_model import LogisticRegression

BINS = 10

TERMS = {
    "mean claimed": "mean probability of the name that is given; honest where it is the accuracy",
    "ECE": "mean difference of claimed and true share over 10 bins of probability; 0 is honest",
    "Brier": "mean squared error of the probabilities; 0 is certain and right",
}

CLASSIFIER_PROTOCOL = (
    "closed set of the people and pictures of the SVM that have a record; stratified folds, so "
    "that each picture gets its probabilities once, from the others; svm: default SVC(), its "
    "decision values turned into probabilities by sigmoids fitted on inner folds "
    "(CalibratedClassifierCV); ECE of the named person's probability in 10 bins; Brier score over "
    "all people (0…2); intervals: 95 %, people drawn with replacement, each with all pictures, "
    "those of the ECE reflected at the estimate"
)
PAIR_PROTOCOL = (
    "probability that a pair shows one person = logistic function of the squared distance, fitted "
    "on pairs of other people; genuine and impostor pairs count one half each, as where both are "
    "equally likely beforehand; only pairs of pictures with a record; ECE in 10 bins, Brier score "
    "of one event (0…1); intervals: 95 %, people drawn with replacement, those of the ECE "
    "reflected at the estimate; all_pairs: where the test "
    f"people have more than {MOST_PICTURES_PAIRED:,} pictures, and the other figures are of pairs "
    "of some of them, all pairs of all of them, without intervals"
)


def classifier_probabilities(
    vectors: Vectors, *, folds: int, draws: int, seed: int
) -> dict[str, Any]:
    """How honest the classifiers' probabilities are over the people of `vectors`.

    Args:
        vectors: pictures of these people, duplicates left out.
        folds: at most so many, >= 2.
        draws: of people behind the intervals; 0: none.
        seed: of folds and draws.

    Returns:
        JSON-ready figures; {"skipped": reason, …} when the pictures do not suffice.
    """
    kept = vectors.where(~vectors.roster.lost)
    reason = why_too_few(kept.roster.identities) or _why_no_inner_folds(kept.roster.identities)
    if reason:
        return {"protocol": CLASSIFIER_PROTOCOL, "skipped": reason}
    targets = np.unique(kept.roster.identities, return_inverse=True)[1]
    with threadpool_limits(1):
        probabilities = {
            name: _out_of_fold(name, kept.values.astype(np.float64), targets, folds, seed)
            for name in ("svm", "logistic_regression")
        }
    return {
        "protocol": CLASSIFIER_PROTOCOL,
        "pictures": len(targets),
        "classifiers": {
            name: _honesty_of_classes(rows, targets, draws, seed)
            for name, rows in probabilities.items()
        },
    }


def probability_model(name: str, targets: NDArray) -> CalibratedClassifierCV | LogisticRegression:
    """The classifier "svm" or "logistic_regression" with probabilities, for these targets.

    Every person needs two of them: the SVM's sigmoids are fitted on pictures that were held out.
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import SVC

    if name == "logistic_regression":
        return logistic_model()
    folds = usable_folds(targets, INNER_FOLDS)
    return CalibratedClassifierCV(SVC(), cv=folds, ensemble=False)


def _why_no_inner_folds(names: NDArray[np.str_]) -> str | None:
    people, counts = np.unique(names, return_counts=True)
    if counts.min() < 3:
        return f"{people[counts.argmin()]} has {counts.min()} pictures with a record: 3 are needed"
    return None


def _out_of_fold(
    name: str, values: NDArray[np.float64], targets: NDArray[np.int64], folds: int, seed: int
) -> NDArray[np.float64]:
    result = np.empty((len(targets), int(targets.max()) + 1))
    for train, test in stratified_folds(targets, folds, seed):
        model = probability_model(name, targets[train])
        result[test] = model.fit(values[train], targets[train]).predict_proba(values[test])
    return result


def _honesty_of_classes(
    probabilities: NDArray[np.float64], targets: NDArray[np.int64], draws: int, seed: int
) -> dict[str, Any]:
    claimed, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == targets
    diagram = metrics.reliability(claimed, right, bins=BINS)
    people = int(targets.max()) + 1

    def drawn(times: NDArray[np.float64]) -> list[float]:
        weights = times[targets]
        return [
            metrics.reliability(claimed, right, bins=BINS, weights=weights).error,
            metrics.brier_score_of_classes(probabilities, targets, weights=weights),
        ]

    ece_interval, brier_interval = metrics.intervals_or_none(
        2, metrics.people_intervals, people, drawn, draws=draws, seed=seed
    )
    return {
        "accuracy": float(right.mean()),
        "mean_claimed": float(claimed.mean()),
        "ece": diagram.error,
        "ece_interval": ece_interval and metrics.reflected(ece_interval, diagram.error),
        "brier": metrics.brier_score_of_classes(probabilities, targets),
        "brier_interval": brier_interval,
        "bins": bins_of(diagram),
    }


def same_person_probabilities(
    thresholds: Thresholds, applied_to: dict[str, ScoredPairs], *, draws: int = 0, seed: int = 0
) -> dict[str, Any]:
    """How honest the probability of "the same person" is, made from the distance of two pictures.

    Args:
        thresholds: with the curve from distance to probability that other people's pairs taught.
        applied_to: pairs, by the name of their set.
        draws: of people behind the intervals; 0: none.
        seed: of the draws.
    """
    curve = metrics.Logistic(**thresholds.same_person)
    sets = {name: of_records(scored) for name, scored in applied_to.items()}
    return {
        "protocol": PAIR_PROTOCOL,
        **thresholds.same_person,
        "sets": {
            name: _honesty_of_pairs(curve, scored, draws, seed)
            for name, scored in sets.items()
            if has_both_kinds(scored.pairs)
        },
    }


def _honesty_of_pairs(
    curve: metrics.Logistic, scored: ScoredPairs, draws: int, seed: int
) -> dict[str, Any]:
    pairs, given = scored.pairs, (curve, scored.pairs.genuine, scored.distance)
    ece_interval, brier_interval = metrics.intervals_or_none(
        2,
        metrics.honesty_intervals,
        *given,
        sides_of(scored),
        bins=BINS,
        draws=draws,
        seed=seed,
    )
    found = _described(metrics.pair_honesty(*given, bins=BINS), pairs.protocol, len(pairs))
    return found | {"ece_interval": ece_interval, "brier_interval": brier_interval}


def _described(found: metrics.PairHonesty, protocol: str, pairs: int) -> dict[str, Any]:
    return {
        "protocol": protocol,
        "pairs": pairs,
        "ece": found.reliability.error,
        "ece_interval": None,
        "brier": found.brier,
        "brier_interval": None,
        "bins": bins_of(found.reliability),
    }


def of_all_pairs(thresholds: Thresholds, vectors: Vectors) -> dict[str, Any]:
    """The same of all pairs of all pictures of `vectors` that have a record."""
    curve, kept = metrics.Logistic(**thresholds.same_person), vectors.where(~vectors.roster.lost)
    people = kept.roster.identities
    found = metrics.all_pairs_honesty(curve, kept.values, people, bins=BINS)
    protocol = f"all pairs of the pictures of {len(np.unique(people))} test people, none left out"
    return _described(found, protocol, len(people) * (len(people) - 1) // 2)


def bins_of(diagram: metrics.Reliability) -> list[dict[str, float]]:
    """The bins that hold any case, JSON-ready: `share`, `claimed`, `observed`."""
    rows = zip(diagram.share, diagram.claimed, diagram.observed, strict=True)
    return [
        {"share": float(share), "claimed": float(claimed), "observed": float(observed)}
        for share, claimed, observed in rows
        if share > 0
    ]


def figures(vectors: Vectors, measured: Measured, config: EvaluateConfig) -> dict[str, Any] | None:
    """Figures of the classifiers and of pairs; None where the config asks for none."""
    folds = config.probabilities.folds
    if not folds:
        return None
    found: dict[str, Any] = {}
    if not config.list_only:
        found["classifiers"] = classifier_probabilities(
            vectors.where(measured.people_rows),
            folds=folds,
            draws=config.bootstrap,
            seed=config.seed,
        )
    thresholds = measured.thresholds.used
    if thresholds is not None:
        sets = pair_sets(vectors, measured, config.protocol)
        of_pairs = same_person_probabilities(
            thresholds, sets, draws=config.bootstrap, seed=config.seed
        )
        of_pairs["protocol"] += f"; the curve was {measured.thresholds.chosen_by}"
        if measured.many and config.all_pairs.when != "never":
            of_all = of_all_pairs(thresholds, vectors.where(measured.test_rows))
            of_pairs["sets"]["all_pairs"] = of_all
        found["same_person"] = of_pairs
    reasons = [part["skipped"] for part in found.values() if "skipped" in part]
    if len(reasons) == len(found):
        return {"skipped": "; ".join(reasons) or "no validation people to learn from"}
    return found


def tables(results: dict[str, Any]) -> list[Table]:
    """A row for each probability."""
    found = results["probabilities"]
    head = ["probability", "accuracy", "mean claimed", "ECE", "95 %", "Brier", "95 %"]
    classes, pairs = found.get("classifiers", {}), found.get("same_person", {})
    rows = [
        [
            name.replace("_", " "),
            *(share(one[key]) for key in ("accuracy", "mean_claimed")),
            *_cells(one),
        ]
        for name, one in classes.get("classifiers", {}).items()
    ]
    rows += [
        [f"same person: {pairs_name(name)}", "-", "-", *_cells(one)]
        for name, one in pairs.get("sets", {}).items()
    ]
    parts = [part for part in (classes, pairs) if part]
    notes = "; ".join(part["skipped"] for part in parts if "skipped" in part)
    protocol = ". ".join(part["protocol"] for part in parts)
    return [Table(head, rows, notes, protocol=protocol, terms=TERMS)]


def _cells(one: dict[str, Any]) -> list[str]:
    pairs = [(one[name], one[f"{name}_interval"]) for name in ("ece", "brier")]
    return [cell for value, within in pairs for cell in (share(value), interval(within))]


def draw(results: Results) -> list[Plot]:
    """One reliability diagram of all probabilities."""
    found = results.figures["probabilities"]
    curves = {
        **found.get("classifiers", {}).get("classifiers", {}),
        **{
            f"same person, {pairs_name(name)}": one
            for name, one in found.get("same_person", {}).get("sets", {}).items()
        },
    }
    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.add_subplot(xlabel="claimed", ylabel="came true", title="Reliability")
    axes.plot([0, 1], [0, 1], "--", color="gray", label="honest")
    for name, one in curves.items():
        claimed, observed = ([part[key] for part in one["bins"]] for key in ("claimed", "observed"))
        axes.plot(claimed, observed, "o-", markersize=4, label=name.replace("_", " "))
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", fontsize="small")
    text = (
        "Reliability: how often what was claimed with a probability came true; on the dashed line "
        "probabilities are honest, above it they are too modest, below it too bold"
    )
    return [Plot("reliability", text, figure)]


PROBABILITIES = Protocol(
    "probabilities",
    "Probabilities",
    "Whether an answer that is called 90 % sure is right nine times out of ten.",
    figures,
    tables,
    plots=draw,
    files=("reliability.png",),
    options=ProbabilitiesOptions,
)
