"""The one list of protocols. Nothing else of the evaluation knows a protocol by its name.

How a protocol is added:

1. One file ``protocols/NAME.py`` that ends in ``NAME = Protocol("name", …)``: see `Protocol` for
   what its functions are given and give. The mathematics belongs into ``facenet_tf.metrics``.
2. One line in PROTOCOLS below; the report and the console keep this order.
3. Only if it has options: a frozen dataclass that extends `Options`, in
   ``evaluation/options/name.py`` (apart, because options are read before anything heavy is
   imported), and one field of `EvaluateConfig`:
   ``name: NameOptions = dataclasses.field(default_factory=NameOptions)``. They become ``--name.…``
   of evaluate.py and ``figures["config"]["name"]`` in evaluation.json.

No decision is made at a threshold that was picked on the pairs it judges: what answers yes or no
takes `Measured.thresholds`, which were chosen for the vectors at hand before any protocol is asked.
EER, and TAR and DIR at a FAR, decide nothing: they are points of the measured curve.

Figures come as a JSON-ready dict: ``{"skipped": why}`` where the data do not allow them (the report
then says why, and neither tables nor plots are asked for), None where the config asks for none. Of
the trained network they are ``figures[name]`` of evaluation.json, of a baseline
``figures["baselines"][BASELINE][name]``; `table.by_vectors` gives all of them.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.methods.chosen_thresholds import calibrated
from facenet_tf.evaluation.protocol import Protocol
from facenet_tf.evaluation.protocols.all_pairs import ALL_PAIRS
from facenet_tf.evaluation.protocols.bins import BINS
from facenet_tf.evaluation.protocols.classification import CLASSIFICATION
from facenet_tf.evaluation.protocols.clustering import CLUSTERING
from facenet_tf.evaluation.protocols.comparison import COMPARISON
from facenet_tf.evaluation.protocols.distractors import DISTRACTORS
from facenet_tf.evaluation.protocols.errors import ERRORS
from facenet_tf.evaluation.protocols.fairness import FAIRNESS
from facenet_tf.evaluation.protocols.few_shot import FEW_SHOT
from facenet_tf.evaluation.protocols.identification import IDENTIFICATION
from facenet_tf.evaluation.protocols.learning_curve import LEARNING_CURVE
from facenet_tf.evaluation.protocols.open_set import OPEN_SET
from facenet_tf.evaluation.protocols.operating_points import OPERATING_POINTS
from facenet_tf.evaluation.protocols.probabilities import PROBABILITIES
from facenet_tf.evaluation.protocols.projection import PROJECTION
from facenet_tf.evaluation.protocols.projector import PROJECTOR
from facenet_tf.evaluation.protocols.quality import QUALITY
from facenet_tf.evaluation.protocols.robustness import ROBUSTNESS
from facenet_tf.evaluation.protocols.svm import SVM
from facenet_tf.evaluation.protocols.templates import TEMPLATES
from facenet_tf.evaluation.protocols.verification import VERIFICATION
from facenet_tf.evaluation.roster import Vectors

PROTOCOLS: tuple[Protocol, ...] = (
    VERIFICATION,
    OPERATING_POINTS,
    ALL_PAIRS,
    TEMPLATES,
    BINS,
    SVM,
    CLASSIFICATION,
    OPEN_SET,
    PROBABILITIES,
    FEW_SHOT,
    LEARNING_CURVE,
    IDENTIFICATION,
    DISTRACTORS,
    CLUSTERING,
    ERRORS,
    COMPARISON,
    FAIRNESS,
    ROBUSTNESS,
    QUALITY,
    PROJECTION,
    PROJECTOR,
)


def check_files(measured: Measured, config: EvaluateConfig) -> None:
    """Raises InputError for a file of an option that is bad, or does not fit what is measured."""
    for protocol in PROTOCOLS:
        if protocol.check:
            protocol.check(measured, config)


def all_figures(
    vectors: Vectors, measured: Measured, config: EvaluateConfig, *, baseline: bool = False
) -> dict[str, Any]:
    """{protocol: figures} of one set of vectors, of all protocols that the config asks for.

    Args:
        vectors: of the measured roster.
        measured: people and pairs.
        config: of the evaluation.
        baseline: whether the vectors are those of a baseline: cheap protocols, no bootstrap.
    """
    if baseline:
        config = dataclasses.replace(config, bootstrap=0)
    measured = calibrated(measured, vectors, config, baseline=baseline)
    figures = {
        protocol.name: protocol.figures(vectors, measured, config)
        for protocol in PROTOCOLS
        if protocol.for_baselines or not baseline
    }
    return {name: found for name, found in figures.items() if found is not None}


def with_figures(figures: dict[str, Any]) -> list[Protocol]:
    """The protocols that have figures of the trained network.

    Args:
        figures: content of evaluation.json.
    """
    return [
        protocol
        for protocol in PROTOCOLS
        if protocol.name in figures and "skipped" not in figures[protocol.name]
    ]


def skipped(figures: dict[str, Any]) -> dict[str, str]:
    """{title: why} of the protocols that the data did not allow."""
    return {
        protocol.title: figures[protocol.name]["skipped"]
        for protocol in PROTOCOLS
        if "skipped" in figures.get(protocol.name, {})
    }


def files() -> tuple[str, ...]:
    """Names of all files that a protocol may leave in the evaluation directory."""
    return tuple(name for protocol in PROTOCOLS for name in protocol.files)
