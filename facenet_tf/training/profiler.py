"""Where the time of a train step goes: a trace of some steps for TensorBoard's profiler."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

logger = logging.getLogger(__name__)

WARM_UP = 10
"""Steps before the trace: they trace and compile functions, and fill the pipeline's buffers."""


class ProfilerTrace(keras.callbacks.Callback):
    """Traces the steps from the eleventh of a stage on; not beyond the end of their epoch.

    What happens between epochs is no part of a step. A train function that makes several steps at
    a call counts as one.

    Args:
        directory: the run's logs; the trace goes to ``plugins/profile`` there.
        steps: how many, at least 1.
    """

    def __init__(self, directory: Path, steps: int) -> None:
        super().__init__()
        self.directory, self.steps = directory, steps

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._seen, self._tracing = 0, False

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self._seen == WARM_UP:
            tf.profiler.experimental.start(str(self.directory))
            self._tracing = True
        if self._tracing:
            self._mark = tf.profiler.experimental.Trace("train", step_num=self._seen + 1, _r=1)
            self._mark.__enter__()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._seen += 1
        if self._tracing:
            self._mark.__exit__(None, None, None)
            if self._seen == WARM_UP + self.steps:
                self._stop()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self._tracing:
            self._stop()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self._tracing:  # training was left in the middle of an epoch
            self._stop()
        if self._seen <= WARM_UP:
            logger.warning("--profile: no trace, the stage ended within %d steps", WARM_UP)

    def _stop(self) -> None:
        tf.profiler.experimental.stop()
        self._tracing = False
        logger.info("profiler: steps %d to %d are in %s", WARM_UP + 1, self._seen, self.directory)
