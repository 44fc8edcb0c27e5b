"""What is measured, opened in one place: runs, models of any kind, weights, files of embeddings."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from facenet_tf.errors import InputError
from facenet_tf.evaluation.config import EvaluateConfig
from facenet_tf.evaluation.inputs import Kind, System, kind_of
from facenet_tf.evaluation.made import LOOKS
from facenet_tf.evaluation.roster import NO_RECORD, Roster, Vectors
from facenet_tf.evaluation.seen import SeenPeople, seen_by_file, seen_people
from facenet_tf.evaluation.systems import embedding
from facenet_tf.evaluation.systems.vectors_file import VectorsFile, read_vectors
from facenet_tf.input_pipeline.degraded import check_degradations
from facenet_tf.records.checksums import of_file
from facenet_tf.records.dataset import FaceDataset
from facenet_tf.thresholds import difference

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)

MISSING = "missing"
"""Outcome of a picture that a file of embeddings has no row for."""


@dataclasses.dataclass(frozen=True)
class Subject:
    """A system that makes vectors of pictures, or has made them, and what is known of it.

    Attributes:
        name: of the model.
        kind: what it was opened from.
        engine: what computes it.
        parameters: how many; None where that is not known.
        dataset: whose crops it takes; None for embeddings without pictures.
        config: of the evaluation: what is averaged, and how crops are degraded.
        embed: from crops to unit vectors, of one look at each; None for embeddings.
        model: the same as a Keras model; None for all others.
        file: the embeddings.
        pictures: those of its own dataset, where that is not the one of the evaluation.
        run: config.json of its run directory; empty where there is none.
        weights: `source`, `file`, `sha256`, `trained_on` and `seen` of weights of others; None for
            a run. `seen` says of the dataset's people whether these weights know them.
    """

    name: str
    kind: Kind
    engine: str
    parameters: int | None
    dataset: FaceDataset | None
    config: EvaluateConfig
    embed: embedding.Embedder | None = None
    model: keras.Model | None = None
    file: VectorsFile | None = None
    pictures: Roster | None = None
    run: dict[str, Any] = dataclasses.field(default_factory=dict)
    weights: dict[str, str] | None = None

    def seen_people(self, dataset: FaceDataset | None, roster: Roster) -> SeenPeople:
        """Whom it is known to have seen: nobody by name where others trained it.

        Args:
            dataset: of the evaluation; None where there are only embeddings.
            roster: all pictures of the evaluation.
        """
        if self.weights is not None:
            return SeenPeople(frozenset(), f"{self.weights['seen']} ({self.weights['trained_on']})")
        if self.file is not None:
            return seen_by_file(self.name, self.file.vectors.roster)
        if not self.run or self.dataset is None:
            return SeenPeople(frozenset(), f"unknown: {self.name} does not say")
        if dataset is not None and self.run.get("fingerprint") == dataset.fingerprint:
            return seen_people(self.run, dataset, roster)
        # The dataset of its crops, where that is another, may be the one that it was trained on.
        own = roster if self.pictures is None else self.pictures
        return seen_people(self.run, self.dataset, own)

    def vectors(self, roster: Roster) -> Vectors:
        """Vectors of pictures; those that it has none for have rows of NaN.

        Raises:
            InputError: a picture is not in its dataset or its file, or shows somebody else there.
        """
        if self.file is not None:
            return _looked_up(self.name, self.file.vectors, roster)
        again = partial(_embedded, self)
        found = again(roster, ())
        plain = partial(_embedded, self.of_one_look())
        return dataclasses.replace(
            found, embed=again, embed_one_look=plain, embed_crops=self.averaged
        )

    @property
    def averaged(self) -> embedding.Embedder:
        """From crops to unit vectors, averaged as the evaluation asks for."""
        from facenet_tf.evaluation.systems import networks  # TensorFlow: seconds

        assert self.embed is not None  # no file of embeddings
        config = self.config
        return networks.averaged(self.embed, config.flip_average, config.jitter, config.seed)

    def of_one_look(self) -> Subject:
        """The same with nothing averaged."""
        config = dataclasses.replace(self.config, flip_average=False, jitter=0)
        return dataclasses.replace(self, config=config)

    def with_fresh_weights(self) -> Subject:
        """The same architecture with weights as the run's seed draws them, for a Keras model."""
        from facenet_tf.evaluation.systems import networks

        seed = self.run.get("config", {}).get("seed", self.config.seed)
        fresh = networks.untrained_like(self.model, seed)
        return dataclasses.replace(self, model=fresh, embed=networks.network_embedder(fresh))

    def with_pixels(self) -> Subject:
        """The pixels of the crops themselves as vectors."""
        return dataclasses.replace(self.of_one_look(), model=None, embed=embedding.embed_pixels)

    def everyone(self, dataset: FaceDataset | None) -> Roster:
        """All pictures of the evaluation: the dataset's, or without one those of the file."""
        if dataset is not None:
            return Roster.of(dataset)
        assert self.file is not None  # all else needs pictures, `EvaluateConfig.resolved` knows
        return self.file.vectors.roster

    def quality(self, roster: Roster) -> dict[str, NDArray[np.float64]]:
        """The scores that came with embeddings, float64 [N] by name; NaN where there is none."""
        if self.file is None or self.file.quality is None:
            return {}
        rows = self.file.vectors.roster.rows_of(roster.keys.tolist())
        return {"quality": np.where(rows >= 0, self.file.quality[rows], np.nan)}

    @property
    def sha256(self) -> str:
        """Of the file of embeddings."""
        return of_file(Path(self.name))

    @property
    def looks(self) -> dict[str, Any] | None:
        """What is averaged, and how crops are degraded; None where a file does not say."""
        if self.file is not None:
            return self.file.made.looks if self.file.made else None
        config = self.config
        values = (config.flip_average, config.jitter, list(config.degrade))
        return dict(zip(LOOKS, values, strict=True))

    def described(self, measured: dict[str, Any] | None) -> dict[str, Any]:
        """What evaluation.json says of it beside its figures, where it is another system's.

        Args:
            measured: the `looks` of the system that it is compared with.
        """
        told: dict[str, Any] = {"source": self.name, "kind": self.kind, "engine": self.engine}
        told["protocol"] = f"{self.name}, computed by {self.engine}"
        if self.weights:
            told["weights"] = self.weights
            told["protocol"] = (
                f"weights {self.name}, trained on: {self.weights['trained_on']}; the people "
                f"measured here: {self.weights['seen']}"
            )
        if self.dataset is not None and self.pictures is not None:
            told["protocol"] += f"; crops of {self.dataset.directory}"
            told["dataset"] = {
                "name": self.dataset.manifest["name"],
                "fingerprint": self.dataset.fingerprint,
                "preprocessing_fingerprint": self.dataset.preprocessing.fingerprint(),
            }
        if self.looks is None or measured is None:
            told["protocol"] += "; whether both were averaged and degraded alike is not checked"
        elif found := difference(self.looks, measured):
            logger.warning("--compare %s: its embeddings have %s", self.name, found)
            told["protocol"] += f"; its embeddings have {found} as those that are measured"
        return told


