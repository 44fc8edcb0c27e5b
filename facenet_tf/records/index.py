"""``index.npy``: where each record lies, and whether that can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from facenet_tf.records import framing
from facenet_tf.records.layout import LABEL, LENGTH, OFFSET, ROW, SHARD, SOURCE
from facenet_tf.records.rows import Row


def make_index(rows: Sequence[Row]) -> np.ndarray:
    """Return int64 [N, 6], one line per record, sorted by shard and offset.

    Its columns are those of `facenet_tf.records.layout`.
    """
    first: dict[str, int] = {}
    lines = [
        (row.shard, row.offset, row.length, row.label, first.setdefault(row.sha256, number), number)
        for number, row in enumerate(rows)
        if row.stored
    ]
    return np.array(sorted(lines), np.int64).reshape(-1, 6)


def misfit(index: np.ndarray, manifest: Mapping[str, Any]) -> str | None:
    """Return what is wrong with an index, or None if it fits the shards of its dataset.

    The records of a shard follow one another without a gap from its first byte to its last.

    Args:
        index: int64 [N, 6].
        manifest: the content of ``dataset.json``.
    """
    shards = manifest["shards"]
    numbers = np.repeat(np.arange(len(shards)), [shard["records"] for shard in shards])
    if len(numbers) != len(index):
        return f"it has {len(index)} records, the shards {len(numbers)}"
    if len(index) == 0:
        return None
    ends = index[:, OFFSET] + index[:, LENGTH] + framing.OVERHEAD
    starts = np.concatenate([[0], ends[:-1]])
    starts[np.flatnonzero(np.diff(numbers, prepend=-1))] = 0
    fits = (index[:, SHARD] == numbers) & (index[:, OFFSET] == starts) & (index[:, LENGTH] >= 0)
    last = np.flatnonzero(np.diff(numbers, append=-1))
    fits[last] &= ends[last] == np.array([shards[number]["bytes"] for number in numbers[last]])
    for column, limit in (
        (LABEL, len(manifest["identities"])),
        (SOURCE, manifest["pictures"]),
        (ROW, manifest["pictures"]),
    ):
        fits &= (index[:, column] >= 0) & (index[:, column] < limit)
    if fits.all():
        return None
    record = int(np.argmin(fits))
    return f"record {record} does not fit {shards[numbers[record]]['file']}"
