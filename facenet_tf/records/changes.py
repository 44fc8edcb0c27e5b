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
_LONGEST = 80  # characters of a value in a message


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

    Options come alone where any differs; the facts about detector and versions else.

    Args:
        manifest: what the dataset says of itself.
        config: a resolved config.
        about: the detector and whatever else decides the records.
    """
    known, asked = _options(manifest["config"]), _options(config.to_manifest())
    if config.shards:
        known["--shards"], asked["--shards"] = len(manifest["shards"]), config.shards
    # Another option shows in the detector's facts too, and at more length: name what was asked.
    return _differences(known, asked) or [
        told
        for name in sorted(about)
        for told in _differences(_facts(name, manifest.get(name)), _facts(name, about[name]))
    ]


def _differences(known: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    return [
        f"{name} {_short(known.get(name))} (now {_short(asked.get(name))})"
        for name in sorted(known.keys() | asked.keys())
        if known.get(name) != asked.get(name)
    ]


def _options(config: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest's options by the name that a user knows them by."""
    options = {**config, **config.get("preprocessing", {})}
    options.pop("preprocessing", None)
    return {f"--{name.replace('_', '-')}": options[name] for name in options}


def _facts(name: str, value: Any) -> dict[str, Any]:
    """The leaves of what a manifest says about one thing, as ``detector engine version``."""
    if not isinstance(value, Mapping):
        return {name: value}
    prefix = "version of" if name == "versions" else name
    return {
        leaf: fact for key in value for leaf, fact in _facts(f"{prefix} {key}", value[key]).items()
    }


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
