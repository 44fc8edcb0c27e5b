"""One evaluation from its config to its directory: embeddings, figures, plots, JSON, report."""

import dataclasses
import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from facenet_tf.evaluation import embedding, output, registry
from facenet_tf.evaluation.beside import Beside
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import Measured, choose_measured
from facenet_tf.evaluation.protocol import TRAINED, Results
from facenet_tf.evaluation.report import illustrated, write_report
from facenet_tf.evaluation.roster import Roster, Vectors
from facenet_tf.evaluation.seen import SeenPeople, without_seen
from facenet_tf.evaluation.subject import Subject, open_subject
from facenet_tf.evaluation.table import shown_name
from facenet_tf.input_pipeline.degraded import check_degradations
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
    measured = choose_measured(config, without_seen(everyone, seen), seen, dataset)
    with output.written_whole(config.output_directory, registry.files()) as directory:
        vectors = _all_vectors(config, dataset, measured.roster, subject, beside)
        vectors[TRAINED].save(directory / output.EMBEDDINGS)
        figures = {
            **_figures(config, vectors, measured, beside),
            **_circumstances(config, dataset, subject, everyone, measured, seen),
        }
        results = Results(config, measured, _by_shown_name(vectors, figures), figures)
        for protocol in registry.with_figures(figures):
            if protocol.save:
                protocol.save(results, directory)
        durable.write_json(directory / output.FIGURES, figures)
        write_report(figures, directory / output.REPORT, illustrated(results, directory))
    return figures


def _by_shown_name(vectors: dict[str, Vectors], figures: dict[str, Any]) -> dict[str, Vectors]:
    others = figures["baselines"]
    return {
        shown_name(name, others[name]) if name in others else name: rows
        for name, rows in vectors.items()
    }


def _figures(
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
        results[name] = registry.all_figures(rows, measured, config, baseline=name != TRAINED)
    return {
        **results[TRAINED],
        "baselines": {
            name: {**described[name], **result}
            for name, result in results.items()
            if name != TRAINED
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
    embedders = {TRAINED: embedding.network_embedder(subject.model, *averaged)}
    if config.baselines:
        seed = subject.run.get("config", {}).get("seed", config.seed)
        fresh = embedding.untrained_like(subject.model, seed)
        embedders["untrained"] = embedding.network_embedder(fresh, *averaged)
        embedders["raw_pixels"] = embedding.embed_pixels
    result = {}
    for name, embed in embedders.items():
        logger.info("vectors of %d pictures: %s", int((~roster.lost).sum()), name)
        again = partial(_embedded, embed, dataset, config)
        result[name] = dataclasses.replace(again(roster, ()), embed=again)
    if beside:
        result[_BESIDE] = beside.vectors(roster)
    return result


def _embedded(
    embed: embedding.Embedder,
    dataset: FaceDataset,
    config: EvaluateConfig,
    roster: Roster,
    degrade: Sequence[str],
) -> Vectors:
    degrade = (*config.degrade, *degrade)
    return embedding.embed_roster(embed, dataset, roster, config.batch_size, degrade)


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
        "config": _plain(dataclasses.asdict(config)),
        "git_revision": git_revision(),
        "versions": versions(),
    }


def _plain(value: Any) -> Any:
    """A field of the config as JSON has it."""
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return str(value) if isinstance(value, Path) else value
