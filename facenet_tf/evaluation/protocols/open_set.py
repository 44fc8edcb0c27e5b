"""Unknown people: classifiers that may say "nobody I know", and what that costs the known ones.

Whoever uses a recogniser enrols some people and then meets others. The threshold of the reject
option must not be chosen on the unknown people it is judged by: here people of the validation
split, whom nobody enrolled, choose it against the same enrolled pictures.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from facenet_tf import metrics
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.options.open_set import OpenSetOptions
from facenet_tf.evaluation.protocol import Protocol
from facenet_tf.evaluation.protocols.probabilities import probability_model
from facenet_tf.evaluation.roster import Vectors, drawn_people
from facenet_tf.evaluation.table import Table, interval, steered_people

Named = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Labels given to probes, and the doubt about each; smaller is surer."""
Recogniser = Callable[[NDArray[np.float64]], Named]

FEWEST_PICTURES = 5
"""Of a person to enrol: one is a probe, and the SVM's probabilities want two more to hold out."""
PROBE_SHARE = 0.2
MOST_PICTURES = 3000
"""Of more, whole people are drawn at random up to this number."""

RULES = {
    "nearest_mean": "squared distance to the nearest person's mean",
    "nearest_neighbour": "squared distance to the nearest enrolled picture",
    "logistic_regression": "largest probability",
    "svm": "largest probability",
}
TERMS = {
    "closed set": "share of known people's pictures named rightly where nobody is unknown",
    "AUC known/unknown": "how often a known person's picture gets its name with less doubt",
}
SHARES = {"detected": "unknown detected", "named": "named rightly"}
PROTOCOL = (
    "of the test people with enough pictures one half, drawn at random, is enrolled with 80 % of "
    "its pictures and probed with the others; all other test people are unknown; the threshold is "
    "the one at which this share of the validation people's pictures, none of whom is enrolled, "
    "gets a name; doubt: squared distance to the nearest mean or picture, or minus the largest "
    "probability; closed set: names of the known people's probes without a threshold; named: known "
    "probes that get a name, and the right one; detected: unknown people's pictures that get no "
    "name; a picture without a record (a failure to enrol, ISO/IEC 19795-1) gets none; mean and "
    "sample deviation over the draws; intervals: people drawn with replacement, 95 % percentiles "
    "of the mean over the draws, enrolled pictures and thresholds as they are"
)


def open_set_figures(
    test: Vectors,
    validation: Vectors,
    *,
    fars: tuple[float, ...],
    draws: int,
    seed: int,
    bootstrap: int = 0,
) -> dict[str, Any]:
    """Figures of every rule with a reject option.

    Args:
        test: of the test people, duplicates left out: enrolled and unknown people.
        validation: of the validation people, who choose the thresholds.
        fars: shares of unknown people's pictures that may get a name, in (0, 1).
        draws: how often half of the people are drawn, >= 2.
        seed: of the draws.
        bootstrap: draws of people behind the intervals; 0: none.

    Returns:
        JSON-ready figures; {"skipped": reason, …} where there are too few people.
    """
    test, chooser = _limited(test, seed), _limited(validation, seed)
    chooser = chooser.where(~chooser.roster.lost)
    people, pictures = np.unique(test.roster.identities[~test.roster.lost], return_counts=True)
    able = people[pictures >= FEWEST_PICTURES]
    enrolled = len(able) // 2
    figures: dict[str, Any] = {
        "protocol": PROTOCOL,
        "draws": draws,
        "seed": seed,
        "enrolled_people": enrolled,
        "unknown_people": len(np.unique(test.roster.identities)) - enrolled,
        "choosing_people": len(np.unique(chooser.roster.identities)),
        "choosing_pictures": len(chooser.roster),
    }
    if enrolled < 2:
        reason = f"{len(able)} test people have {FEWEST_PICTURES} pictures: four are needed"
        return {**figures, "skipped": reason}
    if not len(chooser.roster):
        return {**figures, "skipped": "no validation people to choose a threshold"}
    with threadpool_limits(1):
        results = [
            _of_draw(test, chooser, able, fars, np.random.default_rng([seed, draw]))
            for draw in range(draws)
        ]
        rules = {name: _spread([one[name] for one in results], bootstrap, seed) for name in RULES}
    return {**figures, "rules": rules}


def _limited(vectors: Vectors, seed: int) -> Vectors:
    people = drawn_people(vectors.roster, MOST_PICTURES, seed)
    return vectors.where(vectors.roster.of_people(people))


