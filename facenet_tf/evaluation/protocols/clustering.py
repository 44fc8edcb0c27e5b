"""Clustering: pictures of unseen people sorted into people without knowing anybody.

What an algorithm must be told (a distance, or the size of the smallest cluster) is tried on the
validation people and applied once to the test people.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from facenet_tf import metrics
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.methods.sorting import ALGORITHMS, Algorithm, Pictures
from facenet_tf.evaluation.options.clustering import ClusteringOptions
from facenet_tf.evaluation.protocol import Protocol, Results, Sheet, Strip
from facenet_tf.evaluation.roster import Vectors
from facenet_tf.evaluation.table import Table, interval, share, steered_people

SHOWN_CLUSTERS, SHOWN_PICTURES = 8, 12

PROTOCOL = (
    "pictures of the test people, duplicates left out, sorted without a word about who they are; "
    "distance: Euclidean, of unit vectors; the one parameter of each algorithm is that with the "
    "best BCubed F on the validation people (15 distances, from that which 5 % of their genuine "
    "pairs are within to that of 10 % of their impostor pairs; HDBSCAN: 5 sizes); pictures that an "
    "algorithm calls noise, and those without a record, are clusters of their own; intervals: "
    "people drawn with replacement, 95 % percentiles, clusters as they are; NMI has none: the "
    "entropies it compares depend on how many people there are, and a draw holds two thirds of them"
)

TERMS = {
    "BCubed precision": "of a picture's cluster, the share that shows the same person, in the mean",
    "recall": "of a picture's person, the share that is in its cluster, in the mean",
    "F": "both in one number: 1 is perfect",
    "pairwise F": "the same for pairs of pictures; people with many pictures weigh more",
    "NMI": "how much the clusters say about who is shown: 0 nothing, 1 everything",
    "purity": "share of the pictures that show the person whom most of their cluster show",
}


def figures(vectors: Vectors, measured: Measured, config: EvaluateConfig) -> dict[str, Any] | None:
    """Figures of every algorithm; None where the config asks for none."""
    if config.list_only or not config.clustering.algorithms:
        return None
    validation = (measured.roster.splits == "validation") & ~measured.roster.duplicate
    found = clustering_figures(
        vectors.where(measured.test_rows),
        vectors.where(validation),
        algorithms=config.clustering.algorithms,
        bootstrap=config.bootstrap,
        seed=config.seed,
    )
    return {**found, "steered_people": len(measured.steered)}


def clustering_figures(
    test: Vectors,
    validation: Vectors,
    *,
    algorithms: tuple[str, ...],
    bootstrap: int,
    seed: int,
) -> dict[str, Any]:
    """Figures of every algorithm.

    Args:
        test, validation: duplicates left out.
        algorithms: of ALGORITHMS.
        bootstrap: draws of people behind the intervals; 0: none.
        seed: of the draws and of Chinese Whispers.

    Returns:
        JSON-ready figures, {"skipped": reason} where nothing can be sorted.
    """
    chosen_on, pictures = Pictures.of(validation, seed), Pictures.of(test, seed)
    for name, kind in (("validation", chosen_on), ("test", pictures)):
        if not kind.enough():
            return {"skipped": f"no two {name} people, one of them with two pictures"}
    return {
        "protocol": PROTOCOL,
        "people": int(pictures.person.max()) + 1,
        "pictures": len(pictures.person),
        "lost_pictures": len(pictures.person) - len(pictures.known),
        "people_not_drawn": pictures.left_out,
        "validation_people": int(chosen_on.person.max()) + 1,
        "validation_pictures": len(chosen_on.person),
        "algorithms": {
            name: _of_algorithm(ALGORITHMS[name], chosen_on, pictures, bootstrap, seed)
            for name in algorithms
        },
    }


def _of_algorithm(
    algorithm: Algorithm, chosen_on: Pictures, pictures: Pictures, bootstrap: int, seed: int
) -> dict[str, Any]:
    parameter, score = _chosen(algorithm, chosen_on, seed)
    clusters = pictures.sorted_by(algorithm, parameter, seed)
    return {
        "parameter": parameter,
        "parameter_is": algorithm.parameter,
        "validation_bcubed_f": score,
        **_agreement(pictures, clusters, bootstrap, seed),
    }


def _chosen(algorithm: Algorithm, pictures: Pictures, seed: int) -> tuple[float, float]:
    """The parameter with the best BCubed F, of equal ones the smallest, and that F."""
    tried = pictures.parameters(algorithm)
    scores = [
        metrics.ClusterTable(
            pictures.person, metrics.noise_apart(pictures.sorted_by(algorithm, parameter, seed))
        )
        .bcubed()
        .f
        for parameter in tried
    ]
    best = int(np.argmax(scores))
    return float(tried[best]), scores[best]


def _agreement(
    pictures: Pictures, clusters: NDArray[np.int64], bootstrap: int, seed: int
) -> dict[str, Any]:
    table = metrics.ClusterTable(pictures.person, metrics.noise_apart(clusters))
    sizes = np.bincount(table.clusters)

    people = int(pictures.person.max()) + 1

    def drawn(times: NDArray[np.float64]) -> list[float]:
        weights = times[pictures.person]
        agreements = table.bcubed(weights), table.pairwise(times)
        shares = [value for each in agreements for value in _shares(each).values()]
        return [*shares, table.purity(weights)]

    limits = metrics.intervals_or_none(
        7,
        metrics.people_intervals,
        people,
        drawn,
        draws=bootstrap,
        seed=seed,
        cases=[people // 2] * 7,  # a picture and one that it is in a cluster with: two people
    )
    return {
        "bcubed": _shares(table.bcubed()) | _named(limits[:3]),
        "pairwise": _shares(table.pairwise()) | _named(limits[3:6]),
        "nmi": table.normalised_mutual_information(),
        "purity": table.purity(),
        "purity_interval": limits[6],
        "clusters": len(sizes),
        "clusters_of_two_or_more": int((sizes > 1).sum()),
        "noise": int((clusters[pictures.known] == metrics.NOISE).sum()),
    }


def _shares(agreement: metrics.Agreement) -> dict[str, Any]:
    return {"precision": agreement.precision, "recall": agreement.recall, "f": agreement.f}


def _named(limits: list[metrics.Limits | None]) -> dict[str, Any]:
    """The intervals of an agreement's shares; that of F is the `interval`."""
    return dict(zip(("precision_interval", "recall_interval", "interval"), limits, strict=True))


