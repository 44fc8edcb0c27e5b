"""How many wrong labels the cleaning finds: labels of a dataset swapped at random.

    python benchmarks/label_noise.py DATASET --model RUN [--quick] [--output FILE]

Of people with at least ten pictures, 5 % of the pictures exchange their labels with those of other
people; precision and recall of what is then flagged, per seed, median and range. The swaps are
drawn on top of the labels as they are: an error that was there before counts as a false alarm.
"unseen" are the people that neither trained nor steered the run, as far as that is known ("seen"
says from where), "all" is everyone, and the run has learnt the true labels of most of them. The
peers flag, by the same probabilities, each picture that is likelier somebody else's (disagreement)
or twenty times as likely (odds_20). "flagged_without_swaps" is the share that is flagged where
nothing was swapped.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import numpy as np
import report

from facenet_tf.curation.cleaning import judged_records
from facenet_tf.curation.labels import find_suspects, out_of_sample
from facenet_tf.curation.vectors import vectors_of
from facenet_tf.evaluation.roster import Roster
from facenet_tf.evaluation.seen import seen_people
from facenet_tf.evaluation.systems.embedding import run_record
from facenet_tf.evaluation.systems.networks import load_checked, network_embedder
from facenet_tf.input_pipeline.pipeline import dense_labels
from facenet_tf.records.dataset import FaceDataset

SHARE, MIN_PICTURES, FOLDS = 0.05, 10, 5
SEEDS = (0, 1, 2, 3, 4)


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("dataset", type=Path, help="dataset directory")
    parser.add_argument("--model", type=Path, required=True, help="run directory")
    options = parser.parse_args()
    dataset = FaceDataset.open(options.dataset)
    embed = network_embedder(load_checked(options.model, dataset))
    seeds = SEEDS[:1] if options.quick else SEEDS
    metrics: dict[str, Any] = {}
    counts: dict[str, Any] = {}
    everyone = judged_records(dataset, "all", MIN_PICTURES)
    seen = seen_people(run_record(options.model), dataset, Roster.of(dataset))
    unseen = [dataset.class_names[label] not in seen for label in dataset.labels[everyone]]
    for who, records in {"unseen": everyone[unseen], "all": everyone}.items():
        labels = dense_labels(dataset, records).labels.astype(np.int64)
        vectors = vectors_of(embed, dataset, records, 128)
        counts[who] = {"people": int(labels.max()) + 1, "pictures": len(labels)}
        metrics |= figures(who, vectors, labels, seeds)
    report.publish(
        "label_noise",
        metrics,
        options.output,
        seeds=list(seeds),
        share=SHARE,
        min_pictures=MIN_PICTURES,
        counts=counts,
        dataset={"name": dataset.manifest["name"], "fingerprint": dataset.fingerprint},
        seen=seen.source,
    )


def figures(
    who: str, vectors: np.ndarray, labels: np.ndarray, seeds: tuple[int, ...]
) -> dict[str, Any]:
    """Precision and recall over the seeds, and what is flagged without swaps."""
    results: dict[str, list[tuple[float, float]]] = {"ours": [], "disagreement": [], "odds_20": []}
    for seed in seeds:
        given = swapped(labels, seed)
        probabilities = out_of_sample(vectors, given, FOLDS, seed)
        flagged = np.zeros(len(given), bool)
        flagged[find_suspects(probabilities, given).row] = True
        own = probabilities[np.arange(len(given)), given]
        highest = probabilities.max(axis=1)
        rules = {"ours": flagged, "disagreement": highest > own, "odds_20": highest > 20 * own}
        for name, doubted in rules.items():
            results[name].append(scores(doubted, given != labels))
    found = {}
    for at, figure in enumerate(("precision", "recall")):
        values = {name: [score[at] for score in scored] for name, scored in results.items()}
        found[f"{who}_{figure}"] = report.metric(values.pop("ours"), values, "share")
    flagged_counts = [
        len(find_suspects(out_of_sample(vectors, labels, FOLDS, seed), labels).row)
        for seed in seeds
    ]
    found[f"{who}_flagged_without_swaps"] = {
        "ours": statistics.median(flagged_counts) / len(labels),
        "peers": {},
        "ratio": {},
        "range": {
            "ours": [count / len(labels) for count in (min(flagged_counts), max(flagged_counts))]
        },
        "unit": "share of the pictures",
    }
    return found


def swapped(labels: np.ndarray, seed: int) -> np.ndarray:
    """Labels of which a share have changed places, each now on a picture of somebody else."""
    random = np.random.default_rng(seed)
    half = round(SHARE * len(labels) / 2)
    chosen = random.permutation(len(labels))[: 2 * half]
    # In an order by person, nobody who has less than half of them meets oneself half-way round.
    rank = random.permutation(labels.max() + 1)
    chosen = chosen[np.argsort(rank[labels[chosen]], kind="stable")]
    given = labels.copy()
    given[chosen] = labels[np.roll(chosen, half)]
    return given


def scores(flagged: np.ndarray, wrong: np.ndarray) -> tuple[float, float]:
    """Precision and recall."""
    hits = int((flagged & wrong).sum())
    return hits / max(1, int(flagged.sum())), hits / int(wrong.sum())


if __name__ == "__main__":
    main()
