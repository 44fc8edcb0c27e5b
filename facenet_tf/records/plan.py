"""What a build will do, decided before the first picture is decoded.

A shard's pictures follow from a hash of their keys alone, so that a build gives the same files
whatever the number of workers.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tqdm import tqdm

from facenet_tf.datasets.picture import Picture
from facenet_tf.errors import InputError
from facenet_tf.records.config import BuildConfig
from facenet_tf.records.exclusions import read_exclusions
from facenet_tf.records.layout import shard_name
from facenet_tf.records.source import Source

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Item:
    """A picture of the plan; `sha256` is empty and `problem` says why if it cannot be read."""

    picture: Picture
    label: int
    sha256: str
    problem: str = ""
    same_as: str = ""
    """the picture before it with the same bytes: its key, and whom it shows if that differs"""
    excluded: str = ""
    """why it is left out, if a list names it"""
    crash: str = ""
    """how it ended the process that tried it; it is not tried again"""


@dataclasses.dataclass(frozen=True)
class ShardTask:
    """One shard file and its pictures, sorted by key; a fingerprint of what decides its bytes."""

    number: int
    file: str
    items: tuple[Item, ...]
    fingerprint: str


@dataclasses.dataclass(frozen=True)
class Plan:
    """The tasks, a fingerprint of all that decides the records, and further words on the source."""

    tasks: list[ShardTask]
    fingerprint: str
    words: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def items(self) -> list[Item]:
        """All pictures, by shard."""
        return [item for task in self.tasks for item in task.items]

    def is_done(self, manifest: Mapping[str, Any]) -> bool:
        """Whether a manifest is that of the dataset this plan gives."""
        told = {"fingerprint": self.fingerprint, **self.words}
        return all(manifest.get(name) == value for name, value in told.items())


def make_plan(
    config: BuildConfig, source: Source, about: dict[str, Any], shards: int | None = None
) -> Plan:
    """Hash all pictures and assign them to shards.

    Args:
        config: a resolved config.
        source: the pictures and people.
        about: what else decides the result (detector, versions); enters the fingerprints.
        shards: how many; None: as the config says, or by the number of pictures.

    Raises:
        InputError: a list of pictures to leave out cannot be read, or names none of these.
    """
    excluded = _excluded(config, source)
    labels = {person.name: label for label, person in enumerate(source.identities)}
    with ThreadPoolExecutor() as pool:
        hashing = pool.map(_hash, source.pictures)
        total = len(source.pictures)
        # Shown only where it takes long.
        hashes = list(tqdm(hashing, "hashing", total, leave=False, unit="img", delay=2))
    items = _items(source.pictures, labels, hashes, excluded)
    count = shards or config.shards or _shard_count(len(items))
    members: list[list[Item]] = [[] for _ in range(count)]
    for item in items:
        members[_shard_of(item.picture.key, count)].append(item)
    options = {
        "config": config.to_manifest(),
        "preprocessing": config.preprocessing.fingerprint(),
        **about,
    }
    tasks = [
        ShardTask(
            number,
            shard_name(number, count),
            tuple(group),
            _fingerprint([options, number, count, [_facts(item) for item in group]]),
        )
        for number, group in enumerate(members)
    ]
    people = [dataclasses.astuple(person) for person in source.identities]
    fingerprint = _fingerprint([options, people, [task.fingerprint for task in tasks]])
    words = ("variant", "without_identity", "other_files")
    return Plan(tasks, fingerprint, {name: getattr(source, name) for name in words})


def _hash(picture: Picture) -> tuple[str, str]:
    """SHA-256 of a picture's bytes and "", or "" and why it cannot be read."""
    try:
        return hashlib.sha256(picture.read()).hexdigest(), ""
    except OSError as error:
        return "", error.strerror or str(error)


def _excluded(config: BuildConfig, source: Source) -> dict[str, str]:
    """Key → reason of the pictures that the lists leave out."""
    listed = read_exclusions(config.exclude)
    known = {picture.key for picture in source.pictures}
    unknown = sorted(listed.keys() - known)
    if unknown and len(unknown) == len(listed):
        raise InputError(
            f"--exclude: none of the {len(listed)} pictures listed is here ({unknown[0]} …): "
            "the lists are of another source"
        )
    if unknown:
        logger.warning("--exclude: %d listed pictures are not here: %s …", len(unknown), unknown[0])
    return listed


def _items(
    pictures: Sequence[Picture],
    labels: dict[str, int],
    hashes: list[tuple[str, str]],
    excluded: dict[str, str],
) -> list[Item]:
    first: dict[str, Picture] = {}
    items = []
    for picture, (sha256, problem) in zip(pictures, hashes, strict=True):
        reason = excluded.get(picture.key, "")
        # A picture that is left out stands for no other.
        counts = sha256 and not reason
        earlier = first.setdefault(sha256, picture) if counts else picture
        same_as = "" if earlier is picture else earlier.key
        if same_as and earlier.identity != picture.identity:
            same_as += f", under another identity: {earlier.identity}"
        items.append(Item(picture, labels[picture.identity], sha256, problem, same_as, reason))
    return items


def _shard_count(pictures: int) -> int:
    """Some 250 pictures a shard; more shards for small sets, to share them among workers."""
    return max(min(16, math.ceil(pictures / 25)), min(1024, math.ceil(pictures / 250)))


def _shard_of(key: str, shards: int) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % shards


def _facts(item: Item) -> tuple[str | int | bool, ...]:
    """What decides a picture's record and row; the split of its person is filled in later."""
    picture = item.picture
    told = (item.label, item.sha256, item.problem, item.same_as, item.excluded)
    return (picture.key, picture.identity, *told, picture.repaired)


def _fingerprint(facts: object) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
