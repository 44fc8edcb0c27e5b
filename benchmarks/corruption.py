"""What damage of a dataset is noticed: flipped bytes, cut files, missing and mixed-up ones.

    python benchmarks/corruption.py [--quick] [--output FILE]

A dataset of some AT&T faces is damaged in one way at a time, at seeded places, and mended again.
"ours" is how often `data_prep/verify_dataset.py` tells of it, "read" how often a reader of the
dataset is refused, "named" how often each says where: the file, of a flipped byte in a shard the
record too. No reader looks at report and contact sheet. Exits with 1 if anything is missed.
"""

from __future__ import annotations

import collections
import dataclasses
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import report
from att_pictures import write_pictures
from tqdm import tqdm

from facenet_tf.errors import InputError
from facenet_tf.records.builder import build_dataset
from facenet_tf.records.config import BuildConfig
from facenet_tf.records.dataset import FaceDataset
from facenet_tf.records.framing import HEADER_SIZE
from facenet_tf.records.layout import INDEX, LENGTH, MANIFEST, OFFSET, ROWS, SHARD
from facenet_tf.records.verify import Verification

PEOPLE = 12
SEED = 6
BATCH = 32
TABLES = (INDEX, ROWS, MANIFEST)


@dataclasses.dataclass(frozen=True)
class Damage:
    """One damage.

    Attributes:
        kind: in words.
        files: what is in them; None: they are gone.
        told: what a check has to name, one text per file concerned.
        refused: one of these has to be in what a reader is told; none: it does not look there.
    """

    kind: str
    files: dict[str, bytes | None]
    told: tuple[str, ...]
    refused: tuple[str, ...]


