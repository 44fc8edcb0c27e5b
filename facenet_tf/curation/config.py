"""What the passes over finished datasets can be told."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from facenet_tf.errors import InputError, require
from facenet_tf.thresholds import of_model

BITS, SQUARED = 4.0, 0.1
"""The distances of near duplicates: differing bits of the hash, squared distance of embeddings."""


@dataclasses.dataclass(frozen=True)
class DuplicatesConfig:
    """List the near duplicates of a dataset."""

    dataset: Positional[Path] = Path("data/att")
    """Dataset directory of build_tfrecords.py."""
    model: Path | None = None
    """Run directory of train.py: compare its embeddings instead of perceptual hashes."""
    output: Path | None = None
    """List to write, which build_tfrecords.py takes after review; without it
    DATASET/duplicates.csv."""
    distance: float | None = None
    """Pictures that differ by at most so much are near duplicates; without it 4 of the hash's 64
    bits, or with --model a squared distance of 0.1, less where the thresholds beside the model say
    that pictures of two people come as near."""
    across: Literal["report", "drop"] = "report"
    """Of a picture filed under two people, list both as not excluded, or as excluded."""
    batch_size: int = 128
    """Crops that are hashed or embedded at once."""
    overwrite: bool = False
    """Replace a list that is there."""

    @property
    def list(self) -> Path:
        """Where the list is written."""
        return self.output or self.dataset / "duplicates.csv"

    @property
    def most(self) -> float:
        """The distance that is meant.

        Raises:
            InputError: the thresholds beside the model are damaged or those of other weights.
        """
        if self.distance is not None:
            return self.distance
        if self.model is None:
            return BITS
        known = of_model(self.model / "model.keras")
        # The first threshold is that of the smallest false accept rate.
        return min([SQUARED, *list(known.usable.values())[:1]]) if known else SQUARED

    def check(self) -> None:
        """Raises InputError for the first option that cannot be meant."""
        _require_model(self.model)
        highest = 4 if self.model else 16  # beyond, a band of the hash may differ in too many bits
        given = 0 if self.distance is None else self.distance
        require(0 <= given <= highest, "--distance", self.distance, f"give 0 to {highest}")
        require(self.batch_size >= 1, "--batch-size", self.batch_size, "give 1 or more")


@dataclasses.dataclass(frozen=True)
class OverlapConfig:
    """List the people and pictures that two datasets share."""

    first: Positional[Path | None] = None
    """Dataset directory, for instance what is trained on."""
    second: Positional[Path | None] = None
    """Dataset directory, for instance what is measured on."""
    model: Path | None = None
    """Run directory of train.py: compare people by their embeddings too."""
    output: Path | None = None
    """JSON file to write; without it SECOND/overlap.json."""
    bits: int = 4
    """Pictures whose perceptual hashes differ in at most so many of 64 bits are near duplicates."""
    false_matches: float = 1.0
    """With --model: how many pairs of different people may be listed by chance, as estimated from
    the people within each dataset."""
    batch_size: int = 128
    """Crops that are hashed or embedded at once."""

    @property
    def directories(self) -> tuple[Path, Path]:
        """The two datasets; raises InputError when one is missing."""
        if self.first is None or self.second is None:
            raise InputError("name two dataset directories")
        return self.first, self.second

    @property
    def result(self) -> Path:
        """Where the JSON is written."""
        return self.output or self.directories[1] / "overlap.json"

    def check(self) -> None:
        """Raises InputError for the first option that cannot be meant."""
        _ = self.directories
        _require_model(self.model)
        require(0 <= self.bits <= 16, "--bits", self.bits, "give 0 to 16")
        require(self.false_matches >= 0, "--false-matches", self.false_matches, "give 0 or more")
        require(self.batch_size >= 1, "--batch-size", self.batch_size, "give 1 or more")


@dataclasses.dataclass(frozen=True)
class LabelsConfig:
    """List the pictures of a dataset that seem to show somebody else."""

    dataset: Positional[Path] = Path("data/att")
    """Dataset directory of build_tfrecords.py."""
    model: Path = Path("runs/att")
    """Run directory of train.py, whose embeddings tell the people apart."""
    output: Path | None = None
    """Directory for the list and its contact sheets; without it DATASET/label_issues."""
    split: Literal["train", "validation", "test", "unused", "all"] = "all"
    """Whose pictures are looked at."""
    min_pictures: int = 5
    """People with fewer pictures are left alone: there is too little to judge by."""
    folds: int = 5
    """Each picture is judged by a classifier trained on the other folds."""
    seed: int = 0
    """Of the folds."""
    sheets: int = 10
    """Contact sheets at most, twenty pictures on each, the most suspicious first; 0: none."""
    batch_size: int = 128
    """Crops that are embedded at once."""
    overwrite: bool = False
    """Replace a list that is there."""

    @property
    def directory(self) -> Path:
        """Where everything is written."""
        return self.output or self.dataset / "label_issues"

    @property
    def list(self) -> Path:
        """Where the list is written."""
        return self.directory / "issues.csv"

    def check(self) -> None:
        """Raises InputError for the first option that cannot be meant."""
        _require_model(self.model)
        require(self.folds >= 2, "--folds", self.folds, "give 2 or more")
        enough = self.min_pictures >= self.folds
        require(enough, "--min-pictures", self.min_pictures, f"give --folds ({self.folds}) or more")
        require(0 <= self.seed < 2**32, "--seed", self.seed, "give 0 to 2^32 - 1")
        require(self.sheets >= 0, "--sheets", self.sheets, "give 0 or more")
        require(self.batch_size >= 1, "--batch-size", self.batch_size, "give 1 or more")


def _require_model(run: Path | None) -> None:
    if run is not None and not (run / "model.keras").is_file():
        raise InputError(f"{run / 'model.keras'} is missing: name a run directory of train.py")
