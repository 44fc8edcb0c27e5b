"""What a build would make now, against the finished dataset in its output directory."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from facenet_tf.records.config import BuildConfig
from facenet_tf.records.plan import Item
from facenet_tf.records.rows import Row

_NAMED = 3


@dataclasses.dataclass(frozen=True)
class Changes:
    """Keys of the pictures that are not as they were; those renamed as ``OLD -> NEW``.

    Excluded are those that a list leaves out now, admitted those that none does any more.
    """

    added: list[str]
    removed: list[str]
    replaced: list[str]
    renamed: list[str]
    excluded: list[str]
    admitted: list[str]

    def __str__(self) -> str:
        """One line: how many of each kind, and the first few."""
        told = []
        for field in dataclasses.fields(self):
            keys = getattr(self, field.name)
            more = ", …" if len(keys) > _NAMED else ""
            if keys:
                told.append(f"{len(keys)} {field.name} ({', '.join(keys[:_NAMED])}{more})")
        return "; ".join(told) or "none"


def changed_pictures(rows: Sequence[Row], items: Sequence[Item]) -> Changes:
    """Compare the pictures of a dataset with those of a plan; a renamed one has the same bytes."""
    before = {row.path: row.sha256 for row in rows}
    now = {item.picture.key: item.sha256 for item in items}
    left_out = {row.path for row in rows if row.outcome == "excluded"}
    listed = {item.picture.key for item in items if item.excluded}
    removed = sorted(before.keys() - now.keys())
    added = collections.defaultdict(list)
    for key in sorted(now.keys() - before.keys()):
        added[now[key]].append(key)
    renamed = {
        key: added[before[key]].pop(0) for key in removed if before[key] and added[before[key]]
    }
    return Changes(
        added=sorted(key for keys in added.values() for key in keys),
        removed=[key for key in removed if key not in renamed],
        replaced=sorted(key for key in before.keys() & now.keys() if before[key] != now[key]),
        renamed=[f"{old} -> {new}" for old, new in renamed.items()],
        excluded=sorted((listed - left_out) & before.keys()),
        admitted=sorted((left_out - listed) & now.keys()),
    )


def changed_options(
    manifest: Mapping[str, Any], config: BuildConfig, about: Mapping[str, Any]
) -> list[str]:
    """Return what a dataset was made with and would not be now, as ``NAME OLD (now NEW)``.

    Args:
        manifest: what the dataset says of itself.
        config: a resolved config.
        about: the detector and whatever else decides the records.
    """
    known = _named(manifest["config"], {name: manifest.get(name) for name in about})
    asked = _named(config.to_manifest(), about)
    if config.shards:
        known["--shards"], asked["--shards"] = len(manifest["shards"]), config.shards
    return [
        f"{name} {known.get(name)} (now {asked.get(name)})"
        for name in sorted(known.keys() | asked.keys())
        if known.get(name) != asked.get(name)
    ]


def _named(config: Mapping[str, Any], about: Mapping[str, Any]) -> dict[str, Any]:
    """Options and other facts by the name that a user knows them by."""
    options = {**config, **config.get("preprocessing", {})}
    named = {f"--{name.replace('_', '-')}": options[name] for name in options}
    named.pop("--preprocessing", None)
    versions = {
        f"version of {name}": value for name, value in (about.get("versions") or {}).items()
    }
    return named | versions | {name: about[name] for name in about if name != "versions"}
