"""How the weights descend: the options; `optimizer` and `schedules` carry them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from facenet_tf.errors import InputError

ClipBy = Literal["all", "variable", "value"]


@dataclass(frozen=True)
class Descent:
    """What the optimiser does besides following the gradient."""

    momentum: float | None = None
    """of sgd: how much of the last step goes into the next; None: 0.9"""
    nesterov: bool = False
    """of sgd: the gradient is taken as if the momentum's part of the step were done"""
    clip_by: ClipBy = "all"
    """what --clip-norm limits: the norm of all gradients together, that of each variable's, or the
    size of each of their values"""
    ema: float = 0.0
    """keep a moving average of the weights, which this much remains of at every step (0.999):
    validation measures it and model.keras holds it; 0: none"""

    def check(self, optimizer: str, clip_norm: float) -> None:
        """Raise `InputError` for a value out of range or without effect, naming the option."""
        if optimizer != "sgd" and (self.momentum is not None or self.nesterov):
            name = "momentum" if self.momentum is not None else "nesterov"
            raise InputError(f"--descent.{name}: {optimizer} has none, sgd has")
        if not 0 <= self.sgd_momentum < 1:
            raise InputError(f"--descent.momentum {self.momentum}: give 0 or more, below 1")
        if self.nesterov and self.sgd_momentum == 0:
            raise InputError("--descent.nesterov: it needs --descent.momentum above 0")
        if self.clip_by != "all" and clip_norm == 0:
            raise InputError(f"--descent.clip-by {self.clip_by}: give the limit with --clip-norm")
        if not 0 <= self.ema < 1:
            raise InputError(f"--descent.ema {self.ema}: give 0 or more, below 1")

    @property
    def sgd_momentum(self) -> float:
        """The momentum of sgd."""
        return 0.9 if self.momentum is None else self.momentum


@dataclass(frozen=True)
class RateDrop:
    """Where the schedules step and plateau lower the learning rate, and by how much."""

    epochs: tuple[float, ...] = ()
    """step: after how many epochs of the stage, warm-up included (10 20)"""
    factor: float | None = None
    """step and plateau: what the rate is multiplied with; None: 0.1 for step, 0.5 for plateau"""
    patience: int | None = None
    """plateau: this many epochs without a better validation lower the rate; None: 3"""

    def check(self, prefix: str, schedule: str, epochs: int) -> None:
        """Raise `InputError` for a value out of range or without effect in a stage of so many
        epochs; `prefix` leads here."""
        needless = {
            "epochs": self.epochs and schedule != "step",
            "factor": self.factor is not None and schedule not in ("step", "plateau"),
            "patience": self.patience is not None and schedule != "plateau",
        }
        for name, found in needless.items():
            if found:
                raise InputError(f"--{prefix}drop.{name}: the schedule {schedule} has none")
        if schedule == "step" and not self.epochs:
            raise InputError(f"--{prefix}drop.epochs: say when the schedule step lowers the rate")
        if any(epoch <= 0 for epoch in self.epochs) or list(self.epochs) != sorted(self.epochs):
            raise InputError(f"--{prefix}drop.epochs {self.epochs}: give rising numbers above 0")
        if epochs and any(epoch >= epochs for epoch in self.epochs):
            raise InputError(
                f"--{prefix}drop.epochs {self.epochs}: the stage has {epochs}; give fewer each"
            )
        if self.factor is not None and not 0 < self.factor < 1:
            raise InputError(f"--{prefix}drop.factor {self.factor}: give a number between 0 and 1")
        if self.patience is not None and self.patience < 1:
            raise InputError(f"--{prefix}drop.patience {self.patience}: give 1 or more")

    def factor_of(self, schedule: str) -> float:
        """The factor, settled for the schedule."""
        return self.factor or {"step": 0.1, "plateau": 0.5}[schedule]

    @property
    def epochs_waited(self) -> int:
        """The patience of the schedule plateau."""
        return self.patience or 3
