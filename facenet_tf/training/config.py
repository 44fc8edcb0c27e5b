"""The typed config of a training run; its defaults are the demonstration."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from facenet_tf.errors import InputError, require_at_least
from facenet_tf.input_pipeline.augment import Augmentation
from facenet_tf.input_pipeline.degraded import degradation_of
from facenet_tf.input_pipeline.sampling import Sampling
from facenet_tf.training.checkpoints import Checkpointing
from facenet_tf.training.descent import Descent, RateDrop
from facenet_tf.training.fine_tuning import FineTuning
from facenet_tf.training.loss_terms import names_a_rule, names_of
from facenet_tf.training.not_finite import Recovery

# An epoch of a small folder: below this, validating takes longer than training.
_FEWEST_STEPS = 20

# The network of a run that begins with fresh weights, and names none.
_BODY = {"model": "residual_small"}

# Options of an architecture that have an option of the run each.
OPTIONS_OF_MODEL = ("width", "dropout", "head")

# Of the optimisers that decay weights, by default.
_WEIGHT_DECAY = {"adamw": 5e-2, "lamb": 5e-2, "sgd": 5e-4}

# Of the fields of a stage, those that are options of its loss.
_OF_THE_LOSS = ("mining", "margin", "scale", "distance", "options", "sub_centres")

_SMALLEST = {
    "steps_per_epoch": 0,
    "steps_per_execution": 1,
    "clip_norm": 0,
    "chunk": 0,
    "early_stop_epochs": 0,
    "pictures_per_person": 0,
    "validation_pictures": 0,
    "seed": 0,
    "threads": 0,
    "profile": 0,
}


@dataclass(frozen=True)
class Stage:
    """One stage of a recipe: what it learns from, its batches and its learning rate."""

    loss: str
    """a loss of docs/losses.md, or a weighted sum such as "cosface + 0.01*centre"; "name/mining"
    says the mining rule too"""
    epochs: int
    """how many epochs the stage lasts; 0 leaves it out"""
    mining: str | None = None
    """how pairs or triplets are chosen, for a loss that has several rules (triplet: batch_hard,
    batch_all, semi_hard, ...)"""
    identities_per_batch: int = 16
    """P of the P×K batch; fewer where the dataset has fewer training people"""
    images_per_identity: int = 4
    """K of the P×K batch"""
    include_singletons: bool = False
    """let identities with one picture in: a class of margin softmax, a negative of a triplet"""
    sampling: Sampling = field(default_factory=Sampling)
    """who is drawn how often, who meets whom, and how K grows"""
    augmentation: float = 1.0
    """share of the strengths under --augmentation, from 0 to 1, that the stage's crops get"""
    mixup: float = 0.0
    """parameter of the Beta distribution by which pictures are mixed in pairs, 0.2 for instance;
    for softmax losses alone; 0: none are"""
    learning_rate: float = 1e-3
    """of the optimiser, after the warm-up"""
    schedule: Literal["cosine", "constant", "step", "plateau"] = "cosine"
    """what follows the warm-up: decay to zero over the stage, the same rate to its end, drops after
    given epochs, or drops when validation stands still"""
    drop: RateDrop = field(default_factory=RateDrop)
    """of the schedules step and plateau"""
    warmup_epochs: float = 0.5
    """length of the linear warm-up; half of the stage at most"""
    margin: float | Literal["soft"] | None = None
    """of losses that have one: on the cosine (cosface), in radians (arcface), of the hinge or
    "soft" (triplet); None: the loss's own, as published"""
    scale: float | None = None
    """of losses that have one: what multiplies the cosines; None: the loss's own"""
    distance: Literal["plain", "squared", "cosine"] | None = None
    """of losses that have a choice; None: the loss's own"""
    options: dict[str, float | str] = field(default_factory=dict)
    """further options of the loss by name, in a sum by loss and name (centre.rate 0.5)"""
    sub_centres: int | None = None
    """prototypes of each person, for the loss that has several; None: 3"""
    memory: int = 0
    """cross-batch memory: rows of earlier batches that a loss on pairs or triplets compares with"""
    sampled_classes: int = 0
    """prototypes of margin softmax that a step looks at, those of its batch among them (partial
    FC); 0: all"""

    @property
    def title(self) -> str:
        """What it learns from, in a word."""
        return f"{self.loss}/{self.mining}" if self.mining else self.loss

    def learning_from(self, loss: str) -> Stage:
        """The stage with another loss; options that were meant for the one it had stay behind.

        A sum that holds this loss takes them along.
        """
        stays = names_of(self.loss) <= names_of(loss)
        plain = self if stays else Stage(loss, self.epochs)
        kept = {name: getattr(plain, name) for name in _OF_THE_LOSS}
        if loss != self.loss and names_a_rule(loss):
            kept["mining"] = None
        return dataclasses.replace(self, loss=loss, **kept)

    def check(self, prefix: str) -> None:
        """Raise `InputError` for values that make no sense; `prefix` leads to the stage's options.

        Whatever the loss, one person alone in a batch teaches nothing. What the loss itself is
        given, `objective` checks.
        """
        require_at_least(self, {"epochs": 0, "warmup_epochs": 0, "memory": 0, "mixup": 0}, prefix)
        if self.sub_centres is not None:
            require_at_least(self, {"sub_centres": 1}, prefix)
        require_at_least(
            self,
            {"identities_per_batch": 2, "images_per_identity": 1, "sampled_classes": 0},
            prefix,
        )
        self.sampling.check(f"{prefix}sampling.", self.identities_per_batch)
        self.drop.check(prefix, self.schedule, self.epochs)
        if not 0 <= self.augmentation <= 1:
            raise InputError(
                f"--{prefix}augmentation {self.augmentation}: give a share from 0 to 1"
            )
        if not self.learning_rate > 0:
            raise InputError(f"--{prefix}learning-rate {self.learning_rate}: give more than 0")


