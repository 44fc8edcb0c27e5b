"""One index of benchmarks/search.py, in this process.

    python benchmarks/search_worker.py build KIND DIRECTORY
    python benchmarks/search_worker.py search KIND DIRECTORY EFFORT

`build` tells the seconds and the memory that the index took, and leaves it as a file beside the
vectors. `search` opens it and tells its recall; then each line read is a number of calls to make,
and the answer the seconds of one query. Answers are lines of JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from peak_memory import MIB, peak_memory, status

from facenet_tf.search import Found, Index, build_index, recall
from facenet_tf.search.exact import ExactIndex
from facenet_tf.search.faiss_index import FaissIndex, import_faiss

SINGLE = 10
"""Queries of a call that are asked one at a time."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("task", choices=["build", "search"])
    parser.add_argument("kind")
    parser.add_argument("place", type=Path)
    parser.add_argument("effort", type=int, nargs="?", default=0)
    given = parser.parse_args()
    vectors = np.load(given.place / "vectors.npy", mmap_mode="r")
    try:
        if given.task == "build":
            answer(build(given.kind, vectors, given.place))
        else:
            serve(opened(given.kind, vectors, given.place, given.effort), given.place)
    except Exception as error:
        answer({"failed": f"{type(error).__name__}: {str(error).strip().splitlines()[0][:200]}"})


def build(kind: str, vectors: np.ndarray, place: Path) -> dict[str, float]:
    if kind != "exact":
        import_faiss()  # what the library itself takes is no part of an index
    indexes: list[Index] = []
    before, start = status("RssAnon"), time.perf_counter()
    peak = peak_memory(lambda: indexes.append(build_index(kind, vectors)))
    seconds = time.perf_counter() - start
    figures = {
        "seconds": seconds,
        "own_mib": (status("RssAnon") - before) / MIB,
        "peak_mib": peak,
    }
    if isinstance(indexes[0], FaissIndex):
        import_faiss().write_index(indexes[0].index, str(place / kind))
    return figures


def opened(kind: str, vectors: np.ndarray, place: Path, effort: int) -> Index:
    if kind == "exact":
        return ExactIndex(vectors)
    return FaissIndex(kind, vectors, import_faiss().read_index(str(place / kind)), effort)


def serve(index: Index, place: Path) -> None:
    queries = np.load(place / "queries.npy")
    with np.load(place / "truth.npz") as archive:
        truth = Found(archive["distances"], archive["rows"])
    count = truth.rows.shape[1]
    found = index.search(queries, count)
    second = slice(0, len(queries) // 2)
    answer(
        {
            "recall_1": float(np.mean(found.rows[second, 0] == truth.rows[second, 0])),
            f"recall_{count}": recall(found, truth),
        }
    )
    for line in sys.stdin:
        calls = int(line)
        batch = timed(lambda: index.search(queries, count), calls) / len(queries)
        single = timed(lambda: one_by_one(index, queries[:: len(queries) // SINGLE], count), calls)
        alone = single / len(queries[:: len(queries) // SINGLE])
        answer({"seconds": batch * len(queries) + single, "batch": batch, "single": alone})


def one_by_one(index: Index, queries: np.ndarray, count: int) -> None:
    for query in queries:
        index.search(query[None], count)


def timed(work: Callable[[], Any], calls: int) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    for _ in range(calls):
        work()
    return (time.perf_counter() - start) / calls


def answer(figures: dict[str, Any]) -> None:
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
