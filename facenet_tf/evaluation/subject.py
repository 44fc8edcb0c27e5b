"""What is measured: the model of a run, or a network with weights that others have trained."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras

from facenet_tf import pretrained
from facenet_tf.evaluation import embedding
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.roster import Roster
from facenet_tf.evaluation.seen import SeenPeople, seen_people
from facenet_tf.pretrained import origin
from facenet_tf.pretrained.saved import check_crops
from facenet_tf.records.dataset import FaceDataset


@dataclasses.dataclass(frozen=True)
class Subject:
    """A model and all that is known of how it came about.

    Attributes:
        model: from crops to unit vectors.
        run: config.json of its run directory; empty for weights of others.
        weights: `source`, `file`, `sha256`, `trained_on` and `seen` of weights of others; None for
            a run. `seen` says of the dataset's people whether these weights know them.
    """

    model: keras.Model
    run: dict[str, Any]
    weights: dict[str, str] | None

    def seen_people(self, dataset: FaceDataset, roster: Roster) -> SeenPeople:
        """Whom the model is known to have seen: nobody by name where others trained it."""
        if self.weights is None:
            return seen_people(self.run, dataset, roster)
        return SeenPeople(frozenset(), f"{self.weights['seen']} ({self.weights['trained_on']})")


def open_subject(config: EvaluateConfig, dataset: FaceDataset) -> Subject:
    """Load what the config names, after its preprocessing was found to be the dataset's.

    Raises:
        InputError: it is missing or damaged, or the preprocessings differ.
    """
    if config.weights is None:
        model = embedding.load_checked(config.run, dataset)
        return Subject(model, embedding.run_record(config.run), None)
    model, weights = open_weights(config.weights, "--weights", dataset)
    return Subject(model, {}, weights)


def open_weights(
    source: str, option: str, dataset: FaceDataset
) -> tuple[keras.Model, dict[str, str]]:
    """A network with weights of others, and what is known of these (see `origin.described`).

    Args:
        source: as `pretrained.load` takes it.
        option: that named it.
        dataset: whose crops have to be those of the weights.

    Raises:
        InputError: the weights are missing or damaged, or the preprocessings differ.
    """
    model = pretrained.load(source)
    check_crops(model, f"{option} {source}", dataset)
    manifest = dataset.manifest
    return model, origin.described(source, manifest["source"], manifest["name"])