@dataclass(frozen=True)
class TrainConfig:
    """What `train.py` does."""

    dataset: tyro.conf.Positional[Path] = Path("data/att")
    """dataset directory that data_prep/build_tfrecords.py wrote"""
    output: Path | None = None
    """run directory to write; None: runs/ with the name of the dataset directory"""
    seed: int = 0
    """seeds weights, sampling and augmentation; below 2^32"""
    model: str | None = None
    """architecture, by its name in facenet_tf.models, or "keras:" and that of a network of
    keras.applications; None: that of --init, or residual_small"""
    embedding_size: int | None = None
    """length of the embedding; None: that of --init, or as published"""
    width: int | None = None
    """filters of the first stage, or units of the fully connected layers, where the architecture
    has this choice; None: that of --init, or as published"""
    dropout: float | None = None
    """fraction of features dropped before the bottleneck; None: that of --init, or as published"""
    head: str | None = None
    """how the last map becomes a vector (gap, depthwise, flatten, dense); None: that of --init, or
    as published"""
    model_options: dict[str, int | float | str] = field(default_factory=dict)
    """further options of the architecture by name (strides 2, norm batch), as docs/models.md has
    them; those that are not given: those of --init, or as published"""
    steps_per_epoch: int = 0
    """an epoch is this many steps: validation, checkpoint and early stop happen at its end; 0: as
    many as it takes to draw as many pictures as there are to train on, and at least 20"""
    loss: str | None = None
    """short for --main.loss"""
    mining: str | None = None
    """short for --main.mining"""
    warm_up: Stage = field(
        default_factory=lambda: Stage("cosface", epochs=10, margin=0.2, scale=24.0)
    )
    """first stage; batch-hard from random weights collapses or crawls"""
    main: Stage = field(
        default_factory=lambda: Stage("triplet", epochs=6, mining="batch_hard", learning_rate=3e-4)
    )
    """second stage; the head of the first is dropped, the optimiser starts anew"""
    augmentation: Augmentation = field(default_factory=Augmentation)
    """what happens to a crop on its way into a batch"""
    degrade: tuple[str, ...] = ()
    """what happens to every crop before that, the validation people's too, in order: grey,
    low_resolution:SIDE, which reduces it to SIDE pixels a side and brings it back, or blur, jpeg,
    noise, rotation or occlusion with their strength (docs/measuring.md)"""
    pictures_per_person: int = 0
    """train on at most so many pictures of each training person, drawn by the seed; 0: on all"""
    validation_pictures: int = 2000
    """validate on at most so many pictures, of whole people as far as possible; all their pairs
    are compared, whose number grows with the square; 0: on all of the validation people"""
    optimizer: Literal["adamw", "adam", "sgd", "adagrad", "lamb"] = "adamw"
    """adagrad is the FaceNet paper's; lamb is for large batches, and wants Keras 3"""
    weight_decay: float | None = None
    """of adamw, sgd and lamb, per step times the learning rate; not of biases and norms; None: 0.05
    for adamw and lamb, 5e-4 for sgd"""
    clip_norm: float = 0.0
    """limit of the global gradient norm, or of what --descent.clip-by says; 0: none"""
    descent: Descent = field(default_factory=Descent)
    """further options of the optimiser"""
    fine_tuning: Annotated[FineTuning, tyro.conf.OmitArgPrefixes] = field(
        default_factory=FineTuning
    )
    """what the run begins with, and which layers learn"""
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    """of the network's body; the head and the loss are always float32; with mixed_float16 the loss
    is scaled"""
    chunk: int = 0
    """at most this many crops go through the body at a time, on each replica, and twice, so that a
    batch larger than the memory is mined as a whole (GradCache); 0: the batch"""
    steps_per_execution: int = 1
    """steps that TensorFlow does before it comes back to Python; whatever happens between steps
    happens after so many"""
    jit: Literal["on", "loss", "off"] = "loss"
    """XLA for the whole train step, for the loss and its gradient alone, or nowhere;
    benchmarks/train_step.py measures them: on a CPU loss and off differ by less than the turns of
    each, and on is slower"""
    distribute: Literal["none", "mirrored", "multiworker"] = "none"
    """replicas that share each batch: all GPUs of this machine (mirrored), or those of all
    processes that the variable TF_CONFIG names (multiworker); the result is that of one"""
    profile: int = 0
    """trace this many steps of each stage, from its eleventh on, with TensorFlow's profiler, for
    TensorBoard; 0: none"""
    early_stop_epochs: int = 0
    """end the run after this many epochs of the main stage without a validation better than its
    best; 0: never"""
    checkpoint: Checkpointing = field(default_factory=Checkpointing)
    """when what the run goes on from is written"""
    recovery: Recovery = field(default_factory=Recovery)
    """what follows a loss that is not finite"""
    deterministic: bool = False
    """the same weights to the last bit from every run with the same options on the same kind of
    machine, however often it was interrupted; turns XLA off"""
    threads: int = 0
    """threads that an operation may use; 0: as many as there are cores, or as the run that is
    resumed had, if deterministic"""
    overwrite: bool = False
    """replace an earlier run in the output directory"""
    resume: bool = False
    """go on from the last checkpoint of the run in the output directory"""

    @property
    def run_directory(self) -> Path:
        """Where the run is written."""
        return self.output or Path("runs", self.dataset.resolve().name)

    @property
    def decay(self) -> float | None:
        """The weight decay, settled for the optimiser; None for one without."""
        if self.weight_decay is None:
            return _WEIGHT_DECAY.get(self.optimizer)
        return self.weight_decay if self.optimizer in _WEIGHT_DECAY else None

    @property
    def options_of_model(self) -> dict[str, int | float | str]:
        """What the architecture is given besides: the options that are set."""
        named = {name: getattr(self, name) for name in OPTIONS_OF_MODEL}
        given = {name: value for name, value in named.items() if value is not None}
        return {**given, **self.model_options}

    @property
    def stages(self) -> dict[str, Stage]:
        """The stages that have epochs, in order, by what leads to their options."""
        stages = {"warm-up.": self.warm_up, "main.": self.main}
        return {prefix: stage for prefix, stage in stages.items() if stage.epochs > 0}

    def with_loss(self) -> TrainConfig:
        """The config with the loss of the main stage settled."""
        main = self.main.learning_from(self.loss or self.main.loss)
        main = dataclasses.replace(main, mining=self.mining or main.mining)
        return dataclasses.replace(self, main=main, loss=None, mining=None)

    def for_the_losses_of(self, chosen: TrainConfig) -> TrainConfig:
        """These defaults, for a command line that has chosen losses: see `Stage.learning_from`."""
        return dataclasses.replace(
            self,
            warm_up=self.warm_up.learning_from(chosen.warm_up.loss),
            main=self.main.learning_from(chosen.loss or chosen.main.loss),
        )

    def with_body(self, body: Mapping[str, Any] = _BODY) -> TrainConfig:
        """The config with what it leaves open of the network settled.

        Args:
            body: values for `model`, `embedding_size` and options of the architecture, each of
                `model_options` by itself.
        """
        left_open = {name: body[name] for name in body if getattr(self, name) is None}
        options = {**body.get("model_options", {}), **self.model_options}
        return dataclasses.replace(self, **left_open, model_options=options)

    def with_steps(self, pictures: int, stage: Stage) -> TrainConfig:
        """The config with `steps_per_epoch` settled.

        Args:
            pictures: that the first stage learns from.
            stage: that stage, with as many people in a batch as there are.
        """
        if self.steps_per_epoch:
            return self
        batch = stage.identities_per_batch * stage.images_per_identity
        steps, together = max(_FEWEST_STEPS, math.ceil(pictures / batch)), self.steps_per_execution
        return dataclasses.replace(self, steps_per_epoch=math.ceil(steps / together) * together)

    def check(self) -> None:
        """Raise `InputError` for values that make no sense, naming the option."""
        if not self.stages:
            raise InputError("--warm-up.epochs and --main.epochs are both 0: nothing to train")
        if self.overwrite and self.resume:
            raise InputError("--overwrite and --resume exclude each other: give one")
        require_at_least(self, _SMALLEST)
        self._check_model_options()
        self.augmentation.check()
        for name in self.degrade:
            degradation_of(name)
        self.checkpoint.check()
        self.recovery.check()
        self._check_descent()
        if self.embedding_size is not None:
            require_at_least(self, {"embedding_size": 1})
        if 0 < self.validation_pictures < 4:
            raise InputError(
                f"--validation-pictures {self.validation_pictures}: give 4 at least, two of two "
                "people, or 0 for all"
            )
        if self.seed >= 2**32:
            raise InputError(f"--seed {self.seed}: give less than 2^32")
        for name, stage in (("warm-up.", self.warm_up), ("main.", self.main)):
            stage.check(name)

    def _check_model_options(self) -> None:
        for name in OPTIONS_OF_MODEL:
            if name in self.model_options:
                value = self.model_options[name]
                raise InputError(f"--model-options {name} {value}: give --{name} {value}")

    def _check_descent(self) -> None:
        self.descent.check(self.optimizer, self.clip_norm)
        self.fine_tuning.check()
        if self.weight_decay is not None:
            require_at_least(self, {"weight_decay": 0})
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
