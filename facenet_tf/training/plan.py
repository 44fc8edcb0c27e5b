"""What a run will do, settled and checked before anything is written."""

from __future__ import annotations

import dataclasses
import logging
import math
from collections.abc import Mapping
from itertools import groupby
from typing import Any

import numpy as np

from facenet_tf.errors import InputError
from facenet_tf.input_pipeline.pipeline import what_is_drawn
from facenet_tf.input_pipeline.sampler import SamplerReport
from facenet_tf.metrics import places_among_own
from facenet_tf.records.dataset import FaceDataset
from facenet_tf.training.config import Stage, TrainConfig

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class StagePlan:
    """A stage with its place in the run.

    Attributes:
        number: 1, 2 …
        stage: with no more people in a batch than there are.
        first: epochs of the run before it.
        seed: of its prototypes, sampling and augmentation; stages and runs share none.
        records: int64 [n], the records of the people who are drawn.
        classes: how many people these are.
        sampling: counts of what its batches are drawn from, and of what is left out.
    """

    number: int
    stage: Stage
    first: int
    seed: int
    records: np.ndarray
    classes: int
    sampling: Mapping[str, object]

    @property
    def end(self) -> int:
        """Epochs of the run when it is finished."""
        return self.first + self.stage.epochs

    def shape(self, epoch: int) -> tuple[int, int]:
        """P and K in an epoch of the stage, from 0."""
        stage = self.stage
        first = stage.identities_per_batch, stage.images_per_identity
        return stage.sampling.shape(*first, epoch, stage.epochs)

    def drawn(self, epochs: int, steps: int) -> int:
        """Pictures that its batches hold until the run has taken so many epochs of so many steps.

        P×K is the same in all phases of a stage.
        """
        own = min(max(epochs - self.first, 0), self.stage.epochs)
        return own * steps * math.prod(self.shape(0))

    def describe(self) -> dict[str, Any]:
        """For a run's record: the counts, and P×K of each phase with its first epoch."""
        batches = [
            {
                "first_epoch": self.first + next(epochs) + 1,
                "identities_per_batch": people,
                "images_per_identity": pictures,
            }
            for (people, pictures), epochs in groupby(range(self.stage.epochs), self.shape)
        ]
        return {**self.sampling, "batches": batches}


def training_records(config: TrainConfig, dataset: FaceDataset) -> np.ndarray:
    """Record numbers of the training people, of each as many as the config takes.

    Raises:
        InputError: there are none.
    """
    records = dataset.split("train")
    if not len(records):
        raise InputError(f"{dataset.directory}: no training people; build it with some")
    if not config.pictures_per_person:
        return records
    random = np.random.default_rng(config.seed)
    places = places_among_own(dataset.labels[records], random)
    return records[places < config.pictures_per_person]


def plan_stages(config: TrainConfig, dataset: FaceDataset, records: np.ndarray) -> list[StagePlan]:
    """The stages that have epochs, fitted to the dataset.

    Raises:
        InputError: too few training people for a stage.
    """
    plans: list[StagePlan] = []
    for number, (prefix, asked) in enumerate(config.stages.items(), start=1):
        drawn, sampling = what_is_drawn(
            dataset, records, asked.images_per_identity, asked.include_singletons
        )
        classes = sampling["identities"]
        if classes < 2:
            raise InputError(
                f"{dataset.directory}: a batch needs two training people with two pictures each, "
                f"there are {classes}{_left_out(sampling, prefix)}"
            )
        seed = int(np.random.SeedSequence([config.seed, number]).generate_state(1)[0])
        first = plans[-1].end if plans else 0
        stage = _fitted(asked, classes, prefix)
        plans.append(StagePlan(number, stage, first, seed, drawn, classes, {**sampling}))
    return plans


def _left_out(sampling: SamplerReport, prefix: str) -> str:
    """Of those who have a single picture."""
    count = sampling["singletons_left_out"]
    return f" ({count} have one, --{prefix}include-singletons lets them in)" if count else ""


def _fitted(stage: Stage, people: int, prefix: str) -> Stage:
    """The stage with no more people in a batch than can be drawn: small folders train too."""
    if people >= stage.identities_per_batch:
        return stage
    people = stage.sampling.people(people)
    logger.warning(
        "batches of %d people instead of %d: there are no more to train on",
        people,
        stage.identities_per_batch,
    )
    fitted = dataclasses.replace(stage, identities_per_batch=people)
    fitted.check(prefix)
    return fitted
