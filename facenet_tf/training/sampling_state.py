"""What the batches of a stage depend on besides seed and step; it changes as an epoch ends."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from facenet_tf.input_pipeline.sampling import Sampling
from facenet_tf.training.confusion import PARTNERS, most_alike
from facenet_tf.training.heads import LossHead


class SamplingState:
    """Whom the epoch before confused, and which phase of P×K it is.

    Args:
        sampling: of the stage.
        head: of the stage; keeps signatures where `sampling.hard` asks for them.
        first_epoch: epochs of the run before the stage.
        epochs: of the stage.

    Attributes:
        name: in a checkpoint.
        confused: int32 [people, n] for `IdentitySampler`; None before the first epoch has ended.
    """

    name = "sampling"

    def __init__(
        self, sampling: Sampling, head: LossHead, first_epoch: int, epochs: int
    ) -> None:
        self._sampling, self._head = sampling, head
        self._first_epoch, self._epochs = first_epoch, epochs
        self.confused: np.ndarray | None = None

    def at_epoch_end(self, epoch: int, logs: Mapping[str, float]) -> bool:
        """Find anew who is like whom; whether the next batches are drawn differently."""
        if self._head.signatures is not None:
            self.confused = most_alike(tf.convert_to_tensor(self._head.signatures), PARTNERS)
            return True
        begun = epoch - self._first_epoch
        now, then = (self._sampling.phase(each, self._epochs) for each in (begun, begun + 1))
        return now != then

    def state(self) -> dict[str, np.ndarray]:
        """What `restore` takes."""
        return {} if self.confused is None else {"confused": self.confused}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Be as another was when its `state` gave this."""
        self.confused = state.get("confused")
