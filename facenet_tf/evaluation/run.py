"""One evaluation from its config to its directory: embeddings, figures, plots, JSON, report."""

import dataclasses
import logging
from pathlib import Path
from typing import Any

import skops.io

from facenet_tf.evaluation import embedding, output, plots
from facenet_tf.evaluation.beside import Beside
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.protocols import Measured, all_figures, choose_measured
from facenet_tf.evaluation.report import write_report
from facenet_tf.evaluation.roster import Roster, Vectors
from facenet_tf.evaluation.seen import SeenPeople, without_seen
from facenet_tf.evaluation.subject import Subject, open_subject
from facenet_tf.evaluation.svm import fit_named_split
from facenet_tf.evaluation.verification import ScoredPairs
from facenet_tf.input_pipeline.degraded import check_degradations
from facenet_tf.metrics import roc_curve
from facenet_tf.provenance import git_revision, versions
from facenet_tf.records import durable
from facenet_tf.records.dataset import FaceDataset

logger = logging.getLogger(__name__)

FORMAT = 1
_BESIDE = "beside"
_BASELINES = {
    "untrained": "the same architecture with fresh weights drawn with the run's seed",
    "raw_pixels": (
        f"crops reduced to {embedding.PIXEL_SIDE} by {embedding.PIXEL_SIDE} pixels, each one's "
        "mean removed, scaled to length 1"
    ),
}


def evaluate_run(config: EvaluateConfig) -> dict[str, Any]:
    """Measure a run, or weights of others, on a dataset and write the evaluation directory.

    Returns:
        What evaluation.json holds.

    Raises:
        InputError: bad options; a run, weights, dataset or list of pairs that is missing, damaged
            or does not fit the others; an output directory that cannot be written.
    """
    config.check()
    dataset = FaceDataset.open(config.dataset)
    check_degradations(config.degrade, dataset.preprocessing)
    subject = open_subject(config, dataset)
    beside = Beside(config, *config.beside) if config.beside else None
    everyone = Roster.of(dataset)
    seen = subject.seen_people(dataset, everyone)
    measured = choose_measured(config, without_seen(everyone, seen), seen)
    with output.written_whole(config.output_directory) as directory:
        vectors = _all_vectors(config, dataset, measured.roster, subject, beside)
        vectors["trained"].save(directory / output.EMBEDDINGS)
        figures = {
            **_results(config, vectors, measured, beside),
            **_circumstances(config, dataset, subject, everyone, measured, seen),
        }
        if figures["svm"]["accuracy"] is not None:
            svm = fit_named_split(vectors["trained"].where(measured.people_rows))
            skops.io.dump(svm, directory / output.SVM)
        images = _draw(directory, vectors, measured, figures, config)
        durable.write_json(directory / output.FIGURES, figures)
        write_report(figures, images, directory / output.REPORT)
    return figures


def _results(
    config: EvaluateConfig,
    vectors: dict[str, Vectors],
    measured: Measured,
    beside: Beside | None,
) -> dict[str, Any]:
    """Figures of the trained network, and below "baselines" those of each baseline."""
    described: dict[str, dict[str, Any]] = {
        name: {"protocol": protocol} for name, protocol in _BASELINES.items()
    }
    if beside:
        described[_BESIDE] = beside.described
    results = {}
    for name, rows in vectors.items():
        logger.info("figures: %s", name)
        bootstrap = config.bootstrap if name == "trained" else 0
        results[name] = all_figures(rows, measured, config, bootstrap=bootstrap)
    return {
        **results["trained"],
        "baselines": {
            name: {**described[name], **result}
            for name, result in results.items()
            if name != "trained"
        },
    }


def _all_vectors(
    config: EvaluateConfig,
    dataset: FaceDataset,
    roster: Roster,
    subject: Subject,
    beside: Beside | None,
) -> dict[str, Vectors]:
    averaged = (config.flip_average, config.jitter, config.seed)
    embedders = {"trained": embedding.network_embedder(subject.model, *averaged)}
    if config.baselines:
        seed = subject.run.get("config", {}).get("seed", config.seed)
        fresh = embedding.untrained_like(subject.model, seed)
        embedders["untrained"] = embedding.network_embedder(fresh, *averaged)
        embedders["raw_pixels"] = embedding.embed_pixels
    result = {}
    for name, embed in embedders.items():
        logger.info("vectors of %d pictures: %s", int((~roster.lost).sum()), name)
        result[name] = embedding.embed_roster(
            embed, dataset, roster, config.batch_size, config.degrade
        )
    if beside:
        result[_BESIDE] = beside.vectors(roster)
    return result