def main() -> None:
    options = report.parser(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        pictures = write_pictures(Path(scratch, "pictures"), PEOPLE)
        config = BuildConfig(pictures, output=Path(scratch, "dataset"))
        dataset = build_dataset(config, isolated=True)
        damages = list(Damages(dataset, 0.1 if options.quick else 1).all())
        assert not told(dataset.directory) and not refused(dataset.directory)
        counts, missed = tried(dataset.directory, damages)
    metrics = {
        kind: {"ours": count["told"], "peers": {}, "ratio": {}, "unit": f"of {count['tried']}"}
        | {name: count[name] for name in ("told_where", "read", "read_where") if name in count}
        for kind, count in counts.items()
    }
    report.publish("corruption", metrics, options.output, seed=SEED, missed=missed)
    sys.exit(1 if missed else 0)


class Damages:
    """Seeded damages of a dataset.

    Args:
        dataset: whole.
        share: of the usual number of each kind.
    """

    def __init__(self, dataset: FaceDataset, share: float) -> None:
        self._dataset = dataset
        self._share = share
        self._chance = random.Random(SEED)
        self._bytes = {path.name: path.read_bytes() for path in dataset.directory.iterdir()}
        self._shards = [shard["file"] for shard in dataset.manifest["shards"]]

    def all(self) -> Iterator[Damage]:
        for part, count in (("payload", 200), ("length", 50), ("checksum", 50)):
            for _ in self._times(count):
                yield self._flipped_in_record(part)
        for name in self._others():
            for _ in self._times(100 if name in TABLES else 20):
                yield self._flipped_in_file(name)
        for _ in self._times(50):
            yield self._cut_shard()
        for name in self._others():
            for _ in self._times(20):
                length = self._chance.randrange(len(self._bytes[name]))
                yield self._other_file("cut", name, self._bytes[name][:length])
            yield self._other_file("missing", name, None)
        for shard in self._shards:
            kind = "a shard that is missing"
            yield Damage(kind, {shard: None}, (f"{shard}: it cannot be read",), (f"{shard} is",))
        for _ in self._times(20):
            yield self._swapped_shards()
            yield self._mixed_up_index()

    def _times(self, count: int) -> range:
        return range(max(1, round(count * self._share)))

    def _others(self) -> list[str]:
        return [name for name in sorted(self._bytes) if name not in self._shards]

    def _flipped_in_record(self, part: str) -> Damage:
        record = self._chance.randrange(len(self._dataset))
        shard, offset, length = (int(value) for value in self._dataset.index[record, :3])
        places = {
            "length": range(offset, offset + HEADER_SIZE),
            "payload": range(offset + HEADER_SIZE, offset + HEADER_SIZE + length),
            "checksum": range(offset + HEADER_SIZE + length, offset + HEADER_SIZE + length + 4),
        }
        name = self._shards[shard]
        where = (f"{name}: record {record} (byte {offset}) is damaged",)
        changed = {name: self._flipped(name, self._chance.choice(places[part]))}
        return Damage(f"a flipped byte in a record's {part}", changed, where, where)

    def _flipped_in_file(self, name: str) -> Damage:
        at = self._chance.randrange(len(self._bytes[name]))
        return self._other_file("a flipped byte in", name, self._flipped(name, at))

    def _flipped(self, name: str, at: int) -> bytes:
        data = bytearray(self._bytes[name])
        data[at] ^= self._chance.randrange(1, 256)
        return bytes(data)

    def _other_file(self, what: str, name: str, data: bytes | None) -> Damage:
        refused = (name,) if name in TABLES else ()
        return Damage(f"{what} {name}", {name: data}, (name,), refused)

    def _cut_shard(self) -> Damage:
        number = self._chance.randrange(len(self._shards))
        name = self._shards[number]
        length = self._chance.randrange(len(self._bytes[name]))
        index = self._dataset.index
        ends = index[:, OFFSET] + index[:, LENGTH] + HEADER_SIZE + 4
        record = int(np.flatnonzero((index[:, SHARD] == number) & (ends > length))[0])
        where = f"{name}: record {record} (byte {index[record, OFFSET]}) is damaged, the file ends"
        changed = {name: self._bytes[name][:length]}
        return Damage("a cut shard", changed, (where,), (f"{name} is missing or incomplete",))

    def _swapped_shards(self) -> Damage:
        one, other = self._chance.sample(self._shards, 2)
        changed = {one: self._bytes[other], other: self._bytes[one]}
        where = f"{one}: its SHA-256", f"{other}: its SHA-256"
        return Damage("two swapped shards", changed, where, (one, other))

    def _mixed_up_index(self) -> Damage:
        """The places of one shard's records under the number of another, and the reverse."""
        one, other = self._chance.sample(range(len(self._shards)), 2)
        index = np.array(self._dataset.index)
        of_one, of_other = index[:, SHARD] == one, index[:, SHARD] == other
        index[of_one, SHARD], index[of_other, SHARD] = other, one
        index = index[np.lexsort((index[:, OFFSET], index[:, SHARD]))]
        head = self._bytes[INDEX][: -index.nbytes]
        return self._other_file("two shards mixed up in", INDEX, head + index.tobytes())


def tried(
    directory: Path, damages: list[Damage]
) -> tuple[dict[str, collections.Counter[str]], list[dict[str, Any]]]:
    """Counts by kind, and every damage that was missed or not named."""
    counts: dict[str, collections.Counter[str]] = {}
    missed = []
    for damage in tqdm(damages, unit="damage"):
        whole = {name: (directory / name).read_bytes() for name in damage.files}
        try:
            write(directory, damage.files)
            found, message = told(directory), refused(directory)
        finally:
            write(directory, whole)
        seen = {
            "tried": True,
            "told": bool(found),
            "told_where": all(any(place in line for line in found) for place in damage.told),
        }
        if damage.refused:
            seen["read"] = bool(message)
            seen["read_where"] = any(place in message for place in damage.refused)
        count = counts.setdefault(damage.kind, collections.Counter())
        count.update({name: int(value) for name, value in seen.items()})
        if not all(seen.values()):
            missed.append({"kind": damage.kind, "told": found[:3], "read": message, "is": seen})
    return counts, missed


def write(directory: Path, files: dict[str, Any]) -> None:
    for name, data in files.items():
        (directory / name).unlink(missing_ok=True)
        if data is not None:
            (directory / name).write_bytes(data)


def told(directory: Path) -> list[str]:
    """What a check says."""
    try:
        check = Verification(directory)
        parts = [check.tables(), *map(check.shard, range(len(check.shards)))]
        return [problem for part in parts for problem in part]
    except InputError as error:
        return [str(error)]


def refused(directory: Path) -> str:
    """What a reader of the dataset is told; empty if nothing stops it."""
    try:
        dataset = FaceDataset.open(directory)
        dataset.keys()
        for start in range(0, len(dataset), BATCH):
            dataset.read(np.arange(start, min(start + BATCH, len(dataset))))
    except InputError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    main()
