"""The batches of a stage by its steps: those it learns from, and what they show as it is."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from facenet_tf.input_pipeline.augment import Augmentation
from facenet_tf.input_pipeline.pipeline import training_batches
from facenet_tf.input_pipeline.share import WHOLE, Share
from facenet_tf.records.dataset import FaceDataset
from facenet_tf.training.config import TrainConfig
from facenet_tf.training.plan import StagePlan
from facenet_tf.training.sampling_state import SamplingState

# Of an epoch, where the hardest triplets are looked for.
_BATCHES_SHOWN = 4


class StageBatches:
    """What the steps of a stage, counted from its beginning, are shown.

    Args:
        config: of the run.
        dataset: what is drawn from.
        plan: of the stage.
        sampling: looked at anew with every call.
    """

    def __init__(
        self, config: TrainConfig, dataset: FaceDataset, plan: StagePlan, sampling: SamplingState
    ) -> None:
        self._config, self._dataset, self._plan, self._sampling = config, dataset, plan, sampling

    def from_step(self, start: int, share: Share = WHOLE) -> tf.data.Dataset:
        """Those from a step on to the end of the stage, as `training_batches` gives them."""
        last = self._plan.stage.epochs * self._config.steps_per_epoch
        augmentation = self._config.augmentation.at(self._plan.stage.augmentation)
        return self._made(start, last, augmentation, self._plan.stage.mixup, share=share)

    def plain(self, step: int) -> dict[str, np.ndarray]:
        """That of a step without augmentation."""
        (batch,) = self._plain(step, step + 1)
        return batch

    def some_of(self, epoch: int) -> list[dict[str, np.ndarray]]:
        """The first of those of an epoch of the run, without augmentation."""
        steps = self._config.steps_per_epoch
        first = (epoch - self._plan.first) * steps
        return self._plain(first, first + min(steps, _BATCHES_SHOWN))

    def _plain(self, start: int, stop: int) -> list[dict[str, np.ndarray]]:
        batches = self._made(start, stop, Augmentation(enabled=False), mixup=0.0)
        return list(batches.as_numpy_iterator())

    def _made(
        self, start: int, stop: int, augmentation: Augmentation, mixup: float, share: Share = WHOLE
    ) -> tf.data.Dataset:
        plan = self._plan
        people, pictures = plan.shape(start // self._config.steps_per_epoch)
        return training_batches(
            self._dataset,
            plan.records,
            people,
            pictures,
            seed=plan.seed,
            start_step=start,
            total_steps=stop,
            augmentation=augmentation,
            include_singletons=plan.stage.include_singletons,
            share=share,
            sampling=plan.stage.sampling,
            confused=self._sampling.confused,
            mixup=mixup,
            degrade=self._config.degrade,
        )