def tables(results: dict[str, Any]) -> list[Table]:
    """A row for each algorithm."""
    found = results["clustering"]
    rows = [
        [
            ALGORITHMS[name].title,
            *(share(row["bcubed"][kind]) for kind in ("precision", "recall", "f")),
            interval(row["bcubed"].get("interval")),
            share(row["pairwise"]["f"]),
            share(row["nmi"]),
            share(row["purity"]),
            str(row["clusters_of_two_or_more"]),
            str(row["clusters"] - row["clusters_of_two_or_more"]),
            f"{row['parameter']:.4g}",
        ]
        for name, row in found["algorithms"].items()
    ]
    head = ["algorithm", "BCubed precision", "recall", "F", "interval", "pairwise F", "NMI"]
    head += ["purity", "clusters", "alone", "parameter"]
    note = (
        f"{found['people']} people, {found['pictures']} pictures, {found['lost_pictures']} of them "
        "without a record; clusters: of two pictures or more; alone: pictures in none of them"
    )
    if found["people_not_drawn"]:
        note += f"; {found['people_not_drawn']} people were not drawn"
    note += steered_people(found)
    parameters = "; ".join(f"{kind.title}: {kind.parameter}" for kind in ALGORITHMS.values())
    protocol = f"{found['protocol']}. Parameters: {parameters}"
    return [Table(head, rows, note=note, protocol=protocol, terms=TERMS)]


def verdict(results: dict[str, Any]) -> list[str]:
    """The best algorithm in a sentence."""
    found = results["clustering"]
    row = found["algorithms"][_best(found)]
    return [
        f"Sorted without a word about who they are, {found['pictures']} pictures of "
        f"{found['people']} people fall into {row['clusters_of_two_or_more']} clusters and "
        f"{row['clusters'] - row['clusters_of_two_or_more']} single pictures "
        f"(BCubed F {row['bcubed']['f']:.2f})."
    ]


def _best(found: dict[str, Any]) -> str:
    """The algorithm that did best on the validation people."""
    algorithms = found["algorithms"]
    return max(algorithms, key=lambda name: algorithms[name]["validation_bcubed_f"])


def sheets(results: Results) -> list[Sheet]:
    """The largest clusters, and those that mix most, of the algorithm that the validation people
    found best."""
    found, measured = results.figures["clustering"], results.measured
    name, seed = _best(found), results.config.seed
    test = np.flatnonzero(measured.test_rows)
    pictures = Pictures.of(results.trained.where(test), seed)
    parameter = found["algorithms"][name]["parameter"]
    clusters = metrics.noise_apart(pictures.sorted_by(ALGORITHMS[name], parameter, seed))
    table = metrics.ClusterTable(pictures.person, clusters)
    sizes, strangers = np.bincount(table.clusters), table.strangers()
    chosen_by = {
        "Largest clusters": (sizes, "those with the most pictures"),
        "Clusters that mix people": (
            strangers,
            "those with the most pictures of others than the person whom most show",
        ),
    }
    return [
        Sheet(
            title,
            f"{ALGORITHMS[name].title}: {note}.",
            tuple(
                _strip(np.flatnonzero(table.clusters == cluster), pictures, test, results)
                for cluster in np.argsort(-order, kind="stable")[:SHOWN_CLUSTERS]
                if order[cluster] > 0 and sizes[cluster] > 1
            ),
        )
        for title, (order, note) in chosen_by.items()
        if (order[sizes > 1] > 0).any()
    ]


def _strip(
    members: NDArray[np.int64], pictures: Pictures, test: NDArray[np.int64], results: Results
) -> Strip:
    """Some pictures of a cluster, the same number of each person's first, with their names."""
    people = len(np.unique(pictures.person[members]))
    places = metrics.places_among_own(pictures.person[members], np.random.default_rng(0))
    shown = np.sort(members[np.argsort(places, kind="stable")][:SHOWN_PICTURES])
    rows = test[pictures.rows[shown]]
    names = results.measured.roster.identities[rows]
    caption = f"{len(members)} pictures of {people} {'person' if people == 1 else 'people'}"
    if len(shown) < len(members):
        caption += f", {len(shown)} of them shown"
    return Strip(caption, tuple(rows.tolist()), tuple(map(str, names)))


CLUSTERING = Protocol(
    "clustering",
    "Clustering",
    "Whether the piles become people when a heap of pictures is sorted by likeness alone. BCubed "
    "precision says how pure a picture's pile is, recall how much of its person is in it.",
    figures,
    tables,
    verdict=verdict,
    sheets=sheets,
    options=ClusteringOptions,
)