def _of_draw(
    test: Vectors,
    chooser: Vectors,
    able: NDArray[np.str_],
    fars: tuple[float, ...],
    random: np.random.Generator,
) -> dict[str, "_Judged"]:
    """By rule: what became of the probes of one draw."""
    chosen = np.sort(random.permutation(able)[: len(able) // 2])
    known = test.roster.of_people(chosen)
    mine, others = test.where(known), test.where(~known)
    labels = np.searchsorted(chosen, mine.roster.identities)
    person = np.unique(test.roster.identities, return_inverse=True)[1]
    probe = _probes(mine, labels, random)
    results = {}
    for name in RULES:
        recognise = _recogniser(name, mine.values[~probe].astype(np.float64), labels[~probe])
        names, doubts = _of_pictures(recognise, mine.where(probe))
        unknown = _of_pictures(recognise, others)[1]
        rightly = names == labels[probe]
        choosing = recognise(chooser.values.astype(np.float64))[1]
        results[name] = _Judged(
            doubts, rightly, unknown, (person[known][probe], person[~known]), choosing, fars
        )
    return results


def _probes(
    vectors: Vectors, labels: NDArray[np.int64], random: np.random.Generator
) -> NDArray[np.bool_]:
    """A fifth of each person's pictures, at least one; those without a record on top."""
    lost = vectors.roster.lost
    places = metrics.places_among_own(labels[~lost], random)
    wanted = np.maximum(1, np.round(PROBE_SHARE * np.bincount(labels[~lost])))
    probe = lost.copy()
    probe[~lost] = places < wanted[labels[~lost]]
    return probe


def _recogniser(name: str, enrolled: NDArray[np.float64], labels: NDArray[np.int64]) -> Recogniser:
    if name == "nearest_mean":
        return _nearest(*metrics.person_means(enrolled, labels))
    if name == "nearest_neighbour":
        return _nearest(labels, enrolled)
    model = probability_model(name, labels).fit(enrolled, labels)

    def by_probability(probes: NDArray[np.float64]) -> Named:
        probabilities = model.predict_proba(probes)
        return model.classes_[probabilities.argmax(axis=1)], -probabilities.max(axis=1)

    return by_probability


def _nearest(labels: NDArray[np.int64], references: NDArray[np.float64]) -> Recogniser:
    def by_distance(probes: NDArray[np.float64]) -> Named:
        return metrics.nearest_names(labels, references, probes)

    return by_distance


def _of_pictures(recognise: Recogniser, vectors: Vectors) -> Named:
    """Names and doubts of pictures; about those without a record the doubt is infinite."""
    there = ~vectors.roster.lost
    names, doubts = np.full(len(there), -1), np.full(len(there), np.inf)
    if there.any():
        names[there], doubts[there] = recognise(vectors.values[there].astype(np.float64))
    return names, doubts


class _Judged:
    """The probes of one draw under one rule.

    Args:
        known: doubts about the known people's probes.
        rightly: which of them get the right name.
        unknown: doubts about the unknown people's pictures.
        person: numbers of whom the known probes and the unknown pictures show.
        choosing: doubts about the pictures that choose the thresholds.
        fars: that they are chosen for, where there are pictures enough.
    """

    def __init__(
        self,
        known: NDArray[np.float64],
        rightly: NDArray[np.bool_],
        unknown: NDArray[np.float64],
        person: tuple[NDArray[np.int64], NDArray[np.int64]],
        choosing: NDArray[np.float64],
        fars: tuple[float, ...],
    ) -> None:
        self._known, self._rightly, self._unknown, self.person = known, rightly, unknown, person
        flags = np.repeat([True, False], [len(known), len(unknown)])
        self._pairs = metrics.SortedPairs(flags, np.concatenate([known, unknown]))
        self._thresholds = {
            far: metrics.threshold_at_far(choosing, far).threshold
            for far in fars
            if metrics.supports_far(len(choosing), far)
        }

    def figures(self, times: NDArray[np.float64]) -> dict[str, float]:
        """Those at a FAR are named "FAR/figure"; each person counts `times` [people].

        Raises:
            ValueError: nobody who is known, or nobody who is unknown, counts.
        """
        weights = times[self.person[0]], times[self.person[1]]
        curve = self._pairs.curve(np.concatenate(weights)[self._pairs.order])
        rightly = float(weights[0] @ self._rightly / weights[0].sum())
        figures = {"closed_set": rightly, "auc": metrics.area_under_curve(curve)}
        for far, threshold in self._thresholds.items():
            found = metrics.rejection(self._known, self._rightly, self._unknown, threshold, weights)
            figures |= {f"{far}/{name}": value for name, value in vars(found).items()}
        return figures

    def cases(self) -> int:
        """People of the kind, known or unknown, of which there are fewer."""
        return min(len(np.unique(person)) for person in self.person)


def _spread(draws: list[_Judged], bootstrap: int, seed: int) -> dict[str, Any]:
    """Mean, deviation and interval of every figure over the draws; those at a FAR under "fars"."""
    people = 1 + max(int(person.max()) for person in draws[0].person)
    values = [one.figures(np.ones(people)) for one in draws]
    names = list(values[0])

    def means(times: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.mean([list(one.figures(times).values()) for one in draws], axis=0)

    intervals = metrics.intervals_or_none(
        len(names),
        metrics.people_intervals,
        people,
        means,
        draws=bootstrap,
        seed=seed,
        cases=[min(one.cases() for one in draws)] * len(names),
    )
    result: dict[str, Any] = {"fars": {}}
    for name, limits in zip(names, intervals, strict=True):
        of_draws = np.array([one[name] for one in values])
        far, _, figure = name.rpartition("/")
        place = result["fars"].setdefault(far, {}) if far else result
        place[f"{figure}_mean"] = float(of_draws.mean())
        place[f"{figure}_std"] = float(of_draws.std(ddof=1))
        place[f"{figure}_interval"] = limits
    return result


def figures(vectors: Vectors, measured: Measured, config: EvaluateConfig) -> dict[str, Any] | None:
    """Figures over all test people; None where the config asks for none."""
    options = config.open_set
    if not options.draws or config.list_only:
        return None
    roster = measured.roster
    found = open_set_figures(
        vectors.where(measured.test_rows),
        vectors.where((roster.splits == "validation") & ~roster.duplicate),
        fars=options.fars,
        draws=options.draws,
        seed=config.seed,
        bootstrap=config.bootstrap,
    )
    return {**found, "steered_people": len(measured.steered)}


def tables(results: dict[str, Any]) -> list[Table]:
    """A row for each rule: closed set, and at each FAR what is detected and what is named."""
    found, wanted = results["open_set"], results["config"]["open_set"]["fars"]
    carried = next(iter(found["rules"].values()))["fars"]
    asked = [far for far in wanted if str(far) in carried]
    missing = ", ".join(f"{far:g}" for far in wanted if far not in asked)
    head = ["rule", "closed set", "AUC known/unknown"]
    head += [f"{what}@{far:g}" for far in asked for what in ("unknown detected", "named rightly")]
    rows = []
    for name, rule in found["rules"].items():
        points = [rule["fars"][str(far)] for far in asked]
        cells = [mean(point, what) for point in points for what in ("detected", "named")]
        rows.append([name.replace("_", " "), mean(rule, "closed_set"), mean(rule, "auc"), *cells])
    note = (
        f"{found['enrolled_people']} people enrolled, {found['unknown_people']} unknown, "
        f"{found['draws']} draws; thresholds chosen by {found['choosing_pictures']} pictures of "
        f"{found['choosing_people']} other people"
    ) + (f", too few for a FAR of {missing}" if missing else "")
    note += steered_people(found)
    terms = dict(TERMS)
    for far in asked:
        terms[f"unknown detected@{far:g}"] = (
            f"share of unknown people's pictures that get no name; {1 - far:g} was asked for"
        )
        terms[f"named rightly@{far:g}"] = (
            "share of known people's pictures that still get the right name"
        )
    main = Table(head, rows, note, protocol=found["protocol"], terms=terms)
    return [main, _intervals_table(found)]


def _intervals_table(found: dict[str, Any]) -> Table:
    """The intervals over people of what is detected and what is named."""
    rows = [
        [name.replace("_", " "), far, *(interval(point[f"{what}_interval"]) for what in SHARES)]
        for name, rule in found["rules"].items()
        for far, point in rule["fars"].items()
        if point["detected_interval"] is not None
    ]
    head = ["rule", "FAR", *SHARES.values()]
    return Table(head, rows, title="Unknown people: intervals over people", detail=True)


def mean(figures: dict[str, float], name: str) -> str:
    """Mean ± deviation of a figure."""
    return f"{figures[f'{name}_mean']:.4f} ± {figures[f'{name}_std']:.4f}"


def verdict(results: dict[str, Any]) -> list[str]:
    """What the nearest mean does at the first FAR that the validation people carry."""
    rule = results["open_set"]["rules"]["nearest_mean"]
    for far, point in rule["fars"].items():
        return [
            f"Of people it was never shown, {point['detected_mean']:.0%} of the pictures get no "
            f"name (asked: {1 - float(far):.0%}), and {point['named_mean']:.0%} of the known "
            f"people's pictures get the right one; with nobody unknown "
            f"{rule['closed_set_mean']:.0%} did."
        ]
    return []


OPEN_SET = Protocol(
    "open_set",
    "Unknown people",
    "What happens when somebody is met whom the system does not know: how often it says so, and "
    "how many of the known people it still names.",
    figures,
    tables,
    verdict=verdict,
    options=OpenSetOptions,
)
