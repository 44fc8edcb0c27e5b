"""The typed config of a training run; its defaults are the demonstration."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from facenet_tf.errors import InputError
from facenet_tf.input_pipeline.augment import Augmentation
        self.checkpoint.check()
        self.recovery.check()
        self._check_descent()
        _at_least("", self, {"clip_norm": 0, "early_stop_epochs": 0, "seed": 0, "chunk": 0})
        _at_least("", self, {"embedding_size": 1, "steps_per_epoch": 0, "threads": 0})
        _at_least("", self, {"steps_per_execution": 1})
        if self.seed >= 2**32:
            raise InputError(f"--seed {self.seed}: give less than 2^32")
        for name, stage in (("warm-up.", self.warm_up), ("main.", self.main)):
            stage.check(name)

    def _check_descent(self) -> None:
        self.descent.check(self.optimizer, self.clip_norm)
        self.fine_tuning.check()
        if self.weight_decay is not None:
            _at_least("", self, {"weight_decay": 0})
            if self.weight_decay > 0 and self.decay is None:
                raise InputError(
                    f"--weight-decay {self.weight_decay}: {self.optimizer} has none, "
                    f"{', '.join(_WEIGHT_DECAY)} have"
                )
        if self.steps_per_epoch % self.steps_per_execution:
            raise InputError(
                f"--steps-per-execution {self.steps_per_execution}: it does not divide the "
                f"{self.steps_per_epoch} steps of an epoch (--steps-per-epoch)"
            )


def _at_least(prefix: str, config: object, limits: dict[str, int]) -> None:
    for name, least in limits.items():
        value = getattr(config, name)
        if not value >= least:
            raise InputError(f"--{prefix}{name.replace('_', '-')} {value}: give {least} or more")
