"""What the batches of a stage depend on besides seed and step; it changes as an epoch ends."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from facenet_tf.training.confusion import PARTNERS, most_alike
from facenet_tf.training.distribute import Distribution
from facenet_tf.training.heads import LossHead
from facenet_tf.training.plan import StagePlan


class SamplingState:
    """Whom the epoch before confused, and which phase of P×K it is.

    Args:
        plan: of the stage.
        head: of the stage; keeps signatures where its sampling asks for the confused.
        distribution: of the run; all its workers draw by what the chief found.

    Attributes:
        name: in a checkpoint.
        confused: int32 [people, n] for `IdentitySampler`; None before the first epoch has ended.
    """

    name = "sampling"

    def __init__(self, plan: StagePlan, head: LossHead, distribution: Distribution) -> None:
        self._plan, self._head, self._distribution = plan, head, distribution
        self.confused: np.ndarray | None = None

    def at_epoch_end(self, epoch: int, logs: Mapping[str, float]) -> bool:
        """Find anew who is like whom; whether the next batches are drawn differently."""
        if self._head.signatures is not None:
            found = most_alike(tf.convert_to_tensor(self._head.signatures), PARTNERS)
            self.confused = self._distribution.of_chief(found).astype(found.dtype)
            return True
        stage, behind = self._plan.stage, epoch - self._plan.first
        now, then = (stage.sampling.phase(each, stage.epochs) for each in (behind, behind + 1))
        return now != then

    def state(self) -> dict[str, np.ndarray]:
        """What `restore` takes."""
        return {} if self.confused is None else {"confused": self.confused}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Be as another was when its `state` gave this."""
        self.confused = state.get("confused")
