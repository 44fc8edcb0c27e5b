"""One evaluation from its config to its directory: embeddings, figures, plots, JSON, report."""

import dataclasses
import logging
from typing import Any

from facenet_tf.evaluation import output, registry
from facenet_tf.evaluation.baselines import classical
from facenet_tf.evaluation.circumstances import circumstances
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import Measured, choose_measured
from facenet_tf.evaluation.methods.chosen_thresholds import made_by
from facenet_tf.evaluation.protocol import TRAINED, Results
from facenet_tf.evaluation.report.report import illustrated, write_report
from facenet_tf.evaluation.roster import Roster, Vectors
from facenet_tf.evaluation.seen import combined, without_seen
from facenet_tf.evaluation.systems import embedding
from facenet_tf.evaluation.systems.subject import Subject, open_others, open_subject
from facenet_tf.evaluation.table import shown_names
from facenet_tf.records import durable
from facenet_tf.records.dataset import FaceDataset

logger = logging.getLogger(__name__)

_BASELINES = {
    "untrained": "the same architecture with fresh weights drawn with the run's seed",
    "raw_pixels": (
        f"crops reduced to {embedding.PIXEL_SIDE} by {embedding.PIXEL_SIDE} pixels, each one's "
        "mean removed, scaled to length 1"
    ),
}


def evaluate_run(config: EvaluateConfig) -> dict[str, Any]:
    """Measure what the config names, and write the evaluation directory.

    Returns:
        What evaluation.json holds.

    Raises:
        InputError: bad options; a run, weights, dataset or list of pairs that is missing, damaged
            or does not fit the others; an output directory that cannot be written.
    """
    config = config.resolved()
    config.check()
    dataset = FaceDataset.open(config.dataset) if config.dataset else None
    subject = open_subject(config, dataset)
    others = open_others(config, dataset)
    everyone = subject.everyone(dataset)
    seen = combined(each.seen_people(dataset, everyone) for each in (subject, *others.values()))
    measured = choose_measured(config, without_seen(everyone, seen), seen, dataset)
    registry.check_files(measured, config)
    with output.written_whole(config.output_directory, registry.files()) as directory:
        vectors = _all_vectors(config, measured.roster, subject, others)
        vectors |= classical.classical_vectors(config, measured)
        measured = dataclasses.replace(
            measured,
            quality=subject.quality(measured.roster),
            made=subject.file.made if subject.file else made_by(config),
            compared={name: vectors[name] for name in config.compare},
        )
        vectors[TRAINED].save(directory / output.EMBEDDINGS, measured.made)
        figures = _figures(config, vectors, measured, subject, others)
        figures |= circumstances(
            config,
            dataset,
            subject,
            everyone,
            measured,
            seen,
            vectors[TRAINED],
            figures["baselines"],
        )
        results = Results(config, measured, _by_shown_name(vectors, figures), figures)
        for protocol in registry.with_figures(figures):
            if protocol.save:
                protocol.save(results, directory)
        durable.write_json(directory / output.FIGURES, figures)
        write_report(figures, directory / output.REPORT, illustrated(results, directory))
    return figures


def _by_shown_name(vectors: dict[str, Vectors], figures: dict[str, Any]) -> dict[str, Vectors]:
    shown = shown_names(figures["baselines"])
    return {shown.get(name, name): rows for name, rows in vectors.items()}


def _figures(
    config: EvaluateConfig,
    vectors: dict[str, Vectors],
    measured: Measured,
    subject: Subject,
    others: dict[str, Subject],
) -> dict[str, Any]:
    """Figures of the trained network, and below "baselines" those of each baseline."""
    described: dict[str, dict[str, Any]] = {
        name: {"protocol": protocol} for name, protocol in _BASELINES.items()
    }
    described |= classical.described(config, measured)
    described |= {name: other.described(subject.looks) for name, other in others.items()}
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
    config: EvaluateConfig, roster: Roster, subject: Subject, others: dict[str, Subject]
) -> dict[str, Vectors]:
    systems = {TRAINED: subject}
    if config.baselines and subject.model is not None:
        systems["untrained"] = subject.with_fresh_weights()
    if config.baselines and subject.embed is not None:
        systems["raw_pixels"] = subject.with_pixels()
    systems |= others
    vectors = {}
    for name, system in systems.items():
        logger.info("vectors: %s", name)
        vectors[name] = system.vectors(roster)
    return vectors