def _embedded(subject: Subject, roster: Roster, degrade: Sequence[str]) -> Vectors:
    assert subject.dataset is not None  # no file of embeddings
    if subject.pictures is not None:
        try:
            roster = roster.as_in(subject.pictures)
        except KeyError as error:
            raise InputError(
                f"{subject.dataset.directory}: it has no picture {error.args[0]}; build it from "
                f"the same pictures as {subject.config.dataset}"
            ) from error
    config = subject.config
    logger.info("vectors of %d pictures: %s", int((~roster.lost).sum()), subject.name)
    degrade = (*config.degrade, *degrade)
    return embedding.embed_roster(
        subject.averaged, subject.dataset, roster, config.batch_size, degrade
    )


def _looked_up(file: str, known: Vectors, roster: Roster) -> Vectors:
    """The rows of a file for the pictures of a roster."""
    rows = known.roster.rows_of(roster.keys.tolist())
    there = rows >= 0
    absent = ~there & ~roster.lost
    if absent.any():
        raise InputError(
            f"{file}: {int(absent.sum())} of {len(roster)} pictures are not in it (first: "
            f"{roster.keys[np.argmax(absent)]}): give a row for each, of nan where the system has "
            "no embedding"
        )
    others = there & (known.roster.identities[rows] != roster.identities)
    if others.any():
        first = int(np.argmax(others))
        raise InputError(
            f"{file}: {roster.keys[first]} shows {known.roster.identities[rows[first]]}, elsewhere "
            f"{roster.identities[first]}"
        )
    values = np.where(there[:, None], known.values[rows], np.nan).astype(np.float32)
    found = dataclasses.replace(
        roster,
        records=np.where(there, known.roster.records[rows], NO_RECORD),
        outcomes=np.where(there, known.roster.outcomes[rows], MISSING),
    )
    return Vectors(found, values)


def open_subject(config: EvaluateConfig, dataset: FaceDataset | None) -> Subject:
    """Open what the config names first.

    Args:
        config: of the evaluation.
        dataset: of the evaluation; None where there are only embeddings.

    Raises:
        InputError: it is missing or damaged, or takes other crops than the dataset's.
    """
    if config.weights is not None:
        return _open(System(config.weights, None), "weights", "--weights ", config, dataset)
    return _open(System(str(config.run), None), kind_of(config.run), "", config, dataset)


def open_others(config: EvaluateConfig, dataset: FaceDataset | None) -> dict[str, Subject]:
    """Open the systems of --compare, by the names they were given.

    Raises:
        InputError: see `open_subject`.
    """
    systems = {text: System.parse(text) for text in config.compare}
    return {
        text: _open(system, kind_of(system.source), "--compare ", config, dataset)
        for text, system in systems.items()
    }


def _open(
    system: System, kind: Kind, option: str, config: EvaluateConfig, dataset: FaceDataset | None
) -> Subject:
    path = Path(system.source)
    if kind == "vectors":
        return Subject(str(path), kind, "a file", None, None, config, file=read_vectors(path))
    own = system.dataset is not None and FaceDataset.open(system.dataset)
    crops = own or dataset
    if crops is None:
        raise InputError(f"{option}{path}: a model needs pictures: name a dataset directory")
    check_degradations(config.degrade, crops.preprocessing)
    from facenet_tf.evaluation.systems.openers import OPENERS  # TensorFlow: seconds

    subject = OPENERS[kind](system.source, kind, option, config, crops)
    return dataclasses.replace(subject, pictures=Roster.of(own)) if own else subject
