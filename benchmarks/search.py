"""The nearest of many embeddings: exact and approximate search, recall against time and memory.

    python benchmarks/search.py [--sizes N …] [--embeddings FILE.npz] [--quick] [--output FILE]

Galleries of 10 k, 100 k and 1 M unit vectors of 128 numbers; the 10 nearest are asked for. Ours is
the exact search in NumPy blocks; the peers are FAISS's exact search and its two approximate indexes
(extra `search`), each at several efforts: candidates kept in HNSW's graph, cells of IVF-PQ that are
looked into. Vectors lie on the disk and are memory-mapped by all.

Half of the queries are a second picture of somebody in the gallery (cosine of about 0.7 with the
first), half are strangers. `recall_1` is the share of the former whose own vector comes first as
in the exact search, `recall_10` the share of the true ten nearest that is found, of all queries.

Every index is built in a process of its own, which tells its time and memory: `own_mib` is what it
holds beside the file of the vectors, `peak_mib` the most that was resident while it was built, with
pages of that file. Then all contenders take turns, all queries at once and one at a time.

The gallery is made up (facenet_tf/evaluation/methods/strangers.py) after the embeddings of
--embeddings, an .npz that evaluate.py wrote; without it after random ones whose variance falls with
the dimension as n^-0.75, as that of trained networks falls: they fill as much room as 41
dimensions.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import report
import turns
from limited_process import LimitedProcess, Limits

from facenet_tf.evaluation.methods.strangers import MadeUp
from facenet_tf.search import KINDS, build_index

WORKER = Path(__file__).with_name("search_worker.py")
SIZES, QUICK_SIZES = [10_000, 100_000, 1_000_000], [10_000]
QUERIES, QUICK_QUERIES = 1000, 200
FEATURES, REAL, DECAY = 128, 2000, 0.75
NEAREST = 10
EFFORTS: dict[str, list[int]] = {"hnsw": [16, 64, 256], "ivf_pq": [16, 64, 256]}
LIMITS = Limits(memory=12e9, seconds=3600)
# Large blocks go back to the system: what training an index has freed is not counted as held.
COUNTED_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "131072"}
SHORTEST = 0.5
"""Seconds; a turn makes as many calls as fill them."""


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", help="vectors in the gallery")
    parser.add_argument("--embeddings", type=Path, help=".npz of real embeddings to follow")
    parser.add_argument("--note", help="what the report should say of the circumstances")
    given = parser.parse_args()
    source = MadeUp(real_vectors(given.embeddings), seed=0)
    metrics: dict[str, Any] = {}
    indexes: dict[str, Any] = {}
    found: dict[str, Any] = {}
    for size in given.sizes or (QUICK_SIZES if given.quick else SIZES):
        with tempfile.TemporaryDirectory() as directory:
            place = Path(directory)
            write_task(place, source, size, QUICK_QUERIES if given.quick else QUERIES)
            indexes[str(size)] = {kind: built(place, kind) for kind in KINDS}
            results = turns.take_turns(commands(place), 2 if given.quick else 5, LIMITS, SHORTEST)
        found[str(size)] = {name: result.ready for name, result in results.items()}
        for figure in ("batch", "single"):
            metrics[f"{figure}_{size}"] = compared(results, figure)
    report.publish(
        "search",
        metrics,
        given.output,
        indexes=indexes,
        recall=found,
        embeddings=given.embeddings and given.embeddings.name,
        note=given.note,
    )


def real_vectors(path: Path | None) -> np.ndarray:
    """Unit vectors that the gallery is made up after."""
    if path is not None:
        with np.load(path, allow_pickle=False) as archive:
            rows = archive["embeddings"]
    else:
        deviations = np.arange(1, FEATURES + 1) ** (-DECAY / 2)
        rows = np.random.default_rng(0).normal(size=(REAL, FEATURES)) * deviations
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def write_task(place: Path, source: MadeUp, size: int, queries: int) -> None:
    """The gallery, the queries (second pictures first, then strangers), and what is true."""
    gallery = source.rows(0, size)
    half = queries // 2
    random = np.random.default_rng(size)
    chosen = gallery[random.choice(size, half, replace=False)]
    noise = random.normal(size=chosen.shape) / np.sqrt(chosen.shape[1])
    second = chosen + noise  # as long as the picture itself: an angle of 45 degrees
    second /= np.linalg.norm(second, axis=1, keepdims=True)
    asked = np.concatenate([second, source.rows(size, size + queries - half)]).astype(np.float32)
    truth = build_index("exact", gallery).search(asked, NEAREST)
    np.save(place / "vectors.npy", gallery)
    np.save(place / "queries.npy", asked)
    np.savez(place / "truth.npz", distances=truth.distances, rows=truth.rows)


def built(place: Path, kind: str) -> dict[str, Any]:
    """Seconds and memory of building one index, which is left as a file."""
    command = [sys.executable, str(WORKER), "build", kind, str(place)]
    with LimitedProcess(command, LIMITS, **COUNTED_MEMORY) as process:
        answer = process.answer()
    print(kind, answer, file=sys.stderr, flush=True)
    return answer


def commands(place: Path) -> dict[str, list[str]]:
    """Every kind, the approximate ones at every effort."""
    start = [sys.executable, str(WORKER), "search"]
    result = {}
    for kind in KINDS:
        name = "ours" if kind == "exact" else kind
        result |= {
            f"{name}_{effort}" if effort else name: [*start, kind, str(place), str(effort)]
            for effort in EFFORTS.get(kind, [0])
        }
    return result


def compared(results: dict[str, turns.Turns], figure: str) -> dict[str, Any]:
    """Milliseconds of one query; those that failed are named with the reason."""
    values = {
        name: [1e3 * turn[figure] for turn in result.turns]
        for name, result in results.items()
        if not result.failed
    }
    ours = values.pop("ours")
    failed = {name: result.failed for name, result in results.items() if result.failed}
    return {**report.metric(ours, values, "ms per query", less_is_better=True), "failed": failed}


if __name__ == "__main__":
    main()
