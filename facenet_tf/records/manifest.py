"""``dataset.json`` and ``index.npy``: what a dataset directory holds."""

from __future__ import annotations

import collections
import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from facenet_tf.records.config import BuildConfig
from facenet_tf.records.layout import FORMAT
from facenet_tf.records.rows import Row
from facenet_tf.records.shard import Shard
from facenet_tf.records.source import Source


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


def make_manifest(
    config: BuildConfig,
    source: Source,
    fingerprint: str,
    about: dict[str, Any],
    shards: Sequence[Shard],
    rows: Sequence[Row],
) -> str:
    """Return the text of ``dataset.json``; it names no time, host or directory."""
    stored = collections.Counter(row.identity for row in rows if row.stored)
    identities = [
        {**dataclasses.asdict(person), "records": stored[person.name]}
        for person in source.identities
    ]
    manifest = {
        "format": FORMAT,
        "name": config.name,
        "source": config.source,
        "variant": source.variant,
        "config": config.to_manifest(),
        "preprocessing": config.preprocessing.to_dict(),
        "preprocessing_fingerprint": config.preprocessing.fingerprint(),
        "fingerprint": fingerprint,
        **about,
        "pictures": len(rows),
        "without_identity": source.without_identity,
        "other_files": source.other_files,
        "records": sum(stored.values()),
        "outcomes": _tally(row.outcome for row in rows),
        "rungs": _tally(row.rung for row in rows if row.rung),
        "splits": _splits(rows),
        "singletons": sum(count == 1 for count in stored.values()),
        "identities": identities,
        "shards": [
            {
                "file": shard.file,
                "records": sum(row.stored for row in shard.rows),
                "bytes": shard.bytes,
                "sha256": shard.sha256,
            }
            for shard in shards
        ],
    }
    return json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"


def _tally(values: Any) -> dict[str, int]:
    return dict(sorted(collections.Counter(values).items()))


def _splits(rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    people: dict[str, set[str]] = {}
    records: dict[str, int] = collections.Counter()
    for row in rows:
        people.setdefault(row.split, set()).add(row.identity)
        records[row.split] += row.stored
    return {
        split: {"identities": len(people[split]), "records": records[split]}
        for split in sorted(people)
    }
