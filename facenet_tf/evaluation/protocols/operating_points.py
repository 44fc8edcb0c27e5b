"""Operating points: the thresholds that everything here answers yes or no with.

They are written into the evaluation directory and, where they are the model's own, beside the
model (`facenet_tf.thresholds`), there always for one look at each crop. Thresholds from another
dataset are tried on the pairs of this one.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from facenet_tf import thresholds
from facenet_tf.errors import InputError
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.inputs import MODEL
from facenet_tf.evaluation.measured import Measured
from facenet_tf.evaluation.methods.chosen_thresholds import dataset_of, model_path, of_one_look
from facenet_tf.evaluation.methods.threshold_figures import PROTOCOL, achieved
from facenet_tf.evaluation.options.operating_points import ThresholdOptions
from facenet_tf.evaluation.pair_sets import ScoredPairs
from facenet_tf.evaluation.protocol import Protocol, Results
from facenet_tf.evaluation.protocols.verification import UNSEEN
from facenet_tf.evaluation.roster import Vectors
from facenet_tf.evaluation.systems.embedding import run_record
from facenet_tf.evaluation.table import (
    Table,
    doubt_of_intervals,
    interval,
    pairs_name,
    share,
    steered_people,
)
from facenet_tf.thresholds import Thresholds

FILE = "thresholds.json"
TERMS = {
    "asked FAR": "the share of pairs of two people that may be taken for one person",
    "threshold": "the largest squared distance at which two pictures are taken for one person",
    "FAR": "the share of these pairs of two people that it does take for one person",
    "TAR": "the share of these pairs of one person that it takes for one person",
}


def figures(vectors: Vectors, measured: Measured, config: EvaluateConfig) -> dict[str, Any]:
    """The thresholds, what they do to the test people's pairs, and how those of another set do."""
    chosen, brought = measured.thresholds.own, measured.thresholds.brought
    if isinstance(chosen, str) and brought is None:
        return {"skipped": chosen}
    sets = pair_sets(vectors, measured, config.protocol)
    draws = {"draws": config.bootstrap, "seed": config.seed}
    found: dict[str, Any] = {"protocol": PROTOCOL}
    if isinstance(chosen, str):
        found["chosen"] = {"skipped": chosen}
    else:
        found["chosen"] = {**chosen.as_json(), "achieved": achieved(chosen, sets, **draws)}
    if brought is not None:
        found["transfer"] = {**brought.as_json(), "achieved": achieved(brought, sets, **draws)}
    return found


def pair_sets(vectors: Vectors, measured: Measured, protocol: str) -> dict[str, ScoredPairs]:
    """The pairs that thresholds are judged on, by the name of their set: no validation people."""
    sets = {UNSEEN: measured.unseen, protocol: measured.listed}
    return {
        name: ScoredPairs.of(vectors, pairs) for name, pairs in sets.items() if pairs is not None
    }


def save(results: Results, directory: Path) -> None:
    """Write the thresholds into the evaluation directory and, where they belong, beside the model.

    Raises:
        InputError: they cannot be written beside the model.
    """
    chosen = results.figures["operating_points"]["chosen"]
    if "skipped" in chosen:
        return
    fields = {field.name: chosen[field.name] for field in dataclasses.fields(Thresholds)}
    found = Thresholds(**fields)
    found.write(directory / FILE)
    config, measured = results.config, results.measured
    model = model_path(config)
    if model is None or not belongs_beside(model, config, measured):
        return
    one_look = of_one_look(found, measured, results.trained, config)
    if isinstance(one_look, str):
        return
    place = thresholds.place_beside(model)
    try:
        one_look.write(place)
    except OSError as error:
        raise InputError(
            f"{place}: {error.strerror}; give --operating-points.save never"
        ) from error


def belongs_beside(model: Path, config: EvaluateConfig, measured: Measured) -> bool:
    """Whether thresholds of this evaluation are those that the other commands are to find."""
    if config.degrade or config.operating_points.save != "own":
        return not config.degrade and config.operating_points.save == "always"
    if config.weights is not None or model.name != MODEL:  # in a run's directory may lie others
        return False
    own = run_record(model.parent).get("fingerprint")
    return bool(own) and own == dataset_of(measured)["fingerprint"]


def tables(results: dict[str, Any]) -> list[Table]:
    """The thresholds and what they do to other people; the same of those of another dataset."""
    found = results["operating_points"]
    parts = []
    if "skipped" in found["chosen"]:
        parts.append(Table(note=found["chosen"]["skipped"]))
    else:
        parts.append(_table(found["chosen"], found["protocol"]))
    if "transfer" in found:
        name = found["transfer"]["dataset"]["name"]
        title = f"Thresholds that were chosen on {name}"
        transferred = _table(found["transfer"], "")
        note = f"thresholds chosen on {name}, applied here; {transferred.note}"
        parts.append(dataclasses.replace(transferred, title=title, note=note))
    return parts


def _table(found: dict[str, Any], protocol: str) -> Table:
    head = ["asked FAR", "threshold", "95 %", "pairs", "FAR", "95 %", "TAR", "95 %"]
    rows, missing = [], []
    for far, point in found["points"].items():
        if "skipped" in point:
            missing.append(far)
            continue
        chosen = [far, share(point["threshold"]), interval(point["threshold_interval"])]
        for name, rates in found["achieved"].items():
            rates = rates[f"{float(far):g}"]
            pairs = pairs_name(name)
            rows.append([*chosen, pairs, *_cells(rates)])
            if "without_lost" in rates:
                rows.append([*chosen, f"{pairs}, lost apart", *_cells(rates["without_lost"])])
    by = found["dataset"]
    note = (
        f"chosen by {by['impostor_pairs']} impostor pairs of {by['people']} validation people; "
        f"threshold: the largest squared distance that is accepted{steered_people(by)}"
    )
    over_people = any(each.get("interval_over") == "people" for each in found["points"].values())
    if over_people and (doubt := doubt_of_intervals(by["people"])):
        note += f"; {doubt}"
    if missing:
        note += f"; too few pairs, or equal ones, for a FAR of {', '.join(missing)}"
    return Table(head, rows, note, protocol=protocol, terms=TERMS)


def _cells(rates: dict[str, Any]) -> list[str]:
    pairs = [(rates[name], rates[f"{name}_interval"]) for name in ("far", "tar")]
    return [cell for rate, within in pairs for cell in (share(rate), interval(within))]


OPERATING_POINTS = Protocol(
    "operating_points",
    "Thresholds",
    "Up to which distance two pictures are taken for one person, if at most so many pairs of two "
    "people may be mistaken (FAR), and whether that holds for people who had no part in it.",
    figures,
    tables,
    save=save,
    files=(FILE,),
    options=ThresholdOptions,
)
