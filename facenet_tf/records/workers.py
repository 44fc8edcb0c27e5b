"""Shard tasks done in this process or in several.

A process that dies takes what it was at with it: a decoder that crashes, a picture that needs more
memory than there is. The tasks it may have been at are done again, each in a process of its own,
and one that ends that process too is gone through picture by picture. What the guilty ones cost is
themselves; a shard comes out the same whoever wrote it.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

import cv2
import tensorflow as tf

from facenet_tf.errors import InputError
from facenet_tf.records.plan import Item, ShardTask
from facenet_tf.records.shard import Shard, ShardWriter
from facenet_tf.records.writer_factory import WriterFactory

Engine = Callable[
    [Sequence[ShardTask], WriterFactory], contextlib.AbstractContextManager[Iterator[Shard]]
]
"""Tasks in, shards out as they are finished, in any order; leaving the context ends the work."""

_HOPELESS = 5
"""So many pictures, the first ones of a shard and all guilty: then it is not the pictures."""


@contextlib.contextmanager
def finished_shards(
    tasks: Sequence[ShardTask], factory: WriterFactory, workers: int
) -> Iterator[Iterator[Shard]]:
    """Do the tasks and give the shards as they are finished, in any order.

    Leaving the context early, by an error or an interruption, ends the worker processes at once.

    Args:
        tasks: what to do.
        factory: makes what does it.
        workers: processes; 0: this one, which a picture may then end.

    Raises (from the iterator):
        InputError, OSError: what a writer raises.
        RuntimeError: a task cannot be done, and it is not for some of its pictures.
    """
    if workers == 0:
        use_one_thread()
        writer = factory()
        yield map(writer.write, tasks)
        return
    shards = _in_processes(tasks, factory, workers)
    with contextlib.closing(shards):
        yield shards


def use_one_thread() -> None:
    """Compute on one thread: processes share the work, and sums in another order differ.

    Without effect on TensorFlow where it is in use already, inside a larger program.
    """
    cv2.setNumThreads(1)
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)


def _in_processes(
    tasks: Sequence[ShardTask], factory: WriterFactory, workers: int
) -> Generator[Shard, None, None]:
    waiting = collections.deque(tasks)
    while waiting:
        failed: list[ShardTask] = []
        with _processes(factory, workers) as pool:
            yield from _until_broken(pool, workers, waiting, failed)
        for task in failed:
            yield write_carefully(task, factory)


def _until_broken(
    pool: ProcessPoolExecutor,
    workers: int,
    waiting: collections.deque[ShardTask],
    failed: list[ShardTask],
) -> Iterator[Shard]:
    """Do what is waiting; of a pool that breaks, those that were being done have failed."""
    running: dict[Future[Shard], ShardTask] = {}
    broken = False
    while running or (waiting and not broken):
        # One task for each process: no other can have been at work when one dies.
        while waiting and not broken and len(running) < workers:
            try:
                future = pool.submit(_write, waiting[0])
            except BrokenProcessPool:
                broken = True
            else:
                running[future] = waiting.popleft()
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            task = running.pop(future)
            try:
                shard = future.result()
            except (InputError, OSError):
                raise
            except Exception as error:
                broken |= isinstance(error, BrokenProcessPool)
                failed.append(task)
            else:
                yield shard


def write_carefully(task: ShardTask, factory: WriterFactory) -> Shard:
    """Do a task in a process of its own, without the pictures that make this impossible.

    Raises:
        InputError, OSError: what a writer raises.
        RuntimeError: it cannot be done, and it is not for some of its pictures.
    """
    try:
        return _in_fresh_process(task, factory)
    except (InputError, OSError):
        raise
    except Exception:
        checked = _marked(task, factory)
    try:
        return _in_fresh_process(checked, factory)
    except BrokenProcessPool as error:
        raise RuntimeError(
            f"a worker process died at {task.file}, and at none of its pictures alone: the same "
            "command continues; a smaller --batch-size needs less memory"
        ) from error


def _in_fresh_process(task: ShardTask, factory: WriterFactory) -> Shard:
    with _processes(factory, 1) as pool:
        return pool.submit(_write, task).result()


def _marked(task: ShardTask, factory: WriterFactory) -> ShardTask:
    """The task with a `crash` at each picture that cannot be done even alone."""
    items: list[Item] = []
    while len(items) < len(task.items):
        with _processes(factory, 1) as pool:
            for item in task.items[len(items) :]:
                crash, alive = _rehearse_in(pool, item)
                items.append(dataclasses.replace(item, crash=crash))
                if len(items) == _HOPELESS and all(item.crash for item in items):
                    raise RuntimeError(
                        f"a worker process died at {task.file}, at each of its first pictures: "
                        f"{crash}"
                    )
                if not alive:
                    break
    return dataclasses.replace(task, items=tuple(items))


def _rehearse_in(pool: ProcessPoolExecutor, item: Item) -> tuple[str, bool]:
    """How a picture fails, "" if it does not, and whether the process has survived it."""
    try:
        pool.submit(_rehearse, item).result()
    except (InputError, OSError):
        raise
    except BrokenProcessPool:
        return "it ended the process that tried it", False
    except Exception as error:
        return f"{type(error).__name__}: {error}", True
    return "", True


@contextlib.contextmanager
def _processes(factory: WriterFactory, workers: int) -> Iterator[ProcessPoolExecutor]:
    others = set(multiprocessing.active_children())
    spawn = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
    pool = ProcessPoolExecutor(workers, spawn, _start_worker, (factory,))
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
        raise
    pool.shutdown()


_writer: ShardWriter | None = None  # of a worker process, where its tasks find it


def _start_worker(factory: WriterFactory) -> None:
    global _writer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it too, and ends the workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    use_one_thread()
    _writer = factory()


def _write(task: ShardTask) -> Shard:
    assert _writer is not None  # _start_worker has set it
    return _writer.write(task)


def _rehearse(item: Item) -> None:
    assert _writer is not None
    _writer.rehearse(item)


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for its next task for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
