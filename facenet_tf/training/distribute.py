"""Several replicas of one run: where they are, what each reads, who of them writes.

A step on N replicas is the step on one: each embeds its part of the same P×K batch, the loss is
that of the whole batch, and the gradients are summed (`facenet_tf.replicas`).
"""

from __future__ import annotations

import contextlib
import functools
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike, NDArray

from facenet_tf.errors import InputError, Interrupted
from facenet_tf.input_pipeline.share import WHOLE, Share
from facenet_tf.models.layers import FusedBatchNormalization
from facenet_tf.replicas import of_first, summed
from facenet_tf.training.checkpoints import Checkpoints
from facenet_tf.training.config import Stage
from facenet_tf.training.loop import Execute, steps_at_once, train_function
from facenet_tf.training.run_directory import RunDirectory

logger = logging.getLogger(__name__)

Kind = Literal["none", "mirrored", "multiworker"]

_OF_THE_NETWORK = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)


@dataclass(frozen=True)
class Distribution:
    """The replicas of a run, as this process sees them.

    Attributes:
        strategy: of tf.distribute; the default one for a single replica.
        is_chief: whether this process writes the run directory.
        workers: processes that the run has.
    """

    strategy: tf.distribute.Strategy
    is_chief: bool = True
    workers: int = 1

    @property
    def replicas(self) -> int:
        """Of all workers together."""
        return int(self.strategy.num_replicas_in_sync)

    def describe(self) -> dict[str, Any]:
        """For a run's record."""
        kind = type(self.strategy).__name__ if self.replicas > 1 else "none"
        return {"strategy": kind, "replicas": self.replicas, "workers": self.workers}

    def check(self, stage: Stage) -> None:
        """Raise `InputError` if the stage's batch does not divide."""
        Share(self.replicas).size(stage.identities_per_batch, stage.images_per_identity)

    def batches(self, read: Callable[[Share], tf.data.Dataset]) -> Iterable[Any]:
        """What a share's reader gives, an element for each replica of this worker at a time.

        Workers would have to ask each other before each step whether there is one more; without end
        there is.
        """
        if not tf.distribute.has_strategy():
            return read(WHOLE)

        def of_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
            own = context.num_replicas_in_sync // context.num_input_pipelines
            first = context.input_pipeline_id * own
            return read(Share(context.num_replicas_in_sync, first, own)).repeat()

        return self.strategy.distribute_datasets_from_function(of_worker)

    def train_function(self, trainer: keras.Model) -> Execute:
        """What takes the trainer's steps of an execution on all replicas.

        For one replica it is the function that `fit` calls. On several that one means to average
        their figures, which Keras 3 cannot do on several workers, and Keras 2 adds up instead. Here
        they are equal, and one replica's are given.
        """
        if not tf.distribute.has_strategy():
            return train_function(trainer)
        steps = steps_at_once(trainer)
        train_step = tf.autograph.experimental.do_not_convert(trainer.train_step)
        figures = tf.autograph.experimental.do_not_convert(trainer.figures)

        @tf.function
        def execute(batches: Iterator[Any]) -> Mapping[str, Any]:
            for _ in range(1) if steps == 1 else tf.range(steps):
                self.strategy.run(train_step, (next(batches),))
            means = self.strategy.run(figures)
            return {name: self._of_one(mean) for name, mean in means.items()}

        return execute

    def agree(self, *wishes: object) -> list[bool]:
        """Of each wish, whether one worker has it; all of them ask after the same step."""
        own = [bool(wish) for wish in wishes]
        if self.workers == 1:
            return own
        votes = self._of_one(self._votes(tf.constant([float(wish) for wish in own])))
        return [bool(vote > 0) for vote in votes]

    def check_same(self, step: int) -> None:
        """Raise `InputError` unless all workers go on from the same step."""
        if any(self.agree(self.of_chief([step])[0] != step)):
            raise InputError(
                f"--resume: this worker would go on from step {step} and another one not: put the "
                "run directory on a disk that all share"
            )

    def of_chief(self, numbers: ArrayLike) -> NDArray[np.float64]:
        """The chief's of what each worker has computed by itself.

        Two kinds of processors differ in last bits, and what follows from these may differ by any
        amount: whom an epoch confused, which epoch was the best.

        Args:
            numbers: of the same shape on all workers, exact as float64.
        """
        own = np.asarray(numbers, np.float64)
        return own if self.workers == 1 else self._of_one(self._firsts(tf.constant(own))).numpy()

    def has_lost_a_worker(self, error: tf.errors.OpError) -> bool:
        """Whether an error is of the network, not of what is done here."""
        return self.workers > 1 and isinstance(error, _OF_THE_NETWORK)

    @contextlib.contextmanager
    def place(self, run_directory: Path, resume: bool) -> Iterator[Path]:
        """Where this process writes.

        What is done at the end of an epoch takes collectives, so that all workers have to do it.
        The chief writes the run directory; what the others write, the same, is thrown away.

        Args:
            run_directory: of the run, on a disk that all workers share if it is resumed.
            resume: whether what is there is gone on from.

        Raises:
            InputError: there is nothing.
            Interrupted: there is no room for it where temporary files lie.
        """
        if self.is_chief:
            yield run_directory
            return
        with tempfile.TemporaryDirectory(prefix="facenet-worker-") as parent:
            scratch = Path(parent, run_directory.name)
            run = RunDirectory(run_directory)
            if resume and not run.config.is_file():
                raise InputError(
                    f"--resume: {run.config} is not there: all workers read it, put it on a disk "
                    "that they share"
                )
            if resume:
                try:
                    _take_along(run, RunDirectory(scratch))
                except OSError as error:
                    raise Interrupted(
                        f"--resume: what {run_directory} holds cannot be copied to {parent} "
                        f"({error}): make room there or set TMPDIR, and go on with --resume"
                    ) from error
            yield scratch

    @tf.function
    def _votes(self, own: tf.Tensor) -> Any:
        # A function's argument has no device, and where a sum is to go is told by that.
        return self.strategy.run(lambda votes: summed([tf.identity(votes)])[0], (own,))

    @tf.function
    def _firsts(self, own: tf.Tensor) -> Any:
        return self.strategy.run(lambda numbers: of_first(tf.identity(numbers)), (own,))

    def _of_one(self, figure: Any) -> tf.Tensor:
        return self.strategy.experimental_local_results(figure)[0]