def _circumstances(
    config: EvaluateConfig,
    dataset: FaceDataset,
    subject: Subject,
    everyone: Roster,
    measured: Measured,
    seen: SeenPeople,
) -> dict[str, Any]:
    """Everything beside the figures that a reader needs to judge or repeat them."""
    manifest, test = dataset.manifest, everyone.where(everyone.splits == "test")
    model, run = subject.model, subject.run
    lost = test.where(test.lost & ~test.duplicate)
    return {
        "format": FORMAT,
        "pictures": {
            "policy": (
                "a picture without a record is an error in every pair that holds it and, under "
                "lost_as_errors, one more picture that the SVM gets wrong; a recovered or fallback "
                "crop is embedded like any other; a duplicate (same bytes) or a picture that a "
                "reviewed list excluded counts in published lists only"
            ),
            "test_people": len(set(test.identities.tolist())),
            "test_pictures": len(test),
            "test_outcomes": test.outcome_counts(),
            "svm_outcomes": measured.roster.where(measured.people_rows).outcome_counts(),
            "lost": [
                {"key": str(key), "identity": str(identity), "outcome": str(outcome)}
                for key, identity, outcome in zip(
                    lost.keys, lost.identities, lost.outcomes, strict=True
                )
            ],
            "lost_count": len(lost),
            "degraded": list(config.degrade),
        },
        "seen_people": {
            "known_from": seen.source,
            "count": len(seen.names),
            "before": seen.before,
            "left_out_of_list": measured.left_out,
        },
        "dataset": {
            "name": manifest["name"],
            "variant": manifest.get("variant"),
            "pictures": manifest["pictures"],
            "records": manifest["records"],
            "outcomes": manifest["outcomes"],
            "rungs": manifest["rungs"],
            "fingerprint": dataset.fingerprint,
            "preprocessing": dataset.preprocessing.to_dict(),
            "preprocessing_fingerprint": dataset.preprocessing.fingerprint(),
        },
        "model": {
            "name": model.name,
            "parameters": model.count_params(),
            "embedding_size": int(model.output_shape[-1]),
            "flip_average": config.flip_average,
            "jitter": config.jitter,
        },
        "weights": subject.weights,
        "run": {"config": run.get("config"), "git_revision": run.get("git_revision")},
        "config": {name: _plain(value) for name, value in dataclasses.asdict(config).items()},
        "git_revision": git_revision(),
        "versions": versions(),
    }


def _plain(value: Any) -> Any:
    """A field of the config as JSON has it."""
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value


def _draw(
    directory: Path,
    vectors: dict[str, Vectors],
    measured: Measured,
    figures: dict[str, Any],
    config: EvaluateConfig,
) -> list[Path]:
    """Draw the plots that the figures allow; returns their files in the order of the report."""
    images = []

    def draw(name: str) -> Path:
        images.append(directory / name)
        return images[-1]

    pairs = measured.listed or measured.unseen
    if pairs is not None:
        distances = {name: ScoredPairs.of(rows, pairs).distance for name, rows in vectors.items()}
        shown = {_BESIDE: config.beside[0]} if config.beside else {}
        curves = {
            shown.get(name, name): roc_curve(pairs.genuine, value)
            for name, value in distances.items()
        }
        plots.plot_roc(curves, draw("roc.png"))
        plots.plot_det(curves, draw("det.png"))
        plots.plot_distances(
            pairs.genuine, distances["trained"], "trained network", draw("distances.png")
        )
    if "confusion_matrix" in figures["svm"]:
        svm = figures["svm"]
        plots.plot_confusion(svm["confusion_matrix"], svm["people"], draw("confusion.png"))
    unseen = vectors["trained"].where(measured.people_rows & ~measured.roster.lost)
    if config.tsne and len(unseen.roster) > plots.FEWEST_POINTS:
        plots.plot_tsne(unseen.values, unseen.roster.identities, config.seed, draw("tsne.png"))
    return images
