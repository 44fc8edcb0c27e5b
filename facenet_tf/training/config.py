"""The typed config of a training run; its defaults are the demonstration."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import tyro

from facenet_tf.errors import InputError
from facenet_tf.input_pipeline.augment import Augmentation

Objective = Literal["cosface", "arcface", "batch_hard"]

# An epoch of a small folder: below this, validating takes longer than training.
_FEWEST_STEPS = 20


@dataclass(frozen=True)
class Stage:
    """One stage of a recipe: an objective, its batches and its learning rate."""

    objective: Objective
    """cosface and arcface learn one prototype per training identity; batch_hard mines triplets."""
    epochs: int
    """how many epochs the stage lasts; 0 leaves it out"""
    identities_per_batch: int = 16
    """P of the P×K batch; fewer where the dataset has fewer training people"""
    images_per_identity: int = 4
    """K of the P×K batch"""
    include_singletons: bool = False
    """let identities with one picture in: a class of margin softmax, a negative of a triplet"""
    learning_rate: float = 1e-3
    """of the optimiser, after the warm-up"""
    schedule: Literal["cosine", "constant"] = "cosine"
    """what follows the warm-up: decay to zero over the stage, or the same rate to its end"""
    warmup_epochs: float = 0.5
    """length of the linear warm-up"""
    margin: float = 0.2
    """margin softmax: on the cosine (cosface) or in radians (arcface); batch_hard: of the hinge"""
    scale: float = 24.0
    """margin softmax: what multiplies the cosines"""
    soft_margin: bool = True
    """batch_hard: ln(1 + exp(d_ap - d_an)) instead of the hinge; then `margin` has no part"""
    squared_distance: bool = False
    """batch_hard: squared instead of plain euclidean distances"""

    def check(self, prefix: str) -> None:
        """Raise `InputError` for values that make no sense; `prefix` leads to the stage's options.

        Whatever the loss, one person alone in a batch teaches nothing.
        """
        _at_least(prefix, self, {"epochs": 0, "warmup_epochs": 0, "margin": 0})
        _at_least(prefix, self, {"identities_per_batch": 2, "images_per_identity": 1})
        if self.objective == "batch_hard" and self.images_per_identity < 2:
            raise InputError(
                f"--{prefix}images-per-identity {self.images_per_identity}: "
                "batch_hard needs at least 2, or no anchor has a positive"
            )
        if self.objective == "arcface" and self.margin > math.pi / 2:
            raise InputError(f"--{prefix}margin {self.margin}: arcface takes 0 to pi / 2 radians")
        for name in ("learning_rate", "scale"):
            if not getattr(self, name) > 0:
                option = f"--{prefix}{name.replace('_', '-')}"
                raise InputError(f"{option} {getattr(self, name)}: give more than 0")


@dataclass(frozen=True)
class TrainConfig:
    """What `train.py` does."""

    dataset: tyro.conf.Positional[Path] = Path("data/att")
    """dataset directory that data_prep/build_tfrecords.py wrote"""
    output: Path | None = None
    """run directory to write; None: runs/ with the name of the dataset directory"""
    seed: int = 0
    """seeds weights, sampling and augmentation; below 2^32"""
    model: str = "residual_small"
    """architecture, by its name in facenet_tf.models"""
    embedding_size: int = 128
    """length of the embedding"""
    width: int | None = None
    """filters of the first stage, where the architecture has this choice; None: its own"""
    dropout: float | None = None
    """fraction of features dropped before the bottleneck, where it has this choice"""
    head: str | None = None
    """how the last map becomes a vector, where it has this choice (gap, depthwise, flatten)"""
    steps_per_epoch: int = 0
    """an epoch is this many steps: validation, checkpoint and early stop happen at its end; 0: as
    many as it takes to draw as many pictures as there are to train on, and at least 20"""
    warm_up: Stage = Stage("cosface", epochs=10)
    """first stage; batch-hard from random weights collapses or crawls"""
    main: Stage = Stage("batch_hard", epochs=6, learning_rate=3e-4)
    """second stage; the head of the first is dropped, the optimiser starts anew"""
    augmentation: Augmentation = field(default_factory=Augmentation)
    """what happens to a crop on its way into a batch"""
    optimizer: Literal["adamw", "adam"] = "adamw"
    """adamw decays the weights; not those of biases and norms"""
    weight_decay: float = 5e-2
    """of adamw, per step times the learning rate"""
    clip_norm: float = 0.0
    """limit of the global gradient norm; 0: none"""
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    """of the network's body; the head and the loss are always float32"""
    jit: Literal["on", "loss", "off"] = "loss"
    """XLA for the whole train step, for the loss and its gradient alone, or nowhere;
    benchmarks/train_step.py measures which is fastest: on a CPU that is loss"""
    early_stop_epochs: int = 0
    """end the run after this many epochs of the main stage without a better validation; 0: never"""
    overwrite: bool = False
    """replace an earlier run in the output directory"""
    resume: bool = False
    """go on after the last finished epoch of the run in the output directory"""

    @property
    def run_directory(self) -> Path:
        """Where the run is written."""
        return self.output or Path("runs", self.dataset.resolve().name)

    @property
    def model_options(self) -> dict[str, int | float | str]:
        """What the architecture is given besides: the options that are set."""
        options = {"width": self.width, "dropout": self.dropout, "head": self.head}
        return {name: value for name, value in options.items() if value is not None}

    @property
    def stages(self) -> list[Stage]:
        """The stages that have epochs, in order."""
        return [stage for stage in (self.warm_up, self.main) if stage.epochs > 0]

    def with_steps(self, pictures: int) -> TrainConfig:
        """The config with `steps_per_epoch` settled for so many training pictures."""
        if self.steps_per_epoch:
            return self
        stage = self.stages[0]
        batch = stage.identities_per_batch * stage.images_per_identity
        return dataclasses.replace(
            self, steps_per_epoch=max(_FEWEST_STEPS, math.ceil(pictures / batch))
        )

    def check(self) -> None:
        """Raise `InputError` for values that make no sense, naming the option."""
        if not self.stages:
            raise InputError("--warm-up.epochs and --main.epochs are both 0: nothing to train")
        if self.overwrite and self.resume:
            raise InputError("--overwrite and --resume exclude each other: give one")
        self.augmentation.check()
        _at_least("", self, {"weight_decay": 0, "clip_norm": 0, "early_stop_epochs": 0, "seed": 0})
        _at_least("", self, {"embedding_size": 1, "steps_per_epoch": 0})
        if self.seed >= 2**32:
            raise InputError(f"--seed {self.seed}: give less than 2^32")
        for name, stage in (("warm-up.", self.warm_up), ("main.", self.main)):
            stage.check(name)


def _at_least(prefix: str, config: object, limits: dict[str, int]) -> None:
    for name, least in limits.items():
        value = getattr(config, name)
        if not value >= least:
            raise InputError(f"--{prefix}{name.replace('_', '-')} {value}: give {least} or more")
