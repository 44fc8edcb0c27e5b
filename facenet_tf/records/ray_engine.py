"""Shard tasks done on a Ray cluster (extra `ray`).

A shard is one Ray task. The process that does it writes the shard into a directory of its own and
renames it when it is on the disk, so that a task which is done twice, because its machine was only
thought to be dead, spoils nothing. Whatever ends such a process, a picture or the loss of its
machine, the task is done again elsewhere, now in child processes that find the guilty picture as a
local build does.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import functools
import importlib
import logging
import platform
import signal
import socket
import tempfile
import threading
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from facenet_tf.errors import InputError
from facenet_tf.records.plan import ShardTask
from facenet_tf.records.shard import Shard, ShardWriter
from facenet_tf.records.workers import Engine, use_one_thread, write_carefully
from facenet_tf.records.writer_factory import WriterFactory

logger = logging.getLogger(__name__)

_MOST_TRIES = 5
"""As often a task is begun; a machine or two may be lost under it."""
_AHEAD = 2
"""Tasks handed to the cluster per processor, so that none waits for this process."""


@contextlib.contextmanager
def cluster(address: str | None, at_once: int) -> Iterator[Engine]:
    """Connect to a cluster and give the engine that builds there.

    A program that is connected already keeps its connection, and is not asked for an address.

    Args:
        address: of the cluster; None: as Ray finds it (the variable RAY_ADDRESS, the cluster that
            runs on this machine, or else a new one on it).
        at_once: how many shards are built at once; 0: as many as the cluster has processors.

    Raises:
        InputError: Ray is not installed, or no cluster answers.
    """
    ray = _import_ray()
    connected = ray.is_initialized()
    if not connected:
        _connect(ray, address)
    alive = sum(node["Alive"] for node in ray.nodes())
    logger.info("Ray: %d nodes with %d processors", alive, _processors(ray))
    try:
        yield functools.partial(_on_cluster, ray, at_once)
    finally:
        if not connected:
            ray.shutdown()


def _import_ray() -> Any:
    try:
        return importlib.import_module("ray")
    except ImportError:
        raise InputError(
            "--engine ray needs Ray, which is not installed: pip install 'facenet-tf[ray]'"
        ) from None


def _connect(ray: Any, address: str | None) -> None:
    if address is not None:
        _check_that_it_answers(address)
    main = threading.current_thread() is threading.main_thread()
    on_sigterm = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"--ray-address {address}: no cluster answers ({reason})") from error
    finally:
        if main:  # Ray may have set one of its own, which would not end the build in order
            signal.signal(signal.SIGTERM, on_sigterm)


def _check_that_it_answers(address: str) -> None:
    """Ray itself would go on trying for minutes."""
    host, _, port = address.rpartition(":")
    if not (host and port.isdecimal()):
        raise InputError(f"--ray-address {address}: give HOST:PORT")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise InputError(f"--ray-address {address}: no cluster answers ({error})") from error


@contextlib.contextmanager
def _on_cluster(
    ray: Any, at_once: int, tasks: Sequence[ShardTask], factory: WriterFactory
) -> Iterator[Iterator[Shard]]:
    shards = _finished_shards(ray, at_once, tasks, factory)
    with contextlib.closing(shards):
        yield shards


def _finished_shards(
    ray: Any, at_once: int, tasks: Sequence[ShardTask], factory: WriterFactory
) -> Generator[Shard, None, None]:
    # Ray's own retries know no difference between a picture and a machine.
    first, again = (
        ray.remote(num_cpus=1, max_retries=0)(function) for function in (_write, _write_again)
    )
    waiting, tries = collections.deque(tasks), collections.Counter[int]()
    running: dict[Any, ShardTask] = {}
    try:
        while waiting or running:
            while waiting and len(running) < (at_once or _room(ray)):
                task = waiting.popleft()
                running[(again if tries[task.number] else first).remote(factory, task)] = task
            for reference in ray.wait(list(running))[0]:
                task = running.pop(reference)
                shard = _result(ray, reference, task, tries)
                if shard is None:
                    waiting.append(task)
                else:
                    yield shard
    finally:
        for reference in running:
            ray.cancel(reference, force=True)


def _room(ray: Any) -> int:
    """How many tasks to hand over; asked each time, since machines come and go."""
    return max(1, _AHEAD * _processors(ray))


def _processors(ray: Any) -> int:
    return int(ray.cluster_resources().get("CPU", 0))


def _result(
    ray: Any, reference: Any, task: ShardTask, tries: collections.Counter[int]
) -> Shard | None:
    """The shard, or None if the task is to be done again."""
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if tries[task.number] or isinstance(error.cause, InputError | OSError):
            raise error.cause from None
        reason = f"{type(error.cause).__name__}: {error.cause}"
    except ray.exceptions.RayError as error:
        reason = type(error).__name__
    tries[task.number] += 1
    if tries[task.number] == _MOST_TRIES:
        raise RuntimeError(
            f"{task.file} was begun {_MOST_TRIES} times and never finished ({reason}): the same "
            "command continues"
        )
    logger.warning("%s is done again: %s", task.file, reason)
    return None


def _write(factory: WriterFactory, task: ShardTask) -> Shard:
    own = _own(factory)
    return _hand_over(_writer(own).write(task), own, factory)


def _write_again(factory: WriterFactory, task: ShardTask) -> Shard:
    own = _own(factory)
    return _hand_over(write_carefully(task, own), own, factory)


@functools.lru_cache(maxsize=1)
def _own(factory: WriterFactory) -> WriterFactory:
    """The factory, with a directory into which no other process writes."""
    try:
        own = tempfile.mkdtemp(prefix="process-", dir=factory.directory)
    except FileNotFoundError:
        raise InputError(
            f"{platform.node()} does not see {factory.directory}: give an --output that lies on "
            "storage which all machines share, under the same path"
        ) from None
    return dataclasses.replace(factory, directory=Path(own))


@functools.lru_cache(maxsize=1)
def _writer(factory: WriterFactory) -> ShardWriter:
    """Kept for the next task of the same build."""
    use_one_thread()
    return factory()


def _hand_over(shard: Shard, own: WriterFactory, factory: WriterFactory) -> Shard:
    (own.directory / shard.file).replace(factory.directory / shard.file)
    return shard
