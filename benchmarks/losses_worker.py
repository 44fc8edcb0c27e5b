"""One contender of benchmarks/losses.py: forward and backward of one loss, in this process.

    python benchmarks/losses_worker.py TASK LIBRARY MINING BATCH.npz [--jit] [--options JSON]

BATCH.npz holds unit `embeddings` float32 [B, D] and `labels` int32 [B]. TASK `memory` prints what
came out and the memory it took. `time` prints that it is ready; then each line read is a number of
calls to make, and the answer their seconds. Answers are lines of JSON. Imports NumPy and the one
library, so that it runs in any environment.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from peak_memory import peak_memory

MARGIN = 0.2
PLAIN = {"margin": MARGIN, "distance": "plain"}
FEW = 16
"""Rows of the batch before which a library has allocated nothing and compiled nothing."""
Batch = dict[str, np.ndarray]
Step = Callable[[], tuple[Any, Any]]
"""Computes the loss of the batch and its gradient by the embeddings."""


def ours(mining: str, batch: Batch, jit: bool, options: dict[str, Any]) -> Step:
    from facenet_tf.losses import find_loss, mean_loss

    loss = find_loss("triplet", mining).function
    return tensorflow_step(
        lambda rows, labels: mean_loss(
            loss(rows, labels, margin=MARGIN, distance="plain", **options)
        ),
        batch,
        jit,
    )


def addons(mining: str, batch: Batch, jit: bool, options: dict[str, Any]) -> Step:
    from tensorflow_addons.losses import TripletHardLoss, TripletSemiHardLoss

    loss = {"batch_hard": TripletHardLoss, "semi_hard": TripletSemiHardLoss}[mining](MARGIN)
    return tensorflow_step(lambda rows, labels: loss(labels, rows), batch, jit)


def tensorflow_step(value: Callable[..., Any], batch: Batch, jit: bool) -> Step:
    import tensorflow as tf

    rows, labels = tf.constant(batch["embeddings"]), tf.constant(batch["labels"])

    @tf.function(jit_compile=jit)
    def step(rows: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(rows)
            loss = value(rows, labels)
        return loss, tape.gradient(loss, rows)

    return lambda: step(rows, labels)


def pml(mining: str, batch: Batch, jit: bool, options: dict[str, Any]) -> Step:
    import torch
    from pytorch_metric_learning.distances import LpDistance
    from pytorch_metric_learning.losses import TripletMarginLoss
    from pytorch_metric_learning.miners import BatchHardMiner, TripletMarginMiner
    from pytorch_metric_learning.reducers import MeanReducer

    distance = LpDistance(normalize_embeddings=False)
    if mining == "batch_hard":
        miner = BatchHardMiner(distance=distance)
    else:
        miner = TripletMarginMiner(MARGIN, type_of_triplets="semihard", distance=distance)
    loss = TripletMarginLoss(MARGIN, distance=distance, reducer=MeanReducer())
    rows, labels = torch.from_numpy(batch["embeddings"]), torch.from_numpy(batch["labels"])
    rows.requires_grad_()

    def step() -> tuple[torch.Tensor, torch.Tensor]:
        value = loss(rows, labels, miner(rows, labels))
        return value.detach(), torch.autograd.grad(value, rows)[0]

    return step


LIBRARIES = {
    "ours": (ours, "tensorflow"),
    "addons": (addons, "tensorflow-addons"),
    "pml": (pml, "pytorch-metric-learning"),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("task", choices=["memory", "time"])
    parser.add_argument("library", choices=LIBRARIES)
    parser.add_argument("mining")
    parser.add_argument("batch", type=Path)
    parser.add_argument("--jit", action="store_true")
    parser.add_argument("--options", type=json.loads, default={})
    given = parser.parse_args()
    # Where the whole machine runs out of memory, this process is the one to go.
    Path("/proc/self/oom_score_adj").write_text("1000")
    library, package = LIBRARIES[given.library]
    batch = dict(np.load(given.batch))

    def prepared(batch: Batch) -> Step:
        return library(given.mining, batch, given.jit, given.options)

    try:
        if given.task == "memory":
            answer({"version": importlib.metadata.version(package), **memory(prepared, batch)})
        else:
            serve(prepared(batch))
    except Exception as error:
        answer({"failed": f"{type(error).__name__}: {str(error).strip().splitlines()[0][:200]}"})


def memory(prepared: Callable[[Batch], Step], batch: Batch) -> dict[str, float]:
    """What comes out; what a few rows take, which is the compiler's; and what the batch adds."""
    few = prepared({name: values[:FEW] for name, values in batch.items()})
    fixed = peak_memory(few)
    step = prepared(batch)
    added = peak_memory(step)
    loss, gradient = (np.asarray(each, np.float64) for each in step())
    norm = float(np.linalg.norm(gradient))
    return {"loss": float(loss), "gradient": norm, "fixed_mib": fixed, "mib": added}


def serve(step: Step, **facts: Any) -> None:
    """Answer with `facts`, then the seconds of as many calls as each line says.

    The first call is not timed.
    """
    step()
    answer(facts)
    for line in sys.stdin:
        answer(timed(step, int(line)))


def timed(step: Step, calls: int) -> dict[str, float]:
    """Seconds of one call, by the clock and of all cores together."""
    wall, processor = time.perf_counter(), time.process_time()
    for _ in range(calls):
        step()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return {"seconds": wall / calls, "cpu_seconds": processor / calls}


def answer(figures: dict[str, Any]) -> None:
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
