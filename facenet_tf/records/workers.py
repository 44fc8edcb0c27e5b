"""Shard tasks done in this process or in several."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

import cv2
import tensorflow as tf

from facenet_tf.records.plan import ShardTask
from facenet_tf.records.shard import Shard, ShardWriter

WriterFactory = Callable[[], ShardWriter]
"""Called once in each process; `functools.partial` of a module's function can travel there."""


@contextlib.contextmanager
def finished_shards(
    tasks: Sequence[ShardTask], make_writer: WriterFactory, workers: int
) -> Iterator[Iterator[Shard]]:
    """Do the tasks and give the shards as they are finished, in any order.

    Leaving the context early, by an error or an interruption, ends the worker processes at once.
    """
    if workers == 1:
        writer = make_writer()
        yield map(writer.write, tasks)
        return
    others = set(multiprocessing.active_children())
    spawn = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
    pool = ProcessPoolExecutor(workers, spawn, _start_worker, (make_writer,))
    try:
        futures = [pool.submit(_work, task) for task in tasks]
        yield (future.result() for future in as_completed(futures))
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
        raise
    pool.shutdown()


def use_one_thread() -> None:
    """Compute on one thread: processes share the work, and sums in another order differ.

    Without effect on TensorFlow where it is in use already, inside a larger program.
    """
    cv2.setNumThreads(1)
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)


_writer: ShardWriter | None = None  # of a worker process, where its tasks find it


def _start_worker(make_writer: WriterFactory) -> None:
    global _writer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it too, and ends the workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    use_one_thread()
    _writer = make_writer()


def _work(task: ShardTask) -> Shard:
    assert _writer is not None  # _start_worker has set it
    return _writer.write(task)


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for its next task for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