def start(kind: Kind, jit: str) -> Distribution:
    """The replicas that an option asks for; to be called before TensorFlow computes anything.

    "mirrored" has one on each GPU of this machine, or on each logical CPU where there is none.
    "multiworker" has those of all processes that the variable TF_CONFIG names, and waits for them.

    Args:
        kind: the option.
        jit: what XLA compiles, as `TrainConfig.jit`.

    Raises:
        InputError: TF_CONFIG is missing or wrong, or XLA is to compile the whole step.
    """
    if kind == "none":
        return Distribution(tf.distribute.get_strategy())
    if jit == "on":
        raise InputError(
            f"--jit on: a step that replicas take together (--distribute {kind}) cannot be "
            "compiled whole; give --jit loss or off"
        )
    if kind == "mirrored":
        return Distribution(_mirrored())
    return _multiworker()


def _take_along(run: RunDirectory, scratch: RunDirectory) -> None:
    """Copy what is gone on from, and no more: where temporary files lie may be small."""
    newest = Checkpoints(run.checkpoints).newest()
    scratch.path.mkdir()
    shutil.copyfile(run.config, scratch.config)
    if newest is not None:
        shutil.copytree(newest.directory, scratch.checkpoints / newest.directory.name)


def synchronize(model: keras.Model) -> None:
    """Let Keras' own batch normalisation see the batches of all replicas of this scope.

    `FusedBatchNormalization` does it by itself. A model that is saved with it means the same
    wherever there are no replicas.
    """
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return
    for layer in model.layers:
        plain = isinstance(layer, keras.layers.BatchNormalization)
        if plain and not isinstance(layer, FusedBatchNormalization):
            layer.synchronized = True


def let_sums_pass(optimizer: keras.optimizers.Optimizer) -> None:
    """Tell an optimiser that its gradients are sums over the replicas: it would sum again.

    They are summed before they are clipped. Keras 3 has no option for this; in both it is a method
    of the optimiser that sums, and of the inner one where the loss is scaled.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    for method in ("_all_reduce_sum_gradients", "aggregate_gradients"):
        if hasattr(inner, method):
            setattr(inner, method, lambda grads_and_vars: list(grads_and_vars))
            return
    raise RuntimeError(f"{type(inner).__name__} has no method that sums gradients over replicas")


@functools.cache
def _mirrored() -> tf.distribute.Strategy:
    """One for the process: a second one's collectives would be taken for the first one's."""
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) == 1:
        logger.warning(
            "--distribute mirrored: TensorFlow sees one device, %s, which trains alone",
            devices[0].name,
        )
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def _multiworker() -> Distribution:
    try:
        resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
        cluster = resolver.cluster_spec().as_dict()
        workers = len(cluster.get("chief", [])) + len(cluster.get("worker", []))
        chief = ("chief", 0) if "chief" in cluster else ("worker", 0)
        known = resolver.task_id in range(len(cluster.get(resolver.task_type, [])))
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(f"--distribute multiworker: TF_CONFIG cannot be read: {error}") from error
    if not known:
        raise InputError(
            "--distribute multiworker: set TF_CONFIG to the addresses of all workers and the "
            "number of this one; docs/training.md shows how"
        )
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)
    except RuntimeError as error:
        raise InputError(
            f"--distribute multiworker: start a process of its own: {error}"
        ) from error
    return Distribution(strategy, (resolver.task_type, resolver.task_id) == chief, workers)
