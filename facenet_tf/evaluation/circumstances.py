"""Everything beside the figures that a reader needs to judge or repeat them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.lfw_names import reporting_names
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.roster import Roster, Vectors
from facenet_tf.evaluation.seen import SeenPeople, without_seen
from facenet_tf.evaluation.systems.subject import Subject
from facenet_tf.provenance import git_revision, versions
from facenet_tf.records.dataset import FaceDataset

FORMAT = 1
POLICY = (
    "a picture without a record, or whose vector is not finite or nothing but zeros, is a failure "
    "to enrol (ISO/IEC 19795-1), rejected at every threshold: its genuine pairs are false "
    "non-matches, its impostor pairs no false matches, and as a probe it finds nobody; in the "
    "accuracy of a list of pairs each pair that holds it is an error; under lost_as_errors it is "
    "one more picture that the SVM gets wrong; a recovered or fallback crop is embedded like any "
    "other; a duplicate (same bytes) or a picture that a reviewed list excluded counts in "
    "published lists only"
)


def circumstances(
    config: EvaluateConfig,
    dataset: FaceDataset | None,
    subject: Subject,
    everyone: Roster,
    measured: Measured,
    seen: SeenPeople,
    vectors: Vectors,
    baselines: dict[str, dict[str, Any]],
) -> dict[str, Any]:
    """What evaluation.json holds beside the protocols' figures.

    Args:
        config: of the evaluation.
        dataset: whose pictures were measured; None for embeddings alone.
        subject: what was measured.
        everyone: all pictures.
        measured: people and pairs.
        seen: whom the systems know.
        vectors: of the subject.
        baselines: those of evaluation.json.
    """
    run = subject.run
    # View 1 is no reported figure, and a list without its seen people is not LFW's.
    named = config.protocol == "lfw_view2" and not measured.left_out
    return {
        "format": FORMAT,
        "pictures": _pictures(everyone, measured, config),
        "seen_people": {
            "known_from": seen.source,
            "count": len(seen.names),
            "steered": len(seen.steering),
            "before": seen.before,
            "left_out_of_list": measured.left_out,
            "left_out_of_choosing": _trained_on(everyone, seen),
        },
        "dataset": _of_embeddings(subject, everyone) if dataset is None else _dataset(dataset),
        "model": {
            "name": subject.model.name if subject.model is not None else Path(subject.name).stem,
            "kind": subject.kind,
            "engine": subject.engine,
            "parameters": subject.parameters,
            "embedding_size": vectors.values.shape[1],
            "flip_average": config.flip_average,
            "jitter": config.jitter,
        },
        "lfw_reporting_names": reporting_names(run, subject.weights, baselines) if named else {},
        "weights": subject.weights,
        "run": {"config": run.get("config"), "git_revision": run.get("git_revision")},
        "config": config.recorded(),
        "git_revision": git_revision(),
        "versions": versions(),
    }


def _trained_on(everyone: Roster, seen: SeenPeople) -> int:
    """How many validation people the systems were trained on: they choose no threshold."""
    moved = without_seen(everyone, seen).splits != everyone.splits
    return len(np.unique(everyone.identities[moved & (everyone.splits == "validation")]))


def _pictures(everyone: Roster, measured: Measured, config: EvaluateConfig) -> dict[str, Any]:
    test = everyone.where(everyone.splits == "test")
    lost = test.where(test.lost & ~test.duplicate)
    return {
        "policy": POLICY,
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
    }


def _dataset(dataset: FaceDataset) -> dict[str, Any]:
    manifest = dataset.manifest
    return {
        "name": manifest["name"],
        "variant": manifest.get("variant"),
        "pictures": manifest["pictures"],
        "records": manifest["records"],
        "outcomes": manifest["outcomes"],
        "rungs": manifest["rungs"],
        "fingerprint": dataset.fingerprint,
        "preprocessing": dataset.preprocessing.to_dict(),
        "preprocessing_fingerprint": dataset.preprocessing.fingerprint(),
    }


def _of_embeddings(subject: Subject, everyone: Roster) -> dict[str, Any]:
    """The same of a file of embeddings, of whose crops nothing is known."""
    return {
        "name": Path(subject.name).name,
        "variant": None,
        "pictures": len(everyone),
        "records": int((~everyone.lost).sum()),
        "outcomes": everyone.outcome_counts(),
        "rungs": {},
        "fingerprint": subject.sha256[:16],
        "preprocessing": None,
        "preprocessing_fingerprint": None,
    }
